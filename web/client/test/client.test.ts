import { beforeEach, describe, expect, test } from 'vitest';
import { createClient, nobleCrypto, webCrypto } from '../src/index.js';
import type { Client } from '../src/index.js';
import { Signer, item, keyList, line, pair } from '../../testing/signer.js';

const root = pair('root');
const key = pair('board');
const other = pair('other');
const signer = new Signer(key);
const t0 = Date.parse('2026-11-22T12:00:00.000Z');
const second = 1000;
const minute = 60 * second;

let client: Client;
const verdict = async (text: string, now = t0): Promise<string> => (await client.take(text, now)).verdict;
const conditions = (now: number): Record<string, string> =>
  Object.fromEntries([...client.state(now)].map(([zone, { condition }]) => [zone, condition]));

beforeEach(async () => {
  client = createClient({ root: root.x, universe: 'live', regions: ['*', 'test'] });
  expect((await client.keys(keyList(root, t0, [{ by: key }]), t0)).verdict).toBe('taken');
});

describe('the life of a warning', () => {
  test('shelter, then each of the three ends, never mixed', async () => {
    const warned = item(['A', 'B', 'C'], { at: t0 });
    expect(await verdict(signer.board(5, t0, [warned]))).toBe('taken');
    expect(conditions(t0)).toEqual({ A: 'shelter', B: 'shelter', C: 'shelter' });
    const ended = (zone: string, end: 'all-clear' | 'cancelled' | 'expired') => item([zone], { at: t0 + second, stage: 'quiet', end });
    const change = signer.change(5, 6, t0 + second, [ended('A', 'all-clear'), ended('B', 'cancelled'), ended('C', 'expired')]);
    expect(await verdict(change)).toBe('taken');
    expect(conditions(t0 + second)).toEqual({ A: 'all-clear', B: 'cancelled', C: 'no-news' });
    expect(conditions(t0 + second + 60 * minute)).toEqual({});
  });

  test('a warning whose time ran out is no news, never all-clear', async () => {
    await verdict(signer.board(1, t0, [item(['A'], { at: t0, until: t0 + minute })]));
    expect(conditions(t0 + minute - 1)).toEqual({ A: 'shelter' });
    expect(conditions(t0 + minute)).toEqual({ A: 'no-news' });
    expect(conditions(t0 + 24 * 60 * minute)).toEqual({ A: 'no-news' });
  });

  test('a warned zone that vanishes from the board is no news; an ended one is quiet', async () => {
    const clear = item(['B'], { at: t0, stage: 'quiet', end: 'all-clear' });
    await verdict(signer.board(1, t0, [item(['A'], { at: t0 }), clear]));
    expect(await verdict(signer.board(2, t0 + second, []), t0 + second)).toBe('taken');
    expect(conditions(t0 + second)).toEqual({ A: 'no-news' });
    expect(await verdict(signer.change(2, 3, t0 + 2 * second, [item(['A'], { at: t0 })]), t0)).toBe('taken');
    expect(conditions(t0 + 2 * second)).toEqual({ A: 'shelter' });
  });

  test('the test chain is never part of the country', async () => {
    await verdict(signer.board(1, t0, [item(['TEST'], { at: t0 })], { region: 'test' }));
    expect(conditions(t0)).toEqual({});
    expect(client.state(t0, 'test').get('TEST')?.condition).toBe('shelter');
  });
});

