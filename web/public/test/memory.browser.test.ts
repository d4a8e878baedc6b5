/**
 * A page left open: what it holds after many warnings is what it held after a few. TOCSIN_MONTH=1 does it with a recorded
 * month as well, replayed into a running system as fast as that takes it, and with a month's beats (`make month`).
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { item } from '../../testing/signer.js';
import { Service } from '../../testing/service.js';
import { absent, arm, choose, launch, look, slow, visit } from './browser.js';
import type { Visit } from './browser.js';
import { Scales } from './memory.js';
import type { Held } from './memory.js';
import { ukrainian } from './nights.js';
import { serve, unbuilt } from './system.js';
import type { System } from './system.js';

/** Rounds that are not looked at: caches fill, code is loaded. */
const warmUp = 2;
const rounds = 5;
/** Changes in a round. */
const changes = 150;
/** What one change may leave behind, in bytes: less than the least object that tells of it. */
const bytesAChange = 150;

const month = { from: '2022-10-01T00:00:00Z', until: '2022-11-01T00:00:00Z' };
/** One beat every 10 s. */
const beatsAMonth = 31 * 8640;
const missing = process.env['TOCSIN_MONTH'] === undefined ? 'TOCSIN_MONTH is not set' : (absent ?? unbuilt ?? (ukrainian === undefined ? 'the recorded history is absent' : undefined));

let browser: Browser;
afterAll(async () => browser?.close());

/** A page on a telephone with its map, some places of its reader, and its sound. */
async function begin(url: string, places: readonly string[]): Promise<Visit> {
  const open = await visit(browser, url, { viewport: { width: 390, height: 640 } });
  await open.page.locator('.light[data-light="quiet"], .light[data-light="blind"]').waitFor({ timeout: slow });
  for (const name of places) await choose(open.page, name);
  await arm(open.page);
  await open.page.locator('.frame[aria-busy=false] canvas.maplibregl-canvas').waitFor({ timeout: 3 * slow });
  return open;
}

describe.skipIf(absent !== undefined)(`a page left open${absent === undefined ? '' : ` (skipped: ${absent})`}`, () => {
  beforeAll(async () => {
    // Machine code counts as held, and is made for minutes: here the engine only interprets.
    if (absent === undefined) browser = await launch('--js-flags=--no-opt --no-maglev --no-sparkplug');
  });
  afterAll(async () => browser?.close());

  test('holds no more after a thousand warnings than after a few', { timeout: 180_000 }, async () => {
    const service = await new Service().start();
    const open = await begin(service.url, ['Sumy', 'Konotop', 'Poltava']);
    const scales = await Scales.of(browser, open.page);
    const held: Held[] = [];
    for (let i = 0; i < rounds; i++) {
      await round(service, open.page);
      held.push(await scales.weigh());
    }
    console.log(`held after each ${changes} changes: ${held.map(inWords).join('; ')}`);
    const [first, last] = [held[warmUp - 1], held.at(-1)];
    if (first === undefined || last === undefined) throw new Error('nothing was weighed');
    expect((last.heap - first.heap) / ((rounds - warmUp) * changes), 'bytes a change').toBeLessThan(bytesAChange);
    expect(last.nodes - first.nodes, 'nodes').toBeLessThan(50);
    expect(last.listeners - first.listeners, 'listeners').toBeLessThan(10);
    expect(open.wrongs).toEqual([]);
    await open.close();
    await service.kill();
  });
});

function inWords({ heap, map, nodes, listeners }: Held): string {
  return `${(heap / 1e6).toFixed(2)} MB, the map's workers ${(map / 1e6).toFixed(2)} MB, ${nodes} nodes, ${listeners} listeners`;
}

