/** A frame's words and form: everything that can be said of one line without knowing a key. */
import { Refused, asArray, asCount, asObject, asOneOf, asName, asTime, byBytes, readBase64url, readJson } from './strict.js';
import type { Bytes, Json } from './strict.js';

/** The most bytes a frame may have, 1 MiB. */
export const maxFrame = 1 << 20;

export const universes = ['live', 'exercise'] as const;
export const stages = ['quiet', 'prepare', 'shelter'] as const;
/** The contract's one list of threats, gravest first. */
export const threats = ['ballistic-missile', 'cruise-missile', 'rocket', 'drone', 'glide-bomb', 'aircraft', 'unknown'] as const;
export const sures = ['low', 'medium', 'high'] as const;
export const ends = ['all-clear', 'cancelled', 'expired'] as const;
export const pictures = ['live', 'partial', 'none'] as const;

export type Universe = (typeof universes)[number];
export type Stage = (typeof stages)[number];
export type Threat = (typeof threats)[number];
export type Sure = (typeof sures)[number];
export type End = (typeof ends)[number];
export type Picture = (typeof pictures)[number];

/** One statement of a board or change. Times are milliseconds since 1970. */
export interface Item {
  readonly stage: Stage;
  readonly threat: Threat;
  readonly sure: Sure;
  /** Start of the stage; of the end, where `end` is set. */
  readonly since: number;
  /** Hard expiry. */
  readonly until: number;
  /** Absent where unknown. */
  readonly arrival?: { readonly earliest: number; readonly likely: number };
  /** CAP identifier. */
  readonly alert: string;
  readonly zones: readonly string[];
  /** Set only where the warning ends; `stage` is then `quiet`. */
  readonly end?: End;
  /** Key of the pre-agreed text. */
  readonly text: string;
}

interface Common {
  readonly universe: Universe;
  /** A region's id, `*` or `test`. */
  readonly region: string;
  readonly seq: number;
  /** When it was signed. */
  readonly at: number;
  /** The next frame of this chain comes not later than this. */
  readonly next: number;
}

export interface Board extends Common {
  readonly kind: 'board';
  readonly items: readonly Item[];
  readonly picture: Picture;
  /** Version of the zone registry the ids are of. */
  readonly set: string;
}

export interface Change extends Common {
  readonly kind: 'change';
  readonly prev: number;
  readonly items: readonly Item[];
}

export interface Beat extends Common {
  readonly kind: 'beat';
  readonly active: number;
  readonly digest: string;
  readonly picture: Picture;
}

export type Frame = Board | Change | Beat;

/** A compact JWS taken apart, not yet believed. */
export interface Envelope {
  readonly kid: string;
  readonly payload: Bytes;
  readonly signature: Bytes;
  /** The bytes that are signed. */
  readonly signed: Bytes;
}

// The protected header is, byte for byte, `start`, a key id of 16 bytes, `end`: there is one way
// to write a frame, so there is nothing in it that could be changed without breaking it.
const start = '{"alg":"EdDSA","kid":"';
const end = '"}';
const latin1 = new TextDecoder('latin1');

/** Takes a compact JWS apart; throws {@link Refused} where it is none of ours. */
export function openEnvelope(line: string): Envelope {
  const [head, body, tail, more] = line.split('.', 4);
  if (head === undefined || body === undefined || tail === undefined || more !== undefined) throw new Refused('frame: not three parts');
  const header = latin1.decode(readBase64url(head));
  if (header.length !== start.length + 16 + end.length || !header.startsWith(start) || !header.endsWith(end))
    throw new Refused('header: not exactly alg and kid');
  const payload = readBase64url(body);
  const signature = readBase64url(tail);
  if (signature.length !== 64) throw new Refused('frame: not a signature');
  return { kid: header.slice(start.length, -end.length), payload, signature, signed: new TextEncoder().encode(`${head}.${body}`) };
}

const digestForm = /^[0-9a-f]{64}$/;

function readArrival(value: Json): NonNullable<Item['arrival']> {
  const members = asObject(value, 'arrival');
  return { earliest: asTime(members.get('earliest'), 'earliest'), likely: asTime(members.get('likely'), 'likely') };
}

function readItem(value: Json, seen: Set<string>): Item {
  const m = asObject(value, 'item');
  const zones = asArray(m.get('zones'), 'zones').map((zone) => asName(zone, 'zone'));
  if (zones.length === 0) throw new Refused('zones: none');
  for (const [i, zone] of zones.entries()) {
    const before = zones[i - 1];
    if (before !== undefined && byBytes(before, zone) >= 0) throw new Refused('zones: not ascending');
    if (seen.has(zone)) throw new Refused('zones: one zone in two items');
    seen.add(zone);
  }
  const stage = asOneOf(stages, m.get('stage'), 'stage');
  const end = m.get('end');
  const arrival = m.get('arrival');
  if ((stage === 'quiet') !== (end !== undefined)) throw new Refused('item: an end without quiet, or quiet without an end');
  return {
    stage,
    threat: asOneOf(threats, m.get('threat'), 'threat'),
    sure: asOneOf(sures, m.get('sure'), 'sure'),
    since: asTime(m.get('since'), 'since'),
    until: asTime(m.get('until'), 'until'),
    ...(arrival === undefined ? {} : { arrival: readArrival(arrival) }),
    alert: asName(m.get('alert'), 'alert'),
    zones,
    ...(end === undefined ? {} : { end: asOneOf(ends, end, 'end') }),
    text: asName(m.get('text'), 'text'),
  };
}

function readItems(value: Json | undefined): Item[] {
  const seen = new Set<string>();
  return asArray(value, 'items').map((item) => readItem(item, seen));
}

function readDigest(value: Json | undefined): string {
  const digest = asName(value, 'digest');
  if (!digestForm.test(digest)) throw new Refused('digest: not SHA-256 in lower-case hex');
  return digest;
}

/** Reads a member wherever it stands; undefined where it does not. */
function member<T>(m: Map<string, Json>, name: string, read: (value: Json | undefined, place: string) => T): T | undefined {
  return m.has(name) ? read(m.get(name), name) : undefined;
}

function need<T>(value: T | undefined): T {
  if (value === undefined) throw new Refused('payload: a member is missing');
  return value;
}

/**
 * Reads a payload; throws {@link Refused} where the contract's form is not kept. A member of the
 * contract's table has its form wherever it stands, also in a kind of frame that does not use it.
 */
export function readFrame(payload: Bytes): Frame {
  const m = asObject(readJson(payload), 'payload');
  const common = {
    universe: asOneOf(universes, m.get('universe'), 'universe'),
    region: asName(m.get('region'), 'region'),
    seq: asCount(m.get('seq'), 'seq'),
    at: asTime(m.get('at'), 'at'),
    next: asTime(m.get('next'), 'next'),
  };
  const prev = member(m, 'prev', asCount);
  const items = member(m, 'items', readItems);
  const active = member(m, 'active', asCount);
  const digest = member(m, 'digest', readDigest);
  const picture = member(m, 'picture', (value, place) => asOneOf(pictures, value, place));
  const set = member(m, 'set', asName);
  switch (asOneOf(['board', 'change', 'beat'] as const, m.get('kind'), 'kind')) {
    case 'board':
      return { ...common, kind: 'board', items: need(items), picture: need(picture), set: need(set) };
    case 'change':
      if (need(prev) >= common.seq) throw new Refused('change: not after the one before');
      return { ...common, kind: 'change', prev: need(prev), items: need(items) };
    case 'beat':
      return { ...common, kind: 'beat', active: need(active), digest: need(digest), picture: need(picture) };
  }
}