describe('order', () => {
  test('gap, old, replay, rollback', async () => {
    const warned = item(['A'], { at: t0 });
    expect(await verdict(signer.change(4, 5, t0, [warned]))).toBe('fetch');
    expect(await verdict(signer.board(5, t0, [warned]))).toBe('taken');
    expect(await verdict(signer.board(5, t0, [warned]))).toBe('taken');
    expect(await verdict(signer.board(4, t0 + second, [warned]))).toBe('rollback');
    const beat = signer.beat(5, t0 + second, [warned]);
    expect(await verdict(beat)).toBe('taken');
    expect(await verdict(beat)).toBe('replay');
    expect(await verdict(signer.change(4, 5, t0 + 2 * second, []))).toBe('old');
    expect(await verdict(signer.change(7, 8, t0 + 3 * second, []))).toBe('fetch');
    expect(await verdict(signer.beat(5, t0 + 4 * second, []))).toBe('fetch');
    expect(conditions(t0)).toEqual({ A: 'shelter' });
  });

  test('what a revoked key numbered is no measure for its successor', async () => {
    await verdict(signer.board(Number.MAX_SAFE_INTEGER, t0, [item(['A'], { at: t0 })]));
    const list = keyList(root, t0, [{ by: key }, { by: other }], { serial: 2, revoked: [key.kid] });
    expect((await client.keys(list, t0)).verdict).toBe('taken');
    expect(await verdict(signer.board(Number.MAX_SAFE_INTEGER, t0, []))).toBe('revoked-key');
    expect(conditions(t0)).toEqual({ A: 'shelter' });
    expect(await verdict(new Signer(other).board(7, t0, []))).toBe('taken');
    expect(conditions(t0)).toEqual({ A: 'no-news' });
  });
});

describe('who may', () => {
  test('forged, foreign, other universe, other region', async () => {
    const good = signer.board(1, t0, []);
    const [head = '', body = '', tail = ''] = good.split('.');
    expect(await verdict(`${head}.${body}.${tail.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))}`)).toBe('bad-signature');
    expect(await verdict(new Signer(other).board(1, t0, []))).toBe('unknown-key');
    expect(await verdict(signer.board(1, t0, [], { universe: 'exercise' }))).toBe('wrong-universe');
    expect(await verdict(signer.board(1, t0, [], { region: 'UA59' }))).toBe('wrong-region');
    expect(client.heard()).toBe(false);
  });

  test('a key has its time and its jurisdiction', async () => {
    const lists = async (entry: object, serial: number) => client.keys(keyList(root, t0, [{ by: key, ...entry }], { serial }), t0);
    await lists({ until: t0 }, 2);
    expect(await verdict(signer.board(1, t0 - second, []), t0 - second)).toBe('taken');
    expect(await verdict(signer.board(1, t0 - second, []), t0)).toBe('key-not-in-force');
    await lists({ regions: ['UA59'] }, 3);
    expect(await verdict(signer.board(1, t0, []))).toBe('out-of-jurisdiction');
    expect(await verdict(signer.board(1, t0, [], { region: 'test' }))).toBe('taken');
    await lists({ classes: ['rocket'] }, 4);
    expect(await verdict(signer.board(1, t0, [item(['A'], { at: t0, threat: 'drone' })]))).toBe('out-of-jurisdiction');
    expect(await verdict(signer.board(1, t0, [item(['A'], { at: t0, threat: 'rocket' })]))).toBe('taken');
  });

  test('key lists: only the root’s, and never an older one', async () => {
    expect((await client.keys(keyList(other, t0, []), t0)).verdict).toBe('unknown-key');
    expect((await client.keys(keyList(root, t0, [], { serial: 0 }), t0)).verdict).toBe('rollback');
    expect((await client.keys(keyList(root, t0, [], { universe: 'exercise' }), t0)).verdict).toBe('wrong-universe');
    expect(client.serial).toBe(1);
  });
});

