import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createClient, nobleCrypto } from '../src/index.js';
import type { Client, Crypto, Universe } from '../src/index.js';

type Line = string | { head: string; fill: string; times: number; tail: string };

interface Step {
  keys?: string;
  frame?: Line;
  now?: string;
  verdict?: string;
  clock?: boolean | Record<string, boolean>;
  look?: string;
  state?: Record<string, string>[];
  deaf?: Record<string, boolean>;
  seq?: Record<string, number>;
  picture?: Record<string, string>;
}

interface Script {
  name: string;
  root: string;
  universe: Universe;
  regions: string[];
  steps: Step[];
}

interface Vectors {
  version: number;
  roots: Record<string, string>;
  keys: Record<string, Line>;
  scripts: Script[];
}

// The form of the file is held by the test of the room that makes it.
const vectors = JSON.parse(readFileSync(new URL('../../../vectors/v1.json', import.meta.url), 'utf8')) as Vectors;

function text(line: Line | undefined): string {
  if (line === undefined) throw new Error('vectors: a line that is not there');
  return typeof line === 'string' ? line : line.head + line.fill.repeat(line.times) + line.tail;
}

function told(client: Client, regions: readonly string[], now: number): Record<string, string>[] {
  return [...regions].sort().flatMap((region) =>
    [...client.state(now, region).values()]
      .sort((a, b) => Buffer.compare(Buffer.from(a.zone), Buffer.from(b.zone)))
      .map(({ zone, condition, item: { stage, threat, until, alert } }) => ({
        region,
        zone,
        show: condition,
        stage,
        threat,
        until: new Date(until).toISOString(),
        alert,
      })),
  );
}

function look(client: Client, script: Script, step: Step, now: number, place: string): void {
  if (step.state !== undefined) expect(told(client, script.regions, now), `${place}: state`).toEqual(step.state);
  for (const [region, deaf] of Object.entries(step.deaf ?? {})) expect(client.deaf(now, region), `${place}: deaf ${region}`).toBe(deaf);
  for (const [region, seq] of Object.entries(step.seq ?? {})) expect(client.seq(region) ?? -1, `${place}: seq ${region}`).toBe(seq);
  for (const [region, picture] of Object.entries(step.picture ?? {})) expect(client.picture(region) ?? '', `${place}: picture ${region}`).toBe(picture);
  if (typeof step.clock !== 'object') return;
  for (const [region, clock] of Object.entries(step.clock)) expect(client.clock(region), `${place}: clock ${region}`).toBe(clock);
}

async function run(script: Script, crypto: Crypto | undefined): Promise<void> {
  const root = vectors.roots[script.root] ?? '';
  const client = createClient({ root, universe: script.universe, regions: script.regions, ...(crypto ? { crypto } : {}) });
  for (const [i, step] of script.steps.entries()) {
    const place = `${script.name}, step ${i}`;
    const now = Date.parse(step.now ?? step.look ?? '');
    if (step.look !== undefined) {
      look(client, script, step, now, place);
    } else if (step.keys !== undefined) {
      expect((await client.keys(text(vectors.keys[step.keys]), now)).verdict, place).toBe(step.verdict);
    } else {
      const answer = await client.take(text(step.frame), now);
      expect(answer.verdict, place).toBe(step.verdict);
      if (answer.frame !== undefined) expect(answer.clock ?? false, `${place}: clock`).toBe(step.clock ?? false);
    }
  }
}

test('the vectors are of version 1, and many', () => {
  expect(vectors.version).toBe(1);
  expect(vectors.scripts.length).toBeGreaterThanOrEqual(300);
});

test.each(vectors.scripts.map((script) => [script.name, script] as const))('%s', async (_, script) => {
  await run(script, undefined);
});

test('the noble packages give the same verdicts', async () => {
  const crypto = await nobleCrypto();
  for (const script of vectors.scripts) await run(script, crypto);
}, 120_000);
