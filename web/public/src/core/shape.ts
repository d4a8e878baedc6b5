/** Points and zones on the ground, exactly enough to say which zone a person stands in. */
import type { MultiPolygon, Polygon, Position } from 'geojson';

export type Shape = Polygon | MultiPolygon;
/** West, south, east, north. */
export type Box = readonly [number, number, number, number];

function polygonsOf(shape: Shape): Position[][][] {
  return shape.type === 'Polygon' ? [shape.coordinates] : shape.coordinates;
}

/** The rings of a shape. */
export function* ringsOf(shape: Shape): Generator<Position[]> {
  for (const polygon of polygonsOf(shape)) yield* polygon;
}

export function boxOf(shape: Shape): Box {
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const ring of ringsOf(shape))
    for (const [lon = NaN, lat = NaN] of ring) {
      if (lon < west) west = lon;
      if (lon > east) east = lon;
      if (lat < south) south = lat;
      if (lat > north) north = lat;
    }
  return [west, south, east, north];
}

function inRing(ring: readonly Position[], lon: number, lat: number): boolean {
  let inside = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [x1 = NaN, y1 = NaN] = ring[i] ?? [];
    const [x2 = NaN, y2 = NaN] = ring[j] ?? [];
    if (y1 > lat !== y2 > lat && lon < ((x2 - x1) * (lat - y1)) / (y2 - y1) + x1) inside = !inside;
  }
  return inside;
}

/** Whether a point is inside a shape and outside its holes. */
export function contains(shape: Shape, lon: number, lat: number): boolean {
  return polygonsOf(shape).some(([outer, ...holes]) => outer !== undefined && inRing(outer, lon, lat) && !holes.some((hole) => inRing(hole, lon, lat)));
}

const metresPerDegree = 111_195;

/** Metres from a point to the border of a shape, on a plane that is true near the point. */
export function distance(shape: Shape, lon: number, lat: number): number {
  const east = Math.cos((lat * Math.PI) / 180) * metresPerDegree;
  let least = Infinity;
  for (const ring of ringsOf(shape)) {
    for (let i = 1; i < ring.length; i++) {
      const [lon1 = NaN, lat1 = NaN] = ring[i - 1] ?? [];
      const [lon2 = NaN, lat2 = NaN] = ring[i] ?? [];
      const [x1, y1] = [(lon1 - lon) * east, (lat1 - lat) * metresPerDegree];
      const [dx, dy] = [(lon2 - lon1) * east, (lat2 - lat1) * metresPerDegree];
      const length = dx * dx + dy * dy;
      const along = length === 0 ? 0 : Math.min(1, Math.max(0, -(x1 * dx + y1 * dy) / length));
      least = Math.min(least, Math.hypot(x1 + along * dx, y1 + along * dy));
    }
  }
  return least;
}
