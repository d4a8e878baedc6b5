/**
 * Every negative vector of the contract, served live to the page in Chromium by a hostile service: nothing of what the
 * page says may change, for a moment or for good, but the light.
 */
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import type { Item } from '@tocsin/client';
import { Signer, item, pair } from '../../testing/signer.js';
import { Service } from '../../testing/service.js';
import { absent, launch, slow, visit, withoutMap } from './browser.js';
import type { Visit } from './browser.js';

type Line = string | { readonly head: string; readonly fill: string; readonly times: number; readonly tail: string };
interface Step {
  readonly keys?: string;
  readonly frame?: Line;
  readonly now?: string;
  readonly verdict?: string;
}
interface Vectors {
  readonly seed: number;
  readonly roots: Readonly<Record<string, string>>;
  readonly keys: Readonly<Record<string, Line>>;
  readonly scripts: readonly { readonly name: string; readonly root: string; readonly universe: string; readonly regions: readonly string[]; readonly steps: readonly Step[] }[];
}

const vectors = JSON.parse(readFileSync(new URL('../../../vectors/v1.json', import.meta.url), 'utf8')) as Vectors;
const text = (line: Line): string => (typeof line === 'string' ? line : line.head + line.fill.repeat(line.times) + line.tail);
const accepted = ['taken', 'fetch', 'old'];
const ordered = ['rollback', 'replay'];

/** Whether a frame has the highest number there is. */
const isHighest = (line: string): boolean => Buffer.from(line.split('.')[1] ?? '', 'base64url').includes(`"seq":${Number.MAX_SAFE_INTEGER}`);

/** When every script begins. */
const start = Date.parse('2026-11-22T12:00:00.000Z');
/** The vectors' own key, which is made from their seed: for what must be believed. */
const signer = new Signer(pair(`tocsin vectors ${vectors.seed} main`), { universe: 'exercise' });
const calm = [item(['UA-1', 'UA-2'], { at: start, until: start + 48 * 3_600_000 })];

let browser: Browser;
let service: Service;
let open: Visit;
let keys: string;
let seq: number;
let held: Item[];
let at: number;

beforeAll(async () => {
  if (absent === undefined) browser = await launch();
});
afterAll(async () => browser?.close());
afterEach(async () => {
  await open.close();
  await service.kill();
  expect(open.wrongs).toEqual([]);
});

/** A page at a time, which holds what is calm under a number, and notes whatever changes in what it says. */
async function begin(number: number, now: number, every30s?: number): Promise<Page> {
  [seq, at, held, keys] = [number, now, calm, text(vectors.keys['main'] ?? '')];
  service = await new Service({
    universe: 'exercise',
    beat: 3_600_000,
    lies: { root: vectors.roots['main'] ?? '', keys: () => keys, board: () => [signer.board(seq, at, held), signer.beat(seq, at, held)] },
  }).start();
  open = await visit(browser, service.url, {}, false);
  const { page } = open;
  await withoutMap(page);
  await page.clock.setFixedTime(now + 200);
  if (every30s !== undefined)
    await page.addInitScript((quick) => {
      const set = window.setTimeout.bind(window);
      window.setTimeout = ((call: () => void, ms?: number) => set(call, ms === 30_000 ? quick : ms)) as typeof window.setTimeout;
    }, every30s);
  await page.goto(service.url);
  await page.locator('.list').getByText('2 places').waitFor({ timeout: slow });
  await page.locator('.map .over').waitFor();
  await quiet(page);
  await page.evaluate(() => {
    const seen: string[] = [];
    Object.assign(window, { seen });
    const note = (changes: MutationRecord[]): void => {
      // What the true word at the end changes is not looked at.
      if (document.querySelector('main')?.textContent.includes('Z-true') === true) return;
      for (const { target } of changes) {
        const element = target instanceof Element ? target : target.parentElement;
        if (element?.closest('.light') == null) seen.push(element?.outerHTML.slice(0, 200) ?? 'text');
      }
    };
    new MutationObserver(note).observe(document.documentElement, { subtree: true, childList: true, characterData: true, attributes: true });
  });
  return page;
}

