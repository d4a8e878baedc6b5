import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { connect, createClient } from '../src/index.js';
import type { Answer, Client, Connection } from '../src/index.js';
import { Service } from '../../testing/service.js';
import { Signer, item, pair } from '../../testing/signer.js';

let service: Service;
let connection: Connection;
const answers: Answer[] = [];
const verdicts = new Map<string, string>();
const until = (holds: () => boolean, timeout = 10_000): Promise<void> => vi.waitUntil(holds, { timeout, interval: 20 }).then(() => undefined);

afterEach(async () => {
  connection.close();
  await service.kill();
  answers.length = 0;
  verdicts.clear();
});

function begin(url = service.url, now = Date.now): Client {
  const client = createClient({ root: service.root.x, universe: 'live', regions: ['*'] });
  // No herd to spread in a test.
  connection = connect(url, client, { regions: ['*'], random: () => 0, now, onAnswer: (answer, _, line) => answers.push(answer) && verdicts.set(line, answer.verdict) });
  return client;
}

const condition = (client: Client, zone: string): string | undefined => client.state(Date.now()).get(zone)?.condition;

test('a change said by the service is in the state', async () => {
  service = await new Service().start();
  const client = begin();
  await until(() => client.heard());
  service.say(item(['A'], { at: Date.now() }));
  await until(() => condition(client, 'A') === 'shelter');
});

test('a gap is closed by the board, once', async () => {
  service = await new Service().start();
  const client = begin();
  await until(() => client.heard());
  // A change that nobody was told of.
  service.held = [item(['A'], { at: Date.now() })];
  service.seq++;
  service.beat();
  service.beat();
  await until(() => condition(client, 'A') === 'shelter');
  expect(service.asked.filter((line) => line.startsWith('GET /v1/board')).length).toBeLessThanOrEqual(2);
});

test('a change that came before the board it needs is given again after it', async () => {
  service = await new Service().start();
  const client = begin();
  await until(() => client.heard());
  const { seq } = service;
  const at = service.at();
  service.send(service.signer.change(seq + 1, seq + 2, at, [item(['B'], { at })]));
  service.seq = seq + 1;
  service.held = [item(['A'], { at })];
  await until(() => condition(client, 'B') === 'shelter');
  expect(condition(client, 'A')).toBe('shelter');
});

test('a new key is fetched when its first frame comes', async () => {
  service = await new Service().start();
  let ahead = 0;
  const client = begin(service.url, () => Date.now() + ahead);
  await until(() => client.heard());
  // At most one fetch in 5 s.
  ahead = 6_000;
  service.signer = new Signer(pair('its successor'));
  service.serial = 2;
  service.say(item(['A'], { at: Date.now() }));
  await until(() => condition(client, 'A') === 'shelter');
  expect(client.serial).toBe(2);
});

test('a revoked key is refused within a minute, though nothing asks for the list', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    service = await new Service({ beat: 600_000 }).start();
    const client = begin();
    await until(() => client.heard());
    const thief = service.signer;
    service.signer = new Signer(pair('its successor'));
    service.serial = 2;
    service.revoked = [thief.by];
    const stolen = async (): Promise<string | undefined> => {
      const line = thief.beat(service.seq, service.at(), service.held);
      service.send(line);
      await until(() => verdicts.has(line));
      return verdicts.get(line);
    };
    expect(await stolen()).toBe('taken'); // the list is not known yet
    for (let second = 0; second < 50; second += 10) {
      vi.advanceTimersByTime(10_000);
      await stolen(); // what the thief says keeps the stream up
    }
    await until(() => client.serial === 2);
    expect(await stolen()).toBe('revoked-key');
  } finally {
    vi.useRealTimers();
  }
});

test('a killed service is found again, and nothing said meanwhile is lost', async () => {
  service = await new Service().start();
  const client = begin();
  await until(() => client.heard());
  const port = Number(new URL(service.url).port);
  const { seq } = service;
  await service.kill();
  service = new Service();
  service.seq = seq + 3;
  service.held = [item(['A'], { at: Date.now() })];
  await service.start(port);
  await until(() => condition(client, 'A') === 'shelter');
});

test('a service without a stream is followed by its board', async () => {
  service = await new Service().start();
  service.broken.add('/v1/stream');
  service.held = [item(['A'], { at: Date.now() })];
  const client = begin();
  await until(() => condition(client, 'A') === 'shelter');
});

test('a stream without an end of line is cut off', async () => {
  service = await new Service().start();
  let sent = 0;
  let cut = false;
  const hostile = createServer((request, answer) => {
    if (!request.url?.startsWith('/v1/stream')) return void answer.writeHead(404).end();
    const piece = 'A'.repeat(1 << 16);
    const more = (): void => {
      while (!cut && sent < 64 << 20 && answer.write(piece)) sent += piece.length;
    };
    answer.on('drain', more);
    answer.on('close', () => (cut = true));
    more();
  });
  await new Promise<void>((resolve) => hostile.listen(0, '127.0.0.1', resolve));
  try {
    const client = begin(`http://127.0.0.1:${(hostile.address() as AddressInfo).port}/`);
    await until(() => cut);
    expect(sent).toBeLessThan(16 << 20);
    expect(client.heard()).toBe(false);
  } finally {
    connection.close();
    hostile.closeAllConnections();
    await new Promise((resolve) => hostile.close(resolve));
  }
});

test('nothing is told after it is closed', async () => {
  service = await new Service().start();
  const client = begin();
  await until(() => client.heard() && service.readers === 1);
  connection.close();
  await until(() => service.readers === 0);
  const told = answers.length;
  service.say(item(['A'], { at: Date.now() }));
  expect(answers.length).toBe(told);
});
