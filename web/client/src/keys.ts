/** The root's list of keys: who may sign what, and when. */
import { universes } from './frame.js';
import type { Frame, Universe } from './frame.js';
import { Refused, asArray, asCount, asObject, asOneOf, asName, asTime, readBase64url, readJson, writeBase64url } from './strict.js';
import type { Bytes, Json } from './strict.js';

/** The most keys a list may name; revocations are bounded by the length of the list. */
const maxKeys = 1000;

export interface Key {
  readonly kid: string;
  readonly x: Bytes;
  /** In force from this time … */
  readonly from: number;
  /** … until this time, which is no longer in it. */
  readonly until: number;
  /** Regions it may sign; `*` is all, and needed for the chain `*`. */
  readonly regions: readonly string[];
  /** Threats it may sign; `*` is all. */
  readonly classes: readonly string[];
}

export interface KeyList {
  readonly universe: Universe;
  readonly serial: number;
  readonly at: number;
  readonly keys: ReadonlyMap<string, Key>;
  readonly revoked: ReadonlySet<string>;
}

/** The id of a key: the first 16 characters of the base64url of its SHA-256. */
export async function kidOf(x: Bytes, sha256: (bytes: Bytes) => Promise<Bytes>): Promise<string> {
  return writeBase64url(await sha256(x)).slice(0, 16);
}

function readKey(value: Json): Key {
  const m = asObject(value, 'key');
  const kid = asName(m.get('kid'), 'kid');
  const x = readBase64url(asName(m.get('x'), 'x'));
  if (x.length !== 32) throw new Refused('key: not a key');
  const jurisdiction = asObject(m.get('jurisdiction'), 'jurisdiction');
  asArray(jurisdiction.get('polygon'), 'polygon'); // for the door and the signer
  return {
    kid,
    x,
    from: asTime(m.get('from'), 'from'),
    until: asTime(m.get('until'), 'until'),
    regions: asArray(jurisdiction.get('regions'), 'regions').map((region) => asName(region, 'region')),
    classes: asArray(jurisdiction.get('classes'), 'classes').map((c) => asName(c, 'class')),
  };
}

/** Reads the payload of a key list; throws {@link Refused}. `root` is the id of the pinned root key. */
export async function readKeys(payload: Bytes, root: string, sha256: (bytes: Bytes) => Promise<Bytes>): Promise<KeyList> {
  const m = asObject(readJson(payload), 'payload');
  if (m.get('kind') !== 'keys' || m.get('root') !== root) throw new Refused('keys: not a key list of this root');
  const listed = asArray(m.get('keys'), 'keys');
  const revoked = asArray(m.get('revoked'), 'revoked').map((kid) => asName(kid, 'revoked'));
  if (listed.length > maxKeys) throw new Refused('keys: too many');
  const keys = new Map<string, Key>();
  for (const value of listed) {
    const key = readKey(value);
    if (keys.has(key.kid) || key.kid !== (await kidOf(key.x, sha256))) throw new Refused('keys: an id that is not its key’s');
    keys.set(key.kid, key);
  }
  return {
    universe: asOneOf(universes, m.get('universe'), 'universe'),
    serial: asCount(m.get('serial'), 'serial'),
    at: asTime(m.get('at'), 'at'),
    keys,
    revoked: new Set(revoked),
  };
}

/** Whether a key is in force at a time. */
export function inForce(key: Key, at: number): boolean {
  return key.from <= at && at < key.until;
}

/** The chain for tests of the whole path, and the only zone it has. */
const testRegion = 'test';
const testZone = 'TEST';

/**
 * Whether a frame's region and threats are within the key's jurisdiction. Any key may sign the
 * test chain: therefore it names its own zone alone, and no other chain names that.
 */
export function mayJudge(key: Key, frame: Frame): boolean {
  const isTest = frame.region === testRegion;
  if (frame.kind !== 'beat' && frame.items.some((item) => item.zones.some((zone) => (zone === testZone) !== isTest))) return false;
  if (isTest) return true;
  if (!key.regions.includes('*') && (frame.region === '*' || !key.regions.includes(frame.region))) return false;
  if (frame.kind === 'beat' || key.classes.includes('*')) return true;
  return frame.items.every((item) => key.classes.includes(item.threat));
}