/** Waits until the page has all it loads by itself, the names of the zones last: nothing in it has changed for a second. */
async function quiet(page: Page): Promise<void> {
  await page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        let timer = setTimeout(resolve, 1_000);
        new MutationObserver((_, self) => {
          clearTimeout(timer);
          timer = setTimeout(() => {
            self.disconnect();
            resolve();
          }, 1_000);
        }).observe(document.documentElement, { subtree: true, childList: true, characterData: true, attributes: true });
      }),
  );
}

/** Says something true that is to be seen; what was sent before it was judged by then. Gives what else changed. */
async function settle(page: Page): Promise<{ seen: string[]; tones: string[] }> {
  const shown = item(['Z-true'], { at, stage: 'prepare' });
  service.send(signer.change(seq, seq + 1, at + 1, [shown]));
  // A line that is too long ends the stream; whoever comes back is given the board.
  [seq, at, held] = [seq + 1, at + 1, [...calm, shown]];
  await page.locator('.list').getByText('Z-true').waitFor({ timeout: slow });
  return { seen: await page.evaluate(() => (window as unknown as { seen: string[] }).seen), tones: await open.tones() };
}

describe.skipIf(absent !== undefined)(`the vectors, live in Chromium${absent === undefined ? '' : ` (skipped: ${absent})`}`, () => {
  test('what is refused whatever is held changes nothing', { timeout: 120_000 }, async () => {
    const page = await begin(7, start);
    let sent = 0;
    for (const script of vectors.scripts) {
      if (script.root !== 'main' || script.universe !== 'exercise' || !script.regions.includes('*')) continue;
      // Those of a client with other keys, or before it has any, are refused for that.
      if (script.steps[0]?.keys !== 'main' || script.steps.some(({ keys: name = 'main' }) => name !== 'main')) continue;
      for (const { frame, verdict = '', now = '' } of script.steps) {
        if (frame === undefined || accepted.includes(verdict) || ordered.includes(verdict)) continue;
        // The page's clock stands still; and a stream carries no line end within a line, so what is only that is a good frame there.
        if ((verdict === 'key-not-in-force' && Math.abs(Date.parse(now) - start) > 300) || /[\r\n]/.test(text(frame))) continue;
        service.send(text(frame));
        sent++;
      }
    }
    expect(sent).toBeGreaterThan(300);
    const { seen, tones } = await settle(page);
    expect(seen).toEqual([]);
    expect(tones).toEqual([]);
    console.log(`${sent} refused lines sent`);
  });

  test('every line there is, old, forged or foreign, changes nothing for a page that is further', { timeout: 120_000 }, async () => {
    const page = await begin(Number.MAX_SAFE_INTEGER - 2, start + 23.5 * 3_600_000);
    let sent = 0;
    for (const { frame } of vectors.scripts.flatMap(({ steps }) => steps)) {
      // A board of the highest number there is goes before everything, if its key is good here.
      if (frame === undefined || isHighest(text(frame))) continue;
      service.send(text(frame));
      sent++;
    }
    expect(sent).toBeGreaterThan(600);
    const { seen, tones } = await settle(page);
    expect(seen).toEqual([]);
    expect(tones).toEqual([]);
    console.log(`${sent} lines sent`);
  });

  test('key lists that are refused change nothing, and good ones are still taken after them', { timeout: 120_000 }, async () => {
    const page = await begin(7, start, 5);
    const refused = vectors.scripts.flatMap((script) =>
      script.root === 'main' && script.universe === 'exercise' ? script.steps.filter((step) => step.keys !== undefined && !accepted.includes(step.verdict ?? '')).map(({ keys: name = '' }) => name) : [],
    );
    expect(new Set(refused).size).toBeGreaterThan(30);
    for (const name of new Set(refused)) {
      keys = text(vectors.keys[name] ?? '');
      const asked = service.asked.length;
      await expect.poll(() => service.asked.length, { interval: 5, timeout: slow }).toBeGreaterThan(asked + 1);
    }
    keys = text(vectors.keys['main'] ?? '');
    const { seen, tones } = await settle(page);
    expect(seen).toEqual([]);
    expect(tones).toEqual([]);
  });
});
