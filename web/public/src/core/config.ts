/** What the gateway wrote into the page. */
import type { Universe } from '@tocsin/client';

export type Bounds = readonly [readonly [number, number], readonly [number, number]];

export interface Config {
  readonly universe: Universe;
  /** The pinned root key. */
  readonly root: string;
  /** Languages of the zones' names, in the deployment's order. */
  readonly languages: readonly string[];
  /** Folder of the basemap below /basemap; empty for none. */
  readonly basemap: string;
  /** South-west and north-east corner, [lon, lat]. */
  readonly bounds: Bounds | undefined;
  /** The deployment's own name. */
  readonly name: string;
}

function isPoint(value: unknown): value is [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every((n) => typeof n === 'number' && Number.isFinite(n));
}

/** Reads the configuration; undefined where the page was served without one. */
export function readConfig(text: string): Config | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const m: Partial<Record<string, unknown>> = { ...value };
  if ((m['universe'] !== 'live' && m['universe'] !== 'exercise') || typeof m['root'] !== 'string') return undefined;
  const corners = Array.isArray(m['bounds']) ? m['bounds'] : [];
  const [southWest, northEast] = corners as unknown[];
  return {
    universe: m['universe'],
    root: m['root'],
    languages: Array.isArray(m['languages']) ? m['languages'].filter((one): one is string => typeof one === 'string') : [],
    basemap: typeof m['basemap'] === 'string' && /^[a-z0-9-]{1,32}$/.test(m['basemap']) ? m['basemap'] : '',
    bounds: isPoint(southWest) && isPoint(northEast) ? [southWest, northEast] : undefined,
    name: typeof m['name'] === 'string' ? m['name'] : '',
  };
}
