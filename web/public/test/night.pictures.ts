/**
 * Draws docs/night.webp: the morning of 10 October 2022 on the page, as `tocsin replay --speed 60` brings it. Takes six
 * minutes; needs the recorded history beside the project.
 */
import { statSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Browser } from 'playwright-core';
import { absent, arm, choose, launch, slow, visit } from './browser.js';
import { turnsOf, ukrainian } from './nights.js';
import { serve, unbuilt } from './system.js';

const speed = 60;
const [from, until] = ['2022-10-10T03:40:00Z', '2022-10-10T09:40:00Z'];
/** When a picture is taken, in the recording's time, and what it shows. */
const moments = [
  ['03:49:00', 'the first oblasts'],
  ['04:06:00', 'twenty minutes later'],
  ['04:30:00', 'nearly all of the country'],
  ['07:00:00', 'three hours in'],
  ['09:15:00', 'over in the east'],
  ['09:26:00', 'and in the capital'],
] as const;
const size = { width: 1040, height: 640 };
const shrink = 0.6;
const mostBytes = 300_000;
const missing = absent ?? unbuilt ?? (ukrainian === undefined ? 'the recorded history is absent' : undefined);

/** One picture of several, each with its words below it. */
async function strip(browser: Browser, shots: readonly { shot: Buffer; words: string }[]): Promise<Buffer> {
  const page = await browser.newPage();
  const url = await page.evaluate(
    async ({ shots, wide, high }) => {
      const [columns, gap, line] = [2, 12, 30];
      const canvas = Object.assign(document.createElement('canvas'), { width: columns * wide + gap, height: Math.ceil(shots.length / columns) * (high + line + gap) });
      const pen = canvas.getContext('2d');
      if (pen === null) throw new Error('no canvas');
      pen.fillStyle = '#fff';
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.imageSmoothingQuality = 'high';
      for (const [i, { bytes, words }] of shots.entries()) {
        const [x, y] = [(i % columns) * (wide + gap), Math.floor(i / columns) * (high + line + gap)];
        pen.drawImage(await createImageBitmap(new Blob([new Uint8Array(bytes)])), x, y + line, wide, high);
        pen.strokeStyle = '#c8ccd2';
        pen.strokeRect(x + 0.5, y + line + 0.5, wide - 1, high - 1);
        pen.fillStyle = '#12161c';
        pen.font = '600 17px system-ui, sans-serif';
        pen.fillText(words, x, y + 20);
      }
      return canvas.toDataURL('image/webp', 0.8);
    },
    { shots: shots.map(({ shot, words }) => ({ bytes: [...shot], words })), wide: size.width * shrink, high: size.height * shrink },
  );
  await page.close();
  return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
}

test.skipIf(missing !== undefined)(`the night on a screen${missing === undefined ? '' : ` (skipped: ${missing})`}`, async () => {
  const [system, browser] = [await serve(), await launch()];
  try {
    const open = await visit(browser, `${system.url}?lang=en`, { viewport: size, timezoneId: 'UTC' });
    const { page } = open;
    await page.locator('.light[data-light="blind"]').waitFor({ timeout: slow });
    await choose(page, 'Kyiv');
    await arm(page);
    await page.locator('.frame[aria-busy=false] canvas.maplibregl-canvas').waitFor({ timeout: 3 * slow });
    await page.getByRole('button', { name: 'Whole country' }).click();
    const replayed = system.replay(ukrainian ?? '', '--format', 'ua-official', '--from', from, '--until', until, '--speed', String(speed));
    replayed.catch(() => undefined); // told below
    await page.locator('.list [data-condition=shelter]').waitFor({ timeout: 3 * slow });
    const first = turnsOf(ukrainian ?? '', Date.parse(from), Date.parse(until))[0]?.at ?? 0;
    const began = Date.now();
    const shots = [];
    for (const [clock, what] of moments) {
      const due = began + (Date.parse(`2022-10-10T${clock}Z`) - first) / speed;
      await page.waitForTimeout(Math.max(0, due - Date.now()));
      shots.push({ shot: await page.screenshot(), words: `${clock.slice(0, 5)} UTC: ${what}` });
    }
    const report = await replayed;
    expect(report.given.refused).toEqual({});
    expect(open.wrongs).toEqual([]);
    const file = new URL('../../../docs/night.webp', import.meta.url);
    writeFileSync(file, await strip(browser, shots));
    expect(statSync(file).size).toBeLessThan(mostBytes);
  } finally {
    await browser.close();
    await system.stop();
  }
});
