/** What a first visit costs on the wire, as the browser itself counts it, of the built program over the zone sets that ship. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { absent, launch, slow, visit } from './browser.js';
import { serve, unbuilt } from './system.js';

const why = absent ?? unbuilt;
const isMap = (path: string): boolean => /^\/assets\/(?:map|maplibre-gl-worker)-[^/]+$|^\/basemap\//.test(path);
const isScript = (path: string): boolean => /^\/assets\/map-[^/]+\.js$/.test(path);
const isRegistry = (path: string): boolean => /^\/v1\/zones\//.test(path);
/** What a third-generation network gives, in bytes a second and milliseconds. */
const third = { offline: false, downloadThroughput: 50_000, uploadThroughput: 50_000, latency: 400 };

interface Sent {
  readonly path: string;
  bytes: number;
  begun: number;
  ended: number | undefined;
}

/** Notes what the page's requests take on the wire, heads and all, and when. A stream that goes on counts as far as it came. */
async function watchWire(page: Page): Promise<{ readonly all: readonly Sent[]; emulate(): Promise<void> }> {
  const wire = await page.context().newCDPSession(page);
  const byId = new Map<string, Sent>();
  const all: Sent[] = [];
  wire.on('Network.requestWillBeSent', ({ requestId, request, timestamp }) => {
    if (!request.url.startsWith('http')) return;
    const sent: Sent = { path: new URL(request.url).pathname, bytes: 0, begun: timestamp, ended: undefined };
    byId.set(requestId, sent);
    all.push(sent);
  });
  wire.on('Network.responseReceived', ({ requestId, response }) => {
    const sent = byId.get(requestId);
    if (sent !== undefined) sent.bytes += response.encodedDataLength;
  });
  wire.on('Network.dataReceived', ({ requestId, encodedDataLength }) => {
    const sent = byId.get(requestId);
    if (sent !== undefined) sent.bytes += encodedDataLength;
  });
  wire.on('Network.loadingFinished', ({ requestId, timestamp, encodedDataLength }) => {
    const sent = byId.get(requestId);
    if (sent !== undefined) Object.assign(sent, { bytes: encodedDataLength, ended: timestamp });
  });
  await wire.send('Network.enable');
  return { all, emulate: async () => void (await wire.send('Network.emulateNetworkConditions', third)) };
}

let browser: Browser;
beforeAll(async () => {
  if (why === undefined) browser = await launch();
});
afterAll(async () => browser?.close());

describe.skipIf(why !== undefined)(`on the wire${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  test.each([['ua', 'uk-UA'], ['il', 'he-IL']] as const)('%s: under 60 kB before the map, and the names of all zones after it', { timeout: 120_000 }, async (country, locale) => {
    const system = await serve(country);
    onTestFinished(() => system.stop());
    const open = await visit(browser, system.url, { locale }, false);
    try {
      const { all } = await watchWire(open.page);
      await open.page.goto(system.url);
      const isHere = (is: (path: string) => boolean): boolean => all.some(({ path, ended }) => is(path) && ended !== undefined);
      await expect.poll(() => isHere(isRegistry) && isHere(isScript), { timeout: 3 * slow }).toBe(true);
      const map = all.find(({ path }) => isScript(path));
      const mapHere = map?.ended ?? 0;
      expect(mapHere).toBeGreaterThan(0);
      const before = all.filter((sent) => !isMap(sent.path) && sent.begun <= mapHere);
      const sum = before.reduce((n, { bytes }) => n + bytes, 0);
      const registry = all.find(({ path }) => isRegistry(path));
      console.log(`${country}: ${sum} bytes before the map in ${before.length} answers (${before.map(({ path, bytes }) => `${path} ${bytes}`).join(', ')}); map script ${map?.bytes}, all zones ${registry?.bytes}`);
      expect(before.map(({ path }) => path)).toContain('/');
      expect(before.length).toBeGreaterThanOrEqual(6);
      expect(sum).toBeLessThan(60_000);
      expect(registry?.begun).toBeGreaterThan(mapHere);
      expect(open.wrongs).toEqual([]);
    } finally {
      await open.close();
    }
  });

  test('on a slow network warned zones have their names at once, and a search does not wait for the map', { timeout: 180_000 }, async () => {
    const system = await serve('ua');
    onTestFinished(() => system.stop());
    const folder = mkdtempSync(join(tmpdir(), 'tocsin-wire-'));
    const file = join(folder, 'night.csv');
    // The first is over soon and the second goes on: at the end of what is replayed that is cancelled, and both stand in the list.
    writeFileSync(
      file,
      'oblast,raion,hromada,level,started_at,finished_at,source\nSumska oblast,,,oblast,2022-10-10 02:00:00+00:00,2022-10-10 02:30:00+00:00,official\nPoltavska oblast,,,oblast,2022-10-10 02:10:00+00:00,2022-10-10 02:40:00+00:00,official\n',
    );
    await system.replay(file, '--format', 'ua-official', '--speed', 'max');
    const open = await visit(browser, system.url, { locale: 'uk-UA' }, false);
    try {
      const { page } = open;
      const { all, emulate } = await watchWire(page);
      await emulate();
      const start = Date.now();
      await page.goto(system.url, { waitUntil: 'commit' });
      await page.locator('#plain li').first().waitFor({ timeout: 3 * slow });
      const plain = Date.now() - start;
      const rows = page.locator('.list .row');
      await rows.first().waitFor({ timeout: 3 * slow });
      const shown = Date.now() - start;
      const said = await page.locator('.list').innerText();
      expect(all.filter(({ path }) => isRegistry(path))).toEqual([]);
      expect(said).toMatch(/Сумська|Полтавська/);
      expect(said).not.toMatch(/UA\d\d/);
      const asked = Date.now();
      await page.locator('#place-search').fill('Конотоп');
      await page.locator('#place-found li').first().waitFor({ timeout: 100_000 });
      console.log(`at 50 kB/s and 400 ms: list without script ${plain} ms, verified list with names ${shown} ms; a place looked for at ${asked - start} ms is found ${Date.now() - asked} ms later`);
      // Who looks for a place does not wait for the map.
      const map = all.find(({ path }) => isScript(path));
      expect(all.find(({ path }) => isRegistry(path))?.begun).toBeLessThan(map?.ended ?? Infinity);
    } finally {
      await open.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
