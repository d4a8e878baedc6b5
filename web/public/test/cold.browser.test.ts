/** A page that is opened while its reader's place is in shelter already: how long until it is seen, heard, and red on the map. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser } from 'playwright-core';
import { item } from '../../testing/signer.js';
import { Service } from '../../testing/service.js';
import { absent, launch, look, mapRed, slow, visit } from './browser.js';

const minute = 60_000;
const openings = 3;

let browser: Browser;
beforeAll(async () => {
  // As for an installed page, or one that its reader has let sound before: no tap is needed.
  if (absent === undefined) browser = await launch('--autoplay-policy=no-user-gesture-required');
});
afterAll(async () => browser?.close());

describe.skipIf(absent !== undefined)(`opening the page in a warning${absent === undefined ? '' : ` (skipped: ${absent})`}`, () => {
  test('with nothing kept but the place: said and sounded at once, the map after', { timeout: 180_000 }, async () => {
    const service = new Service();
    service.held = [item(['T1'], { at: Date.now() - 10 * minute })];
    await service.start();
    const shown: number[] = [];
    const sounded: number[] = [];
    const picture: number[] = [];
    let red = NaN;
    for (let i = 0; i < openings; i++) {
      const alone = await visit(browser, service.url, {}, false);
      const before = Date.now();
      await alone.page.goto(`${service.url}favicon.svg`);
      picture.push(Date.now() - before);
      await alone.close();
      const open = await visit(browser, service.url, {}, false);
      const { page } = open;
      await page.addInitScript(() => localStorage.setItem('tocsin.places', JSON.stringify([{ id: 'T1', within: ['R'], names: { en: 'Konotop' }, shelter: 30, metres: 0 }])));
      await page.goto(service.url);
      await look(page, 'shelter');
      await expect.poll(() => page.evaluate(() => window.firsts['sawtooth']), { timeout: slow }).toBeDefined();
      const opened = await page.evaluate(() => performance.timeOrigin);
      const firsts = await page.evaluate(() => window.firsts);
      shown.push((firsts['shelter'] ?? NaN) - opened);
      sounded.push((firsts['sawtooth'] ?? NaN) - opened);
      if (i === openings - 1) {
        await page.locator('.canvas canvas.maplibregl-canvas').waitFor({ timeout: 3 * slow });
        await expect.poll(() => mapRed(page), { timeout: 3 * slow, interval: 50 }).toBe(true);
        red = (await page.evaluate(() => Date.now())) - opened;
      }
      expect(open.wrongs).toEqual([]);
      await open.close();
    }
    await service.kill();
    const words = (all: readonly number[]): string => all.map((ms) => ms.toFixed(0)).join(', ');
    console.log(`from opening to shown ${words(shown)} ms, sounded ${words(sounded)} ms, red on the map, once, ${red.toFixed(0)} ms; a picture alone ${words(picture)} ms`);
    // The quickest counts; on a machine so busy that one small picture takes long, what it takes is the measure.
    const bound = Math.max(1500, 10 * Math.min(...picture));
    expect(Math.min(...shown)).toBeLessThan(bound);
    expect(Math.min(...sounded)).toBeLessThan(bound);
    // Nobody waits for the map to be warned.
    expect(Math.max(shown.at(-1) ?? NaN, sounded.at(-1) ?? NaN)).toBeLessThan(red);
  });
});
