/** The reader's own places. They are kept on the device and never leave it. */
import type { Names, Registry } from './zones';

const kept = 'tocsin.places';

/** The most places one device watches for. */
export const mostPlaces = 8;

export interface Place {
  readonly id: string;
  /** The ids of the zones it lies in: where one of them is warned, so is it. */
  readonly within: readonly string[];
  readonly names: Names;
  readonly shelter: number | undefined;
  /** Metres outside the zone when it was located; 0 where chosen or inside. */
  readonly metres: number;
}

/** All of a zone that is needed to warn before the registry is there. */
export function placeOf(registry: Registry, id: string, metres: number): Place | undefined {
  const [zone, ...parents] = registry.lineage(id);
  if (zone === undefined) return undefined;
  return { id, within: parents.map((one) => one.id), names: zone.names, shelter: zone.shelter, metres };
}

/** The storage of the device, or nothing where the reader forbids it. */
function storage(): Storage | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}

export function recall(name: string): string | null {
  return storage()?.getItem(name) ?? null;
}

/** Keeps a text, or forgets it. A full storage is no reason to fail. */
export function keep(name: string, text: string | undefined): void {
  try {
    if (text === undefined) storage()?.removeItem(name);
    else storage()?.setItem(name, text);
  } catch {
    return;
  }
}

export function keepPlaces(places: readonly Place[]): void {
  keep(kept, places.length === 0 ? undefined : JSON.stringify(places));
}

function readPlace(value: unknown): Place | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const m: Partial<Record<string, unknown>> = { ...value };
  const { id, within, names, shelter, metres } = m;
  if (typeof id !== 'string') return undefined;
  return {
    id,
    within: Array.isArray(within) ? within.filter((one): one is string => typeof one === 'string') : [],
    names: typeof names === 'object' && names !== null ? { ...(names as Names) } : {},
    shelter: typeof shelter === 'number' ? shelter : undefined,
    metres: typeof metres === 'number' ? metres : 0,
  };
}

/** The places that were kept; what cannot be read is left out. */
export function recallPlaces(): readonly Place[] {
  let value: unknown;
  try {
    value = JSON.parse(recall(kept) ?? '');
  } catch {
    return [];
  }
  if (!Array.isArray(value)) return [];
  const places = value.map(readPlace).filter((place) => place !== undefined);
  return places.filter(({ id }, i) => places.findIndex((one) => one.id === id) === i).slice(0, mostPlaces);
}
