/** The registry of zones: their names, shapes and shelter times. Nothing that warns waits for it. */
import type { Feature, FeatureCollection } from 'geojson';
import { fits, loose, plain, spellings } from './naming';
import { boxOf, contains, distance } from './shape';
import type { Box, Shape } from './shape';

export type Names = Readonly<Record<string, string>>;

/** What the list needs of a zone. */
export interface Named {
  readonly names: Names;
  /** `*` for the whole country. */
  readonly region: string;
}

export interface Zone extends Named {
  readonly id: string;
  readonly level: number;
  /** Empty for none. */
  readonly parent: string;
  readonly leaf: boolean;
  /** [lon, lat], where its name stands. */
  readonly label: readonly [number, number];
  /** Seconds; 0 is real: there is no time. Undefined where it is not known. */
  readonly shelter: number | undefined;
  readonly shape: Shape;
  readonly box: Box;
}

/** A place found, and how far outside it the point was, in metres. */
export interface Found {
  readonly zone: Zone;
  readonly metres: number;
}

/** A point in no zone belongs to the nearest one within this many metres. */
const reach = 5_000;
/** The most parents followed; a registry has no more levels than this. */
const maxLevels = 8;

/** Who reads one of these reads the letters of the other. */
export const sameLetters: Readonly<Record<string, string>> = { ru: 'uk', uk: 'ru' };

/** The name in a language, or in one of the same letters, or in English, or in the first there is; the id where there is none. */
export function nameOf(names: Names | undefined, id: string, language: string): string {
  return names?.[language] ?? names?.[sameLetters[language] ?? ''] ?? names?.['en'] ?? Object.values(names ?? {})[0] ?? id;
}

export class Registry {
  readonly zones: ReadonlyMap<string, Zone>;
  readonly leaves: readonly Zone[];
  /** Made for the first search: thousands of names are not worked through while a page opens. */
  #index: readonly { readonly zone: Zone; readonly names: readonly (readonly [string, string])[] }[] | undefined;

  constructor(
    readonly version: string,
    features: readonly Feature[],
  ) {
    const zones = new Map<string, Zone>();
    // One place may stand at several levels under one id: the finest is the one that is warned.
    for (const feature of features) {
      const zone = readZone(feature);
      if (zone !== undefined) zones.set(zone.id, zone);
    }
    this.zones = zones;
    this.leaves = [...zones.values()].filter((zone) => zone.leaf);
  }

  /** The zone and those it lies in, finest first. */
  lineage(id: string): Zone[] {
    const line: Zone[] = [];
    for (let zone = this.zones.get(id); zone !== undefined && line.length < maxLevels && !line.includes(zone); zone = this.zones.get(zone.parent)) line.push(zone);
    return line;
  }

  /** The zone a point is in, or the nearest within 5 km. */
  at(lon: number, lat: number): Found | undefined {
    const inside = this.leaves.find(({ box, shape }) => within(box, lon, lat, 0) && contains(shape, lon, lat));
    if (inside !== undefined) return { zone: inside, metres: 0 };
    let nearest: Found | undefined;
    for (const zone of this.leaves) {
      if (!within(zone.box, lon, lat, reach)) continue;
      const metres = distance(zone.shape, lon, lat);
      if (metres <= (nearest?.metres ?? reach)) nearest = { zone, metres };
    }
    return nearest;
  }

  /** Places whose name, in any language and in spellings near to it, begins with or contains what was typed; at most `most`. */
  search(typed: string, most: number): Zone[] {
    const wanted = plain(typed);
    const near = loose(wanted);
    if (wanted === '') return [];
    const rated: { zone: Zone; rank: number; length: number }[] = [];
    this.#index ??= this.leaves.map((zone) => ({ zone, names: namesOf(zone) }));
    for (const { zone, names } of this.#index) {
      let best: { rank: number; length: number } | undefined;
      for (const [name, other] of names) {
        const rank = fits(name, other, wanted, near);
        if (rank !== undefined && rank < (best?.rank ?? Infinity)) best = { rank, length: name.length };
      }
      if (best !== undefined) rated.push({ zone, ...best });
    }
    rated.sort((a, b) => a.rank - b.rank || a.length - b.length);
    return rated.slice(0, most).map(({ zone }) => zone);
  }
}

