/** "Test my device" in Chromium: the whole path, and each step at which it may break. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { Signer, item, pair } from '../../testing/signer.js';
import { Service } from '../../testing/service.js';
import type { ServiceOptions } from '../../testing/service.js';
import { absent, arm, choose, launch, light, look, visit, withoutMap } from './browser.js';
import type { Visit } from './browser.js';

let browser: Browser;
let service: Service;
let open: Visit;

beforeAll(async () => {
  if (absent === undefined) browser = await launch();
});
afterAll(async () => browser?.close());
afterEach(async () => {
  await open.close();
  await service.kill();
  expect(open.wrongs).toEqual([]);
});

/** A page whose clock is the test's, so that no minute has to pass; `ahead` of the service by so many milliseconds. */
async function begin(options: ServiceOptions = {}, ahead = 0, prepare?: (page: Page) => Promise<unknown>): Promise<Page> {
  service = await new Service(options).start();
  open = await visit(browser, service.url, {}, false);
  const { page } = open;
  await withoutMap(page);
  await page.clock.install({ time: Date.now() + ahead });
  await prepare?.(page);
  await page.goto(service.url);
  await light(page, ahead === 0 ? 'quiet' : 'clock');
  return page;
}

async function start(page: Page, heard = true): Promise<void> {
  await page.getByRole('button', { name: 'Start the test' }).click();
  if (heard) await expect.poll(() => service.readers).toBe(2);
}

const outcome = (page: Page, step: string): Promise<void> => page.locator(`.test [data-result="${step}"]`).waitFor();
const marks = (page: Page): Promise<(string | null)[]> => page.locator('.test li').evaluateAll((lines) => lines.map((line) => line.getAttribute('data-outcome')));

describe.skipIf(absent !== undefined)(`testing the device in Chromium${absent === undefined ? '' : ` (skipped: ${absent})`}`, () => {
  test('the whole path: it looks and sounds like a test, and ends by itself', async () => {
    const page = await begin();
    await choose(page, 'Sumy');
    await start(page);
    service.sayTest('shelter');
    const said = page.locator('.test .said');
    await said.waitFor();
    expect(await said.innerText()).toMatch(/ONLY A TEST[^]*Nothing is happening/);
    await look(page, 'quiet');
    await light(page, 'quiet');
    expect(await page.locator('.list').innerText()).toContain('Nothing is warned');
    expect(await page.title()).not.toContain('helter');
    expect(await page.locator('.test [style], .test svg').count()).toBe(0);
    service.sayTest('all-clear');
    await outcome(page, 'whole');
    expect(await marks(page)).toEqual(Array.from({ length: 6 }, () => 'passed'));
    expect(await open.tones()).toContain('square');
    expect(await open.tones()).not.toContain('sawtooth');
    await expect.poll(() => service.readers).toBe(1);
  });

  test('broken at the connection', async () => {
    const page = await begin();
    for (const path of ['keys', 'board', 'stream']) service.broken.add(`/v1/${path}`);
    await start(page, false);
    await page.clock.fastForward(20_500);
    await outcome(page, 'connection');
    expect(await marks(page)).toEqual(['failed', ...Array.from({ length: 5 }, () => 'waiting')]);
  });

  test('broken at the signature', async () => {
    const page = await begin();
    service.testSigner = new Signer(pair('a stranger'), { region: 'test' });
    await start(page);
    service.sayTest('shelter');
    await page.locator('.test li[data-outcome=passed]').first().waitFor();
    await page.clock.fastForward(20_500);
    await outcome(page, 'signature');
    expect(await open.tones()).toEqual([]);
  });

  test('a clock that is wrong, with everything else in order', async () => {
    const page = await begin({}, 600_000);
    await start(page);
    service.sayTest('shelter');
    await page.locator('.test .said').waitFor();
    service.sayTest('all-clear');
    await outcome(page, 'clock');
    expect(await marks(page)).toEqual(['passed', 'passed', 'failed', 'passed', 'passed', 'passed']);
  });

  test('no test warning, and no all-clear after one', async () => {
    const page = await begin();
    await start(page);
    await page.locator('.test li[data-outcome=passed]').nth(2).waitFor();
    await page.clock.fastForward(80_500);
    await outcome(page, 'warning');
    await start(page);
    service.sayTest('shelter');
    await page.locator('.test .said').waitFor();
    await page.clock.fastForward(36_000);
    await outcome(page, 'end');
  });

  test('a device without sound is told that it stays silent', async () => {
    const page = await begin({}, 0, (page) => page.addInitScript(() => Reflect.deleteProperty(window, 'AudioContext')));
    await start(page);
    service.sayTest('shelter');
    await page.locator('.test .said').waitFor();
    service.sayTest('all-clear');
    await outcome(page, 'sound');
    expect(await page.locator('.test').innerText()).toContain('stays silent');
  });

  test('a real warning ends the test, and sounds', async () => {
    const page = await begin();
    await choose(page, 'Sumy');
    await arm(page);
    await start(page);
    service.sayTest('shelter');
    await page.locator('.test .said').waitFor();
    service.say(item(['T0'], { at: Date.now() }));
    await look(page, 'shelter');
    await page.getByText('there is a real warning').waitFor();
    expect(await page.locator('.test .said').count()).toBe(0);
    expect(await open.tones()).toContain('sawtooth');
    await expect.poll(() => service.readers).toBe(1);
  });

  test('it can be stopped', async () => {
    const page = await begin();
    await start(page);
    await page.getByRole('button', { name: 'Stop the test' }).click();
    await expect.poll(() => service.readers).toBe(1);
    expect(await page.locator('.test li').count()).toBe(0);
  });
});
