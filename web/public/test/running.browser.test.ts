/** The page of a running service, named by TOCSIN_URL: `tocsin demo`, or a deployment. It only looks. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser } from 'playwright-core';
import { absent, launch, visit } from './browser.js';
import type { Visit } from './browser.js';

const url = process.env['TOCSIN_URL'];
const missing = absent ?? (url === undefined ? 'TOCSIN_URL names no running service' : undefined);
/** A test warning comes every minute. */
const minute = 60_000;
/** How long a demo may take to warn somebody. */
const patience = Number(process.env['TOCSIN_PATIENCE'] ?? 3 * minute);

describe.skipIf(missing !== undefined)(`the page of a running service${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  let browser: Browser;
  let open: Visit;

  beforeAll(async () => {
    browser = await launch();
    open = await visit(browser, url ?? '');
  });
  afterAll(async () => browser?.close());

  test('the service is heard and verified', async () => {
    await open.page.locator('.light[data-light="quiet"], .light[data-light="warned"], .light[data-light="blind"]').waitFor({ timeout: 10_000 });
  });

  test('places have names', async () => {
    await open.page.locator('#place-search').fill('a');
    await open.page.locator('#place-found [role=option]').first().waitFor({ timeout: 20_000 });
    await open.page.keyboard.press('Escape');
  });

  test('the test warning passes through signature and sound', { timeout: 2 * minute }, async () => {
    await open.page.locator('.test button').click();
    await open.page.locator('.test strong').waitFor({ timeout: 1.5 * minute });
    expect(await open.page.locator('.test li.done').count()).toBe(3);
    expect(await open.tones()).toContain('sawtooth');
  });

  test('somebody is warned, in words and on the map', { timeout: patience + minute }, async () => {
    await open.page.locator('.list .row').first().waitFor({ timeout: patience });
    await open.page.locator('.canvas canvas.maplibregl-canvas').waitFor();
  });

  test('nothing left the origin, broke the policy or threw', () => expect(open.wrongs).toEqual([]));
});
