/** The reader's own place. It is kept on the device and never leaves it. */
import type { Names, Registry } from './zones';

const kept = 'tocsin.place';

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

export function keepPlace(place: Place | undefined): void {
  keep(kept, place === undefined ? undefined : JSON.stringify(place));
}

export function recallPlace(): Place | undefined {
  let value: unknown;
  try {
    value = JSON.parse(recall(kept) ?? '');
  } catch {
    return undefined;
  }
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
