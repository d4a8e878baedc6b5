/**
 * The contract's client rules as one state machine: lines and times in, verdicts and the
 * state of every zone out. It opens no connection, sets no timer and reads no clock.
 */
import { nobleCrypto, webCrypto } from './crypto.js';
import type { Crypto } from './crypto.js';
import { maxFrame, openEnvelope, readFrame, threats } from './frame.js';
import type { Board, Change, Envelope, Frame, Item, Picture, Universe } from './frame.js';
import { inForce, kidOf, mayJudge, readKeys } from './keys.js';
import type { KeyList } from './keys.js';
import { Refused, byBytes, readBase64url } from './strict.js';
import type { Bytes } from './strict.js';

/** What a client says of a line, in the contract's words. */
export type Verdict =
  | 'taken'
  | 'fetch'
  | 'old'
  | 'too-large'
  | 'malformed'
  | 'unknown-key'
  | 'bad-signature'
  | 'key-not-in-force'
  | 'revoked-key'
  | 'wrong-universe'
  | 'wrong-region'
  | 'out-of-jurisdiction'
  | 'rollback'
  | 'replay';

/** The answer to one line. */
export interface Answer {
  readonly verdict: Verdict;
  /** The frame was signed more than 5 minutes from the device's clock. */
  readonly clock?: true;
  /** The frame itself, for the verdicts `taken`, `fetch` and `old`. */
  readonly frame?: Frame;
}

/**
 * What a place is to be told: the two warned stages; the two ends that are news;
 * `no-news` where a warning ran out, or vanished without an end. A zone that is not in
 * the state is quiet.
 */
export type Condition = 'shelter' | 'prepare' | 'no-news' | 'all-clear' | 'cancelled';

/** One zone that is not simply quiet. */
export interface ZoneState {
  readonly zone: string;
  readonly condition: Condition;
  /** What was last said of it. */
  readonly item: Item;
}

export interface Options {
  /** The pinned root key: base64url of its 32 bytes. */
  readonly root: string;
  readonly universe: Universe;
  /** The chains to follow: regions' ids, `*`, `test`. */
  readonly regions: readonly string[];
  /** Cryptography of one's own; WebCrypto, or else the noble packages, by default. */
  readonly crypto?: Crypto;
}

const minute = 60_000;
/** An ended or vanished zone is told of for this long. */
const remembered = 60 * minute;
/** A frame signed further than this from the device's clock is flagged. */
const clockBound = 5 * minute;
/** Silence is forgiven for this long after the promised next frame. */
const grace = 20_000;
/** The most zones held of a chain; a change that would go over it means: fetch the board, which cannot. */
const maxHeld = 100_000;
/** The chain that is never part of the state of the country. */
const testRegion = 'test';

/** One region's chain as it is held. */
interface Chain {
  /** Number of the newest change held; undefined before the first board. */
  seq: number | undefined;
  /** Newest `at` of the beats, and of the changes that need not be given again. */
  ordered: number;
  /** Newest `at` of all frames. */
  at: number;
  /** When silence becomes deafness, on the device's clock. */
  deadline: number;
  clock: boolean;
  picture: Picture | undefined;
  set: string | undefined;
  zones: Map<string, Item>;
  /** Warned zones that vanished from a board, and when that was seen. */
  lost: Map<string, { item: Item; at: number }>;
  /** Since when what is held is not proved to be what holds; undefined while it is. */
  behind: number | undefined;
  /** The keys whose word counted in any of this. */
  by: Set<string>;
}

function newChain(): Chain {
  return {
    seq: undefined,
    ordered: -Infinity,
    at: -Infinity,
    deadline: -Infinity,
    clock: false,
    picture: undefined,
    set: undefined,
    zones: new Map(),
    lost: new Map(),
    behind: undefined,
    by: new Set(),
  };
}

const gravity: readonly Condition[] = ['shelter', 'prepare', 'no-news', 'cancelled', 'all-clear'];