/** Warnings and their ends, of the reader's places and of others, with what a reader does beside them. */
async function round(service: Service, page: Page): Promise<void> {
  for (let i = 0; i < changes / 2; i++) {
    const zone = `T${i % 6}`;
    service.say(item([zone], { at: Date.now(), stage: i % 3 === 0 ? 'prepare' : 'shelter' }));
    service.say(item([zone], { at: Date.now(), stage: 'quiet', end: i % 4 === 0 ? 'cancelled' : 'all-clear' }));
    if (i % 10 === 0) service.beat();
  }
  for (const code of ['ar', 'en']) {
    await page.locator('select').selectOption(code);
    await page.locator(`html[lang=${code}]`).waitFor({ state: 'attached' });
  }
  // Lines are judged in their order: once these are seen all before them were.
  service.say(item(['T0', 'T1', 'T2'], { at: Date.now() }));
  await look(page, 'shelter', 3 * slow);
  service.say(item(['T0', 'T1', 'T2'], { at: Date.now(), stage: 'quiet', end: 'all-clear' }));
  await look(page, 'all-clear', 3 * slow);
  await page.getByRole('button', { name: 'Start the test' }).click();
  await expect.poll(() => service.readers, { timeout: slow }).toBe(2);
  await page.getByRole('button', { name: 'Stop the test' }).click();
  await expect.poll(() => service.readers, { timeout: slow }).toBe(1);
}

describe.skipIf(missing !== undefined)(`a page left open for a month${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  beforeAll(async () => {
    browser = await launch();
  });

  test('a recorded month of warnings', { timeout: 3_600_000 }, async () => {
    const system = await serve();
    try {
      const open = await begin(`${system.url}?lang=en`, ['Kyiv', 'Kharkiv', 'Mykolaiv', 'Zaporizhia']);
      await through(system, open);
      expect(open.wrongs).toEqual([]);
      await open.close();
    } finally {
      await system.stop();
    }
  });

  test('a month of beats', { timeout: 3_600_000 }, async () => {
    const service = await new Service().start();
    const open = await begin(service.url, ['Sumy']);
    const scales = await Scales.of(browser, open.page);
    const held: Held[] = [];
    const parts = 10;
    for (let part = 0; part < parts; part++) {
      for (let sent = 0; sent < beatsAMonth / parts; sent += 1000) {
        for (let i = 0; i < 1000; i++) service.beat();
        service.say(item(['T0'], { at: Date.now(), stage: 'prepare' }));
        await look(open.page, 'prepare', 3 * slow);
        service.say(item(['T0'], { at: Date.now(), stage: 'quiet', end: 'all-clear' }));
        await look(open.page, 'all-clear', 3 * slow);
      }
      const now = await scales.weigh();
      held.push(now);
      console.log(`${(((part + 1) * beatsAMonth) / parts).toFixed(0)} beats: ${inWords(now)}; resident ${((await scales.resident('renderer')) / 1e6).toFixed(0)} MB`);
    }
    flat(held);
    await open.close();
    await service.kill();
  });
});

/** Weighs a page every half minute while the month goes by. */
async function through(system: System, open: Visit): Promise<void> {
  const scales = await Scales.of(browser, open.page);
  const held: Held[] = [];
  const weigh = async (when: string): Promise<void> => {
    const now = await scales.weigh();
    held.push(now);
    console.log(`${when}: ${inWords(now)}; resident ${((await scales.resident('renderer')) / 1e6).toFixed(0)} MB, ${((await scales.resident('GPU')) / 1e6).toFixed(0)} MB for drawing`);
  };
  await weigh('at first');
  let over = false;
  const replayed = system.replay(ukrainian ?? '', '--format', 'ua-official', '--from', month.from, '--until', month.until, '--speed', 'max').finally(() => (over = true));
  replayed.catch(() => undefined); // told below
  for (let minutes = 0.5; !over; minutes += 0.5) {
    await Promise.race([replayed.catch(() => undefined), new Promise((resolve) => setTimeout(resolve, 30_000))]);
    await weigh(over ? 'at the end' : `after ${minutes} min`);
  }
  const report = await replayed;
  console.log(`${report.alarms} alarms, ${report.given.commands} commands, ${report.figures.changes} changes of zones in ${(report.took_ms / 1000).toFixed(0)} s`);
  expect(report.given.refused).toEqual({});
  flat(held);
}

/**
 * The least that is held in the last third is what it was in the third before: what is shown goes up and down with what is
 * warned, and what is never let go shows in the least. A tenth is the engine's own work.
 */
function flat(held: readonly Held[]): void {
  const third = Math.floor(held.length / 3);
  expect(third, 'weighed often enough').toBeGreaterThan(0);
  const least = (some: readonly Held[], of: keyof Held): number => Math.min(...some.map((one) => one[of]));
  const [before, last] = [held.slice(-2 * third, -third), held.slice(-third)];
  for (const of of ['heap', 'map', 'nodes', 'listeners'] as const) expect(least(last, of), of).toBeLessThan(1.1 * least(before, of));
}
