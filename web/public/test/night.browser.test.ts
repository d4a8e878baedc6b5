/**
 * The night on a screen: `tocsin replay` gives a recorded morning to a running system beside the open page, many times as
 * fast as it was. What the page showed, change by change, is what the file says: nothing is dropped, nothing doubled.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { absent, arm, choose, launch, light, slow, visit } from './browser.js';
import { asWritten, byHand, turnsOf, ukrainian } from './nights.js';
import { serve, unbuilt } from './system.js';
import type { System } from './system.js';

const missing = absent ?? unbuilt;
/** Seven hours in a quarter of a minute. */
const speed = 2000;
const [from, until] = ['2022-10-10T03:40:00Z', '2022-10-10T10:20:00Z'];

declare global {
  interface Window {
    /** What was on the screen, in order: warned places of a region, and the look of the reader's place, whenever they changed. */
    shown: [region: string, warned: number][];
    looks: string[];
    lights: string[];
  }
}

/** Notes what the page shows, whenever that changes, as a reader would who asks for the whole list. */
async function note(page: Page): Promise<void> {
  await page.evaluate(() => {
    Object.assign(window, { shown: [], looks: [], lights: [] });
    const held = new Map<string, number>();
    const last = (all: string[], word: string | undefined): void => {
      if (word !== undefined && all.at(-1) !== word) all.push(word);
    };
    const look = (): void => {
      const more = document.querySelectorAll<HTMLElement>('.list .group > button.plain');
      for (const button of more) button.click();
      if (more.length > 0) return; // it is looked at again once all of it is there
      const now = new Map([...held.keys()].map((region) => [region, 0]));
      for (const row of document.querySelectorAll('.list [data-condition=shelter] .row')) {
        const region = row.querySelector('strong')?.textContent ?? '';
        const rest = /\d+/.exec(row.querySelector('button.plain')?.textContent ?? '')?.[0] ?? '0';
        now.set(region, (now.get(region) ?? 0) + row.querySelectorAll('li button:not(.plain)').length + Number(rest));
      }
      for (const [region, warned] of now) {
        if (held.get(region) !== warned) window.shown.push([region, warned]);
        held.set(region, warned);
      }
      last(window.looks, document.querySelector<HTMLElement>('.place')?.dataset['look']);
      last(window.lights, document.querySelector<HTMLElement>('.light')?.dataset['light']);
    };
    look();
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
  });
}

describe.skipIf(missing !== undefined)(`the night on a screen${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-night-'));
  let system: System;
  let browser: Browser;
  beforeAll(async () => {
    system = await serve();
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await system?.stop();
    rmSync(folder, { recursive: true });
  });

  test('what was shown is what the file says, change by change', { timeout: 120_000 }, async () => {
    const hand = join(folder, 'morning.csv');
    writeFileSync(hand, byHand);
    const file = ukrainian ?? hand;
    const open = await visit(browser, `${system.url}?lang=en`);
    const { page } = open;
    await light(page, 'blind');
    await choose(page, 'Kyiv');
    await arm(page);
    await page.locator('select').selectOption('uk');
    await page.locator('html[lang=uk]').waitFor({ state: 'attached' });
    await page.locator('.canvas canvas.maplibregl-canvas').waitFor({ timeout: 3 * slow });
    await note(page);
    const report = await system.replay(file, '--format', 'ua-official', '--from', from, '--until', until, '--speed', String(speed));
    const wanted = turnsOf(file, Date.parse(from), Date.parse(until));
    await expect.poll(() => page.evaluate(() => window.shown.length), { timeout: slow }).toBeGreaterThanOrEqual(wanted.length);
    const { shown, looks, lights, tones } = await page.evaluate(() => ({ shown: window.shown, looks: window.looks, lights: window.lights, tones: window.tones }));
    console.log(`${report.alarms} alarms, ${report.figures.changes} changes of zones, ${wanted.length} of regions; shown ${shown.length}; at most ${report.late_ms.toFixed(0)} ms late`);
    expect(report.given.refused).toEqual({});
    expect(shown.map(([region, warned]) => `${asWritten(region)} ${warned > 0 ? 'warned' : 'ended'}`)).toEqual(wanted.map(({ oblast, warned }) => `${oblast} ${warned ? 'warned' : 'ended'}`));
    // A region is warned whole, or not: of no change is a part shown before the rest.
    const sizes = new Map<string, Set<number>>();
    for (const [region, warned] of shown) sizes.set(region, new Set([...(sizes.get(region) ?? []), warned]));
    for (const [region, seen] of sizes) expect(seen.size, region).toBe(2);
    // The reader's own place: as often as the file says, told once each, in the light and by sound.
    const alarms = wanted.filter(({ oblast, warned }) => oblast === 'Kyiv City' && warned).length;
    expect(looks).toEqual(['quiet', ...Array.from({ length: alarms }, () => ['shelter', 'all-clear']).flat()]);
    expect(lights).toEqual(['blind', ...Array.from({ length: alarms }, () => ['warned', 'blind']).flat()]);
    expect(tones.filter((tone) => tone === 'sawtooth').length).toBe(alarms);
    expect(tones.filter((tone) => tone === 'triangle').length).toBe(3 * alarms);
    expect(open.wrongs).toEqual([]);
    await open.close();
  });
});