/** All names of a zone as they are compared, strictly and loosely. */
function namesOf(zone: Zone): [string, string][] {
  const all = new Set(Object.values(zone.names).flatMap(spellings));
  return [...all].map((name) => [name, loose(name)]);
}

function within(box: Box, lon: number, lat: number, metres: number): boolean {
  const north = metres / 111_195;
  const east = north / Math.max(0.01, Math.cos((lat * Math.PI) / 180));
  return lon >= box[0] - east && lon <= box[2] + east && lat >= box[1] - north && lat <= box[3] + north;
}

function readNames(value: unknown): Names {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1] !== ''));
}

function readZone(feature: Feature): Zone | undefined {
  const { properties: p, geometry: shape } = feature;
  if (p === null || (shape?.type !== 'Polygon' && shape?.type !== 'MultiPolygon')) return undefined;
  const m: Partial<Record<string, unknown>> = p;
  const id = m['id'];
  if (typeof id !== 'string' || id === '') return undefined;
  const box = boxOf(shape);
  const label = m['label'];
  const [lon, lat] = Array.isArray(label) ? (label as unknown[]) : [];
  const shelter = m['shelter_s'];
  return {
    id,
    level: typeof m['level'] === 'number' ? m['level'] : 1,
    parent: typeof m['parent'] === 'string' ? m['parent'] : '',
    region: typeof m['region'] === 'string' ? m['region'] : '*',
    names: readNames(m['names']),
    leaf: m['leaf'] !== false,
    label: typeof lon === 'number' && typeof lat === 'number' ? [lon, lat] : [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2],
    shelter: typeof shelter === 'number' && shelter >= 0 ? shelter : undefined,
    shape,
    box,
  };
}

async function fetchJson(url: string): Promise<unknown> {
  const answer = await fetch(url, { credentials: 'omit' });
  if (!answer.ok) throw new Error(`zones: ${url}: answered ${answer.status}`);
  return answer.json();
}

function isCollection(value: unknown): value is FeatureCollection {
  return typeof value === 'object' && value !== null && 'features' in value && Array.isArray(value.features);
}

/** Where the device keeps the newest registry. A version never changes, so a copy is as good as the service's own. */
const kept = 'tocsin-zones';

/** The copy that is kept; undefined where there is none, or where the browser keeps nothing. */
async function recall(url: string): Promise<unknown> {
  try {
    return await (await caches.match(url, { cacheName: kept, ignoreVary: true }))?.json();
  } catch {
    return undefined;
  }
}

/** Fetches a version and keeps it, in place of those before. */
async function fetchKept(url: string): Promise<unknown> {
  const answer = await fetch(url, { credentials: 'omit' });
  if (!answer.ok) throw new Error(`zones: ${url}: answered ${answer.status}`);
  const copy = answer.clone();
  const value: unknown = await answer.json();
  try {
    await caches.delete(kept);
    await (await caches.open(kept)).put(url, copy);
  } catch {
    // It is fetched again the next time.
  }
  return value;
}

const urlOf = (version: string): string => `/v1/zones/${encodeURIComponent(version)}`;

async function fetchVersion(version: string): Promise<Registry> {
  const value = (await recall(urlOf(version))) ?? (await fetchKept(urlOf(version)));
  if (!isCollection(value)) throw new Error(`zones: ${version}: not a feature collection`);
  return new Registry(version, value.features);
}

/** The registry of a version as the device kept it; undefined where it did not. */
export async function keptRegistry(version: string): Promise<Registry | undefined> {
  const value = await recall(urlOf(version));
  return isCollection(value) ? new Registry(version, value.features) : undefined;
}

/** Loads the registry the board's ids are of; where the service no longer has it, the newest. */
export async function loadRegistry(set: string): Promise<Registry> {
  try {
    return await fetchVersion(set);
  } catch {
    const value = await fetchJson('/v1/zones');
    const version = typeof value === 'object' && value !== null && 'version' in value ? value.version : undefined;
    if (typeof version !== 'string') throw new Error('zones: no version');
    return fetchVersion(version);
  }
}