describe('hearing', () => {
  test('deaf 20 s after the promised frame, and not before', async () => {
    expect(client.deaf(t0)).toBe(true);
    await verdict(signer.board(1, t0, []));
    expect(client.deaf(t0 + 30 * second)).toBe(false);
    expect(client.deaf(t0 + 30 * second + 1)).toBe(true);
    await verdict(signer.board(1, t0, []), t0 + 40 * second);
    expect(client.deaf(t0 + 40 * second)).toBe(true);
    await verdict(signer.beat(1, t0 + 40 * second, []), t0 + 40 * second);
    expect(client.deaf(t0 + 40 * second)).toBe(false);
  });

  test('a board that is owed for 20 s is deafness too', async () => {
    await verdict(signer.board(1, t0, []));
    await verdict(signer.beat(2, t0 + second, [], { next: minute }), t0 + second);
    expect(client.deaf(t0 + 21 * second)).toBe(false);
    expect(client.deaf(t0 + 21 * second + 1)).toBe(true);
  });

  test('a device whose clock is wrong is told so and still warned', async () => {
    const now = t0 + 6 * minute;
    expect(await client.take(signer.board(1, t0, [item(['A'], { at: t0 })]), now)).toMatchObject({ verdict: 'taken', clock: true });
    expect(client.clock()).toBe(true);
    expect(conditions(now)).toEqual({ A: 'shelter' });
    expect(client.deaf(now + 30 * second)).toBe(false);
    expect(client.deaf(now + 31 * second)).toBe(true);
  });

  test('whether there is a picture', async () => {
    expect(client.picture()).toBeUndefined();
    await verdict(signer.board(1, t0, [], { picture: 'none' }));
    expect(client.picture()).toBe('none');
    await verdict(signer.beat(1, t0 + second, [], { picture: 'live' }));
    expect(client.picture()).toBe('live');
  });
});

describe('form', () => {
  const payload = (over: object): string => JSON.stringify({ universe: 'live', region: '*', kind: 'beat', seq: 1, ...over });

  test.each([
    ['nothing', ''],
    ['two parts', 'a.b'],
    ['four parts', `${signer.board(1, t0, [])}.AAAA`],
    ['a line feed', `${signer.board(1, t0, [])}\n`],
    ['padding', signer.board(1, t0, []).replace('.', '=.')],
    ['another algorithm', line(key, payload({}), `{"alg":"none","kid":"${key.kid}"}`)],
    ['a header with more', line(key, payload({}), `{"alg":"EdDSA","kid":"${key.kid}","typ":"JWT"}`)],
    ['a member missing', line(key, payload({}))],
    ['not JSON', line(key, 'board')],
    ['not UTF-8', line(key, new Uint8Array([0x22, 0xff, 0x22]))],
    ['a duplicate member', line(key, payload({}).replace('{', '{"kind":"beat",'))],
    ['depth', line(key, `{"x":${'['.repeat(5000)}${']'.repeat(5000)}}`)],
  ])('%s is no frame', async (_, text) => {
    expect(await verdict(text)).toBe('malformed');
  });

  test('one byte over 1 MiB is too large', async () => {
    expect(await verdict('A'.repeat((1 << 20) + 1))).toBe('too-large');
    expect(await verdict('A'.repeat(1 << 20))).toBe('malformed');
  });

  test('unknown members are ignored, __proto__ among them', async () => {
    const grown = signer.board(1, t0, []).split('.')[1] ?? '';
    const text = Buffer.from(grown, 'base64url').toString().replace('{', '{"__proto__":{"universe":"exercise"},"later":[1.5e3,null],');
    expect(await verdict(line(key, text))).toBe('taken');
  });
});

test('both kinds of cryptography agree, bit by bit', async () => {
  const board = signer.board(1, t0, []);
  for (const crypto of [await webCrypto(), await nobleCrypto()]) {
    expect(crypto).toBeDefined();
    const one = createClient({ root: root.x, universe: 'live', regions: ['*'], ...(crypto ? { crypto } : {}) });
    await one.keys(keyList(root, t0, [{ by: key }]), t0);
    for (let i = 0; i < board.length; i += 7) {
      const altered = board.slice(0, i) + (board[i] === 'A' ? 'B' : 'A') + board.slice(i + 1);
      expect((await one.take(altered, t0)).verdict, `altered at ${i}`).not.toMatch(/^(taken|fetch|old)$/);
    }
    expect((await one.take(board, t0)).verdict).toBe('taken');
  }
});