/** Orders two states, the graver first: stage, then earlier arrival, then the list of threats. */
export function byGravity(a: ZoneState, b: ZoneState): number {
  return (
    gravity.indexOf(a.condition) - gravity.indexOf(b.condition) ||
    byNumber(a.item.arrival?.earliest ?? Infinity, b.item.arrival?.earliest ?? Infinity) ||
    threats.indexOf(a.item.threat) - threats.indexOf(b.item.threat)
  );
}

function byNumber(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A verifying client of one service. Make one with {@link createClient}. */
export class Client {
  readonly #options: Options;
  readonly #root: Bytes;
  readonly #chains: ReadonlyMap<string, Chain>;
  #keys: KeyList | undefined;
  #crypto: Promise<Crypto> | undefined;
  /** Lines are judged one after the other, in the order they were given. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: Options) {
    this.#options = options;
    this.#root = readBase64url(options.root);
    if (this.#root.length !== 32) throw new Refused('root: not a key of 32 bytes');
    if (options.regions.length === 0) throw new Refused('regions: none');
    this.#chains = new Map(options.regions.map((region) => [region, newChain()]));
  }

  /** The serial of the key list held; undefined before the first. */
  get serial(): number | undefined {
    return this.#keys?.serial;
  }

  /** Judges a key list of `GET /v1/keys`, without its line feed. `now` is the device's clock in milliseconds. */
  keys(line: string, now: number): Promise<Answer> {
    return this.#inTurn(() => this.#judgeKeys(line, now));
  }

  /** Judges one frame, without its line feed, and applies it where it is `taken`. `now` is the device's clock in milliseconds. */
  take(line: string, now: number): Promise<Answer> {
    return this.#inTurn(() => this.#judgeFrame(line, now));
  }

  /**
   * The zones that are not simply quiet, at a time: of one chain, or, without `region`, of all
   * chains but `test`, the graver where two speak of one zone.
   */
  state(now: number, region?: string): Map<string, ZoneState> {
    const told = new Map<string, ZoneState>();
    for (const [name, chain] of this.#chains) {
      if (region === undefined ? name === testRegion : name !== region) continue;
      for (const one of chainState(chain, now)) {
        const other = told.get(one.zone);
        if (other === undefined || byGravity(one, other) < 0) told.set(one.zone, one);
      }
    }
    return told;
  }

  /**
   * Whether the service is not heard: in one chain, or, without `region`, in any chain but `test`.
   * That is: no frame by `next` + 20 s, none at all yet, or no proof for 20 s that what is held is what holds.
   */
  deaf(now: number, region?: string): boolean {
    return this.#some(region, (chain) => now > chain.deadline + grace || (chain.behind !== undefined && now > chain.behind + grace));
  }

  /** Whether anything was ever heard in every chain asked for (as in {@link deaf}). */
  heard(region?: string): boolean {
    return !this.#some(region, (chain) => chain.seq === undefined);
  }

  /** Whether the newest frame of a chain was signed far from the device's clock. */
  clock(region?: string): boolean {
    return this.#some(region, (chain) => chain.clock);
  }

  /** Number of the newest change held of a chain; undefined before its first board. */
  seq(region: string): number | undefined {
    return this.#chains.get(region)?.seq;
  }

  /** Whether the service has a picture of the sky; undefined before it said so. Without `region`, the worst of the chains but `test`. */
  picture(region?: string): Picture | undefined {
    const said = this.#asked(region).map((chain) => chain.picture);
    return (['none', 'partial', 'live'] as const).find((picture) => said.includes(picture));
  }

  /** Version of the zone registry that the ids are of; undefined before the first board. */
  set(): string | undefined {
    let newest: Chain | undefined;
    for (const chain of this.#asked(undefined)) if (chain.set !== undefined && (newest === undefined || chain.at > newest.at)) newest = chain;
    return newest?.set;
  }

  #asked(region: string | undefined): Chain[] {
    if (region === undefined) return [...this.#chains].filter(([name]) => name !== testRegion).map(([, chain]) => chain);
    const chain = this.#chains.get(region);
    return chain === undefined ? [] : [chain];
  }

  #some(region: string | undefined, holds: (chain: Chain) => boolean): boolean {
    return this.#asked(region).some(holds);
  }

  #inTurn(judge: () => Promise<Answer>): Promise<Answer> {
    const answer = this.#queue.then(judge);
    this.#queue = answer.catch(() => undefined);
    return answer;
  }

  #suite(): Promise<Crypto> {
    const { crypto } = this.#options;
    this.#crypto ??= crypto ? Promise.resolve(crypto) : webCrypto().then((found) => found ?? nobleCrypto());
    return this.#crypto;
  }

  async #judgeKeys(line: string, now: number): Promise<Answer> {
    if (tooLarge(line)) return { verdict: 'too-large' };
    const envelope = open(line);
    if (envelope === undefined) return { verdict: 'malformed' };
    const { verify, sha256 } = await this.#suite();
    const root = await kidOf(this.#root, sha256);
    if (envelope.kid !== root) return { verdict: 'unknown-key' };
    if (!(await verify(this.#root, envelope.signature, envelope.signed))) return { verdict: 'bad-signature' };
    let list: KeyList;
    try {
      list = await readKeys(envelope.payload, root, sha256);
    } catch (cause) {
      return refusal(cause);
    }
    if (list.universe !== this.#options.universe) return { verdict: 'wrong-universe' };
    if (this.#keys !== undefined && list.serial < this.#keys.serial) return { verdict: 'rollback' };
    this.#keys = list;
    for (const chain of this.#chains.values()) if ([...chain.by].some((kid) => list.revoked.has(kid))) disown(chain, now);
    return { verdict: 'taken', ...clockFlag(list.at, now) };
  }

  async #judgeFrame(line: string, now: number): Promise<Answer> {
    if (tooLarge(line)) return { verdict: 'too-large' };
    const envelope = open(line);
    if (envelope === undefined) return { verdict: 'malformed' };
    const list = this.#keys;
    const key = list?.keys.get(envelope.kid);
    if (list === undefined || key === undefined) return { verdict: 'unknown-key' };
    const { verify, sha256 } = await this.#suite();
    if (!(await verify(key.x, envelope.signature, envelope.signed))) return { verdict: 'bad-signature' };
    let frame: Frame;
    try {
      frame = readFrame(envelope.payload);
    } catch (cause) {
      return refusal(cause);
    }
    const chain = this.#chains.get(frame.region);
    if (frame.universe !== this.#options.universe) return { verdict: 'wrong-universe' };
    if (chain === undefined) return { verdict: 'wrong-region' };
    if (list.revoked.has(key.kid)) return { verdict: 'revoked-key' };
    if (!inForce(key, frame.at) || !inForce(key, now)) return { verdict: 'key-not-in-force' };
    if (!mayJudge(key, frame)) return { verdict: 'out-of-jurisdiction' };
    const verdict = order(chain, frame, frame.kind === 'beat' ? await digestOf(chain, sha256) : '', now);
    if (verdict === 'rollback' || verdict === 'replay') return { verdict };
    chain.by.add(key.kid);
    hear(chain, frame, now);
    return { verdict, frame, ...clockFlag(frame.at, now) };
  }
}

/** Makes a client. Throws {@link Refused} where `root` is no key. */
export function createClient(options: Options): Client {
  return new Client(options);
}

/** Whether a line has more than 1 MiB of bytes; the encoder is asked only where characters could make the difference. */
function tooLarge(line: string): boolean {
  return line.length > maxFrame || (line.length * 3 > maxFrame && new TextEncoder().encode(line).length > maxFrame);
}

function open(line: string): Envelope | undefined {
  try {
    return openEnvelope(line);
  } catch (cause) {
    if (cause instanceof Refused) return undefined;
    throw cause;
  }
}

function refusal(cause: unknown): Answer {
  if (cause instanceof Refused) return { verdict: 'malformed' };
  throw cause;
}

function clockFlag(at: number, now: number): { clock: true } | object {
  return Math.abs(at - now) > clockBound ? { clock: true } : {};
}

/** Puts a frame in its place in the chain, and applies it where it is taken. */
function order(chain: Chain, frame: Frame, digest: string, now: number): 'taken' | 'fetch' | 'old' | 'rollback' | 'replay' {
  if (frame.kind === 'board') {
    if (chain.seq !== undefined && frame.seq < chain.seq) return 'rollback';
    applyBoard(chain, frame, now);
    return 'taken';
  }
  if (frame.at <= chain.ordered) return 'replay';
  if (frame.kind === 'beat') {
    // Nothing less proves that what is held is what holds.
    if (frame.seq === chain.seq && frame.digest === digest && frame.active === active(chain)) {
      chain.ordered = frame.at;
      chain.behind = undefined;
      return 'taken';
    }
  } else {
    if (chain.seq !== undefined && frame.seq <= chain.seq) {
      chain.ordered = frame.at;
      return 'old';
    }
    if (frame.prev === chain.seq && chain.zones.size + frame.items.reduce((n, item) => n + item.zones.length, 0) <= maxHeld) {
      chain.ordered = frame.at;
      applyChange(chain, frame);
      return 'taken';
    }
  }
  // Its `at` does not count: it may be given again after the board.
  chain.behind ??= now;
  return 'fetch';
}

function applyBoard(chain: Chain, board: Board, now: number): void {
  const zones = new Map<string, Item>();
  for (const item of board.items) for (const zone of item.zones) zones.set(zone, item);
  for (const [zone, item] of chain.zones) if (item.end === undefined && !zones.has(zone)) chain.lost.set(zone, { item, at: now });
  for (const zone of zones.keys()) chain.lost.delete(zone);
  for (const [zone, { at }] of chain.lost) if (now >= at + remembered) chain.lost.delete(zone);
  chain.zones = zones;
  chain.seq = board.seq;
  chain.set = board.set;
}

function applyChange(chain: Chain, change: Change): void {
  for (const item of change.items)
    for (const zone of item.zones) {
      chain.zones.set(zone, item);
      chain.lost.delete(zone);
    }
  chain.seq = change.seq;
}

/** Notes that the service was heard. Only a frame newer than all before says anything about now. */
function hear(chain: Chain, frame: Frame, now: number): void {
  if (frame.at <= chain.at) return;
  chain.at = frame.at;
  chain.clock = Math.abs(frame.at - now) > clockBound;
  // With clocks apart only the length of the promised silence means anything here; with a clock
  // that is a little behind, the sooner of the two.
  const promised = now + (frame.next - frame.at);
  chain.deadline = chain.clock ? promised : Math.min(promised, frame.next);
  if (frame.kind !== 'change') chain.picture = frame.picture;
}

/** What a revoked key numbered is no measure for what comes after it; what it said stays until a board says otherwise. */
function disown(chain: Chain, now: number): void {
  chain.seq = undefined;
  chain.ordered = -Infinity;
  chain.at = -Infinity;
  chain.by = new Set();
  chain.behind ??= now;
}

function active(chain: Chain): number {
  let count = 0;
  for (const item of chain.zones.values()) if (item.stage !== 'quiet') count++;
  return count;
}

async function digestOf(chain: Chain, sha256: Crypto['sha256']): Promise<string> {
  const lines: string[] = [];
  for (const zone of [...chain.zones.keys()].sort(byBytes)) {
    const item = chain.zones.get(zone);
    if (item === undefined || item.stage === 'quiet') continue;
    lines.push(`${zone}\t${item.stage}\t${item.threat}\t${new Date(item.until).toISOString()}\n`);
  }
  const sum = await sha256(new TextEncoder().encode(lines.join('')));
  return Array.from(sum, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function conditionOf(item: Item, now: number): Condition {
  if (item.stage !== 'quiet') return now >= item.until ? 'no-news' : item.stage;
  return item.end === 'all-clear' || item.end === 'cancelled' ? item.end : 'no-news';
}

function* chainState(chain: Chain, now: number): Generator<ZoneState> {
  for (const [zone, { item, at }] of chain.lost) if (now < at + remembered) yield { zone, condition: 'no-news', item };
  for (const [zone, item] of chain.zones) {
    if (item.end !== undefined && now >= item.since + remembered) continue;
    yield { zone, condition: conditionOf(item, now), item };
  }
}
