/**
 * The page of a running service: the one named by TOCSIN_URL, or else `tocsin demo` of the built program, started
 * here and ended by its process id. It only looks.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser } from 'playwright-core';
import { absent, launch, visit } from './browser.js';
import type { Visit } from './browser.js';

const url = process.env['TOCSIN_URL'];
const program = fileURLToPath(new URL('../../../bin/tocsin', import.meta.url));
const missing = absent ?? (url === undefined && !existsSync(program) ? 'no TOCSIN_URL, and bin/tocsin is not built' : undefined);
/** A test warning comes every minute. */
const minute = 60_000;
/** How long a demo may take to warn somebody. */
const patience = Number(process.env['TOCSIN_PATIENCE'] ?? 3 * minute);

/** Starts an exercise on free ports of loopback; resolves with its address once it says where the page is. */
function start(): Promise<{ child: ChildProcess; address: string }> {
  const child = spawn(program, ['demo', '--listen', '127.0.0.1:0', '--desk', '127.0.0.1:0'], { stdio: ['ignore', 'ignore', 'pipe'] });
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4096);
      const address = /page is on (http:\/\/[0-9.:]+)/.exec(said)?.[1];
      if (address !== undefined) resolve({ child, address });
    });
    child.once('exit', (code) => reject(new Error(`tocsin demo ended with ${String(code)}: ${said}`)));
    child.once('error', reject);
  });
}

describe.skipIf(missing !== undefined)(`the page of a running service${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  let browser: Browser;
  let open: Visit;
  let own: ChildProcess | undefined;

  beforeAll(async () => {
    let at = url;
    if (at === undefined) {
      const { child, address } = await start();
      own = child;
      at = address;
    }
    browser = await launch();
    open = await visit(browser, at);
  }, minute);
  afterAll(async () => {
    await browser?.close();
    own?.kill('SIGTERM');
  });

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
    await open.page.locator('.test [data-result]').waitFor({ timeout: 1.5 * minute });
    expect(await open.page.locator('.test [data-result]').getAttribute('data-result')).toBe('whole');
    expect(await open.page.locator('.test li[data-outcome=passed]').count()).toBe(6);
    expect(await open.tones()).toContain('square');
  });

  test('somebody is warned, in words and on the map', { timeout: patience + minute }, async () => {
    await open.page.locator('.list .row').first().waitFor({ timeout: patience });
    await open.page.locator('.canvas canvas.maplibregl-canvas').waitFor();
  });

  test('nothing left the origin, broke the policy or threw', () => expect(open.wrongs).toEqual([]));
});
