/** The map's look: our own basemap, the outlines of all zones, and what is warned on top. */
import { sameLetters } from '../core/zones';
import type { ExpressionSpecification, LayerSpecification, SourceSpecification, StyleSpecification } from 'maplibre-gl';

/** Colours as the page's own stylesheet has them, so that map and list never differ. */
export interface Palette {
  readonly water: string;
  readonly land: string;
  readonly border: string;
  readonly ink: string;
  readonly paper: string;
  readonly accent: string;
  readonly shelter: string;
  readonly prepare: string;
  readonly 'no-news': string;
  readonly 'all-clear': string;
  readonly cancelled: string;
}

const names = ['water', 'land', 'border', 'ink', 'paper', 'accent', 'shelter', 'prepare', 'no-news', 'all-clear', 'cancelled'] as const satisfies readonly (keyof Palette)[];

/** Reads the colours in force: light or dark, live or exercise. */
export function readPalette(of: Element): Palette {
  const style = getComputedStyle(of);
  const read = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return Object.fromEntries(names.map((name) => [name, read(name)])) as Record<keyof Palette, string>;
}

const byCondition = (palette: Palette): ExpressionSpecification => [
  'match',
  ['get', 'condition'],
  'shelter',
  palette.shelter,
  'prepare',
  palette.prepare,
  'no-news',
  palette['no-news'],
  'cancelled',
  palette.cancelled,
  palette['all-clear'],
];

/** The name of a feature in a language, however its file writes it. */
function nameIn(language: string): ExpressionSpecification {
  const kin = sameLetters[language] ?? language;
  return ['coalesce', ['get', `name_${language}`], ['get', language, ['coalesce', ['get', 'names'], ['literal', {}]]], ['get', `name_${kin}`], ['get', 'name_en'], ['get', 'name'], ''];
}

const empty: SourceSpecification = { type: 'geojson', data: { type: 'FeatureCollection', features: [] } };

function basemap(folder: string, palette: Palette, language: string): { sources: Record<string, SourceSpecification>; layers: LayerSpecification[]; labels: LayerSpecification[] } {
  if (folder === '') return { sources: {}, layers: [], labels: [] };
  const file = (name: string): SourceSpecification => ({ type: 'geojson', data: `/basemap/${folder}/${name}.geojson` });
  return {
    sources: { land: file('land'), lakes: file('lakes'), borders: file('borders'), places: file('places') },
    layers: [
      { id: 'land', type: 'fill', source: 'land', paint: { 'fill-color': palette.land } },
      { id: 'lakes', type: 'fill', source: 'lakes', paint: { 'fill-color': palette.water } },
      { id: 'borders', type: 'line', source: 'borders', paint: { 'line-color': palette.border, 'line-width': 1.25 } },
    ],
    labels: [
      {
        id: 'places',
        type: 'symbol',
        source: 'places',
        layout: {
          'text-field': nameIn(language),
          'text-size': ['interpolate', ['linear'], ['zoom'], 4, 11, 9, 14],
          'text-padding': 8,
          'symbol-sort-key': ['-', 0, ['coalesce', ['get', 'population'], ['get', 'pop'], 0]],
        },
        paint: { 'text-color': palette.ink, 'text-halo-color': palette.land, 'text-halo-width': 1.4, 'text-opacity': 0.85 },
      },
    ],
  };
}

const leaf: ExpressionSpecification = ['==', ['get', 'leaf'], true];

/** The style for a registry; without one, the land alone. */
export function style(palette: Palette, folder: string, version: string | undefined, language: string): StyleSpecification {
  const base = basemap(folder, palette, language);
  const zones: SourceSpecification = version === undefined ? empty : { type: 'geojson', data: `/v1/zones/${encodeURIComponent(version)}`, tolerance: 0.6 };
  return {
    version: 8,
    sources: { ...base.sources, zones, warned: empty, names: empty },
    layers: [
      { id: 'water', type: 'background', paint: { 'background-color': folder === '' ? palette.land : palette.water } },
      ...base.layers,
      { id: 'zones', type: 'fill', source: 'zones', filter: leaf, paint: { 'fill-color': palette.land, 'fill-opacity': 0.01 } },
      {
        id: 'zone-lines',
        type: 'line',
        source: 'zones',
        filter: leaf,
        paint: { 'line-color': palette.border, 'line-width': ['interpolate', ['linear'], ['zoom'], 4, 0.15, 7, 0.4, 10, 1], 'line-opacity': 0.7 },
      },
      {
        id: 'region-lines',
        type: 'line',
        source: 'zones',
        filter: ['all', ['!', leaf], ['==', ['get', 'level'], 1]],
        paint: { 'line-color': palette.border, 'line-width': ['interpolate', ['linear'], ['zoom'], 4, 0.8, 10, 2] },
      },
      { id: 'warned', type: 'fill', source: 'warned', paint: { 'fill-color': byCondition(palette), 'fill-opacity': ['match', ['get', 'condition'], ['shelter', 'prepare'], 0.82, 0.38] } },
      { id: 'warned-pattern', type: 'fill', source: 'warned', paint: { 'fill-pattern': ['concat', 'pattern-', ['get', 'condition']] } },
      {
        id: 'warned-lines',
        type: 'line',
        source: 'warned',
        paint: { 'line-color': byCondition(palette), 'line-width': ['interpolate', ['linear'], ['zoom'], 4, 0.8, 9, 2.2] },
      },
      { id: 'chosen', type: 'line', source: 'zones', filter: ['==', ['get', 'id'], ''], paint: { 'line-color': palette.ink, 'line-width': 3.5 } },
      ...base.labels,
      {
        id: 'names',
        type: 'symbol',
        source: 'names',
        minzoom: 8.5,
        layout: { 'text-field': ['get', 'name'], 'text-size': 12, 'text-padding': 6 },
        paint: { 'text-color': palette.ink, 'text-halo-color': palette.land, 'text-halo-width': 1.4 },
      },
    ],
  };
}
