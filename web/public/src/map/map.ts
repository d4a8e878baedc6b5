/** The map itself. It is loaded after everything else, and everything else works without it. */
import { AttributionControl, Map as MapLibre, NavigationControl, setWorkerUrl } from 'maplibre-gl';
import type { GeoJSONSource, LngLatBoundsLike } from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import 'maplibre-gl/dist/maplibre-gl.css';
import type { Feature, FeatureCollection } from 'geojson';
import type { ZoneState } from '@tocsin/client';
import type { Bounds } from '../core/config';
import { conditions } from '../core/grouping';
import type { Box } from '../core/shape';
import { nameOf } from '../core/zones';
import type { Registry } from '../core/zones';
import { pattern } from './patterns';
import { readPalette, style } from './style';

setWorkerUrl(workerUrl);

/** Room around what is shown, in pixels. */
const room = 24;

export interface Words {
  readonly language: string;
  readonly title: string;
  readonly zoomIn: string;
  readonly zoomOut: string;
}

export interface Options {
  readonly basemap: string;
  readonly bounds: Bounds | undefined;
  readonly words: Words;
  /** A zone was tapped; undefined for the ground beside all zones. */
  readonly onTap: (zone: string | undefined) => void;
  /** All of it is drawn for the first time. */
  readonly onDrawn: () => void;
}

export class ZoneMap {
  readonly #map: MapLibre;
  readonly #dark = matchMedia('(prefers-color-scheme: dark)');
  #registry: Registry | undefined;
  #language: string;
  #states: ReadonlyMap<string, ZoneState> = new Map();
  #chosen: readonly string[] = [];
  /** The source that has the names already. */
  #named: GeoJSONSource | undefined;
  #still = matchMedia('(prefers-reduced-motion: reduce)').matches;

  /** Throws where the device cannot draw it. */
  constructor(
    readonly container: HTMLElement,
    readonly options: Options,
  ) {
    this.#language = options.words.language;
    this.#map = new MapLibre({
      container,
      style: this.#style(),
      ...(options.bounds === undefined ? {} : { bounds: corners(options.bounds), fitBoundsOptions: { padding: room } }),
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      rollEnabled: false,
      renderWorldCopies: false,
      maxZoom: 14,
      fadeDuration: 0,
      locale: {
        'Map.Title': options.words.title,
        'NavigationControl.ZoomIn': options.words.zoomIn,
        'NavigationControl.ZoomOut': options.words.zoomOut,
      },
    });
    this.#map.touchZoomRotate.disableRotation();
    this.#map.addControl(new NavigationControl({ showCompass: false }), 'top-right');
    this.#map.addControl(new AttributionControl({ compact: false, customAttribution: 'Natural Earth · GeoNames' }));
    void this.#map.once('idle', () => options.onDrawn());
    this.#map.on('style.load', () => {
      this.#hatch();
      this.#fill();
    });
    this.#map.on('click', ({ point }) => {
      const id: unknown = this.#map.queryRenderedFeatures(point, { layers: ['zones'] })[0]?.properties['id'];
      options.onTap(typeof id === 'string' ? id : undefined);
    });
    // A basemap file that is not there leaves its layer empty; the warned zones do not depend on it.
    this.#map.on('error', () => undefined);
    this.#dark.addEventListener('change', this.#restyle);
  }

  /** Shows these states, with the registry that has their shapes. */
  show(states: ReadonlyMap<string, ZoneState>, registry: Registry | undefined, chosen: readonly string[], language: string): void {
    const restyled = registry !== this.#registry || language !== this.#language;
    this.#states = states;
    this.#registry = registry;
    this.#language = language;
    this.#chosen = chosen;
    if (restyled) this.#restyle();
    else this.#fill();
  }

  /** Moves to a zone, or back to the whole country. */
  look(box: Box | undefined): void {
    const bounds: LngLatBoundsLike | undefined = box === undefined ? this.options.bounds && corners(this.options.bounds) : [box[0], box[1], box[2], box[3]];
    if (bounds !== undefined) this.#map.fitBounds(bounds, { padding: box === undefined ? room : 4 * room, maxZoom: 10, animate: !this.#still });
  }

  close(): void {
    this.#dark.removeEventListener('change', this.#restyle);
    this.#map.remove();
  }

  /** Puts the zones' names where the registry says; once for each style. */
  #name(): void {
    const source = this.#map.getSource<GeoJSONSource>('names');
    if (source === undefined || source === this.#named || this.#registry === undefined) return;
    this.#named = source;
    const features = this.#registry.leaves.map(
      ({ id, names, label }): Feature => ({
        type: 'Feature',
        properties: { name: nameOf(names, id, this.#language) },
        geometry: { type: 'Point', coordinates: [...label] },
      }),
    );
    source.setData({ type: 'FeatureCollection', features });
  }

  /** Gives a new style its hatchings before it has anything to hatch. */
  #hatch(): void {
    for (const condition of conditions) {
      const name = `pattern-${condition}`;
      const picture = pattern(name, this.#dark.matches);
      if (picture !== undefined && !this.#map.hasImage(name)) this.#map.addImage(name, picture, { pixelRatio: 2 });
    }
  }

  readonly #restyle = (): void => {
    this.#map.setStyle(this.#style(), { diff: false });
  };

  #style(): ReturnType<typeof style> {
    return style(readPalette(document.documentElement), this.options.basemap, this.#registry?.version, this.#language);
  }

  /** Puts the states into the style, if there is one yet; otherwise it happens when it is loaded. */
  #fill(): void {
    const source = this.#map.getSource<GeoJSONSource>('warned');
    if (source === undefined) return;
    const features: Feature[] = [];
    for (const { zone, condition } of this.#states.values()) {
      const shape = this.#registry?.zones.get(zone)?.shape;
      if (shape !== undefined) features.push({ type: 'Feature', properties: { id: zone, condition }, geometry: shape });
    }
    const warned: FeatureCollection = { type: 'FeatureCollection', features };
    source.setData(warned);
    this.#name();
    this.#map.setFilter('chosen', ['in', ['get', 'id'], ['literal', [...this.#chosen]]]);
  }
}

function corners([[west, south], [east, north]]: Bounds): [number, number, number, number] {
  return [west, south, east, north];
}
