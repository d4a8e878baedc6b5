/** Signs frames and key lists as a service does, for tests: an independent Ed25519 (node:crypto). */
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Item } from '../client/src/index.js';

const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex');

export interface Pair {
  readonly kid: string;
  /** base64url of the public key. */
  readonly x: string;
  readonly secret: KeyObject;
}

/** A key pair from a seed word, the same in every run. */
export function pair(seed: string): Pair {
  const secret = createPrivateKey({
    key: Buffer.concat([pkcs8, createHash('sha256').update(seed).digest()]),
    format: 'der',
    type: 'pkcs8',
  });
  const raw = createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(-32);
  return { kid: createHash('sha256').update(raw).digest('base64url').slice(0, 16), x: raw.toString('base64url'), secret };
}

/** Signs exact payload bytes. */
export function line(by: Pair, payload: string | Uint8Array, header?: string): string {
  const head = Buffer.from(header ?? `{"alg":"EdDSA","kid":"${by.kid}"}`).toString('base64url');
  const signed = `${head}.${Buffer.from(payload as string).toString('base64url')}`;
  return `${signed}.${sign(null, Buffer.from(signed), by.secret).toString('base64url')}`;
}

/** RFC 3339 with milliseconds. */
export function time(ms: number): string {
  return new Date(ms).toISOString();
}

type WireItem = Record<string, unknown>;

/** An item as it stands on the wire. */
export function wireItem(item: Item): WireItem {
  const { since, until, arrival, ...rest } = item;
  return {
    ...rest,
    since: time(since),
    until: time(until),
    ...(arrival ? { arrival: { earliest: time(arrival.earliest), likely: time(arrival.likely) } } : {}),
  };
}

/** The contract's digest over what is warned. */
export function digest(items: readonly Item[]): string {
  const lines = items
    .filter((item) => item.stage !== 'quiet')
    .flatMap((item) => item.zones.map((zone) => ({ zone: Buffer.from(zone), text: `${zone}\t${item.stage}\t${item.threat}\t${time(item.until)}\n` })))
    .sort((a, b) => Buffer.compare(a.zone, b.zone))
    .map(({ text }) => text);
  return createHash('sha256').update(lines.join('')).digest('hex');
}

/** An item with what a test does not care about filled in. */
export function item(zones: string[], over: Partial<Item> & { at: number }): Item {
  const { at, ...rest } = over;
  const stage = rest.stage ?? 'shelter';
  const threat = rest.threat ?? 'drone';
  return {
    stage,
    threat,
    sure: 'high',
    since: at,
    until: at + 30 * 60_000,
    alert: 'w1.1',
    text: rest.end ?? `${stage}-${threat}`,
    ...rest,
    zones: [...zones].sort(),
  };
}

export interface KeyEntry {
  readonly by: Pair;
  readonly from?: number;
  readonly until?: number;
  readonly regions?: string[];
  readonly classes?: string[];
}

/** A key list signed by the root. */
export function keyList(
  root: Pair,
  at: number,
  entries: readonly KeyEntry[],
  over: { serial?: number; universe?: string; revoked?: string[] } = {},
): string {
  return line(
    root,
    JSON.stringify({
      universe: over.universe ?? 'live',
      kind: 'keys',
      serial: over.serial ?? 1,
      at: time(at),
      root: root.kid,
      keys: entries.map(({ by, from, until, regions, classes }) => ({
        kid: by.kid,
        x: by.x,
        from: time(from ?? at - 86_400_000),
        until: time(until ?? at + 86_400_000),
        jurisdiction: { regions: regions ?? ['*'], classes: classes ?? ['*'], polygon: [] },
      })),
      revoked: over.revoked ?? [],
    }),
  );
}

export interface FrameOptions {
  readonly universe?: string;
  readonly region?: string;
  readonly next?: number;
  readonly picture?: string;
  readonly set?: string;
}

/** Makes the three kinds of frames of one service. */
export class Signer {
  constructor(
    readonly by: Pair,
    readonly defaults: FrameOptions = {},
  ) {}

  #frame(kind: string, seq: number, at: number, members: object, over: FrameOptions): string {
    const o = { ...this.defaults, ...over };
    const payload = { universe: o.universe ?? 'live', region: o.region ?? '*', kind, seq, at: time(at), ...members, next: time(at + (o.next ?? 10_000)) };
    return line(this.by, JSON.stringify(payload));
  }

  board(seq: number, at: number, items: readonly Item[], over: FrameOptions = {}): string {
    const o = { ...this.defaults, ...over };
    return this.#frame('board', seq, at, { items: items.map(wireItem), picture: o.picture ?? 'live', set: o.set ?? 'set-1' }, over);
  }

  change(prev: number, seq: number, at: number, items: readonly Item[], over: FrameOptions = {}): string {
    return this.#frame('change', seq, at, { prev, items: items.map(wireItem) }, over);
  }

  beat(seq: number, at: number, held: readonly Item[], over: FrameOptions = {}): string {
    const o = { ...this.defaults, ...over };
    const active = held.filter((i) => i.stage !== 'quiet').reduce((n, i) => n + i.zones.length, 0);
    return this.#frame('beat', seq, at, { active, digest: digest(held), picture: o.picture ?? 'live' }, over);
  }
}
