/** A real Chromium for tests, and what the page did in it. */
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

const executable = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** Why there is no browser here; undefined where there is one. */
export const absent = existsSync(executable) ? undefined : `no browser at ${executable}: install chromium, or name one in CHROMIUM`;

const switches = [
  '--no-sandbox',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
];

export function launch(...more: readonly string[]): Promise<Browser> {
  return chromium.launch({ executablePath: executable, headless: true, args: [...switches, ...more] });
}

/** A page that is open, with what it sounded and everything it must not do. */
export interface Visit {
  readonly page: Page;
  /** Kinds of the tones that were started, oldest first. */
  tones(): Promise<string[]>;
  /** Requests to other origins, violations of the policy, exceptions. */
  readonly wrongs: string[];
  close(): Promise<void>;
}

declare global {
  interface Window {
    tones: string[];
    /** When a tone of a kind was first started, and when the place first looked so: by the device's clock, in milliseconds. */
    firsts: Record<string, number>;
  }
}

/** Opens a page for a service; with `go` false it is left to the test to go there. */
export async function visit(browser: Browser, url: string, options: BrowserContextOptions = {}, go = true): Promise<Visit> {
  const context = await browser.newContext({ locale: 'en-GB', reducedMotion: 'reduce', ...options });
  const { origin } = new URL(url);
  const wrongs: string[] = [];
  context.on('request', (request) => {
    const to = request.url();
    if (!to.startsWith('data:') && !to.startsWith('blob:') && new URL(to).origin !== origin) wrongs.push(`request to ${to}`);
  });
  context.on('weberror', (error) => wrongs.push(`exception ${error.error().message}`));
  context.on('console', (message) => {
    if (/content security policy/i.test(message.text())) wrongs.push(message.text());
  });
  // The page makes its sounds by the browser's own interface; what is started there is noted.
  await context.addInitScript(() => {
    window.tones = [];
    window.firsts = {};
    const note = (what: string): void => void (window.firsts[what] ??= Date.now());
    new MutationObserver(() => note(document.querySelector<HTMLElement>('.place')?.dataset['look'] ?? 'none')).observe(document, {
      subtree: true,
      childList: true,
      attributeFilter: ['data-look'],
    });
    const start = AudioScheduledSourceNode.prototype.start;
    AudioScheduledSourceNode.prototype.start = function (this: AudioScheduledSourceNode, when?: number): void {
      if (this instanceof OscillatorNode && this.context.state === 'running') {
        window.tones.push(this.type);
        note(this.type);
      }
      start.call(this, when);
    };
  });
  const page = await context.newPage();
  if (go) await page.goto(url);
  return { page, wrongs, tones: () => page.evaluate(() => window.tones), close: () => context.close() };
}

/** Setting up may be slow on a busy machine; what is promised to be quick says so itself. */
export const slow = 20_000;
export const light = (page: Page, word: string, timeout = slow): Promise<void> => page.locator(`.light[data-light="${word}"]`).waitFor({ timeout });
/** The first of the reader's places, which is the gravest. */
export const look = (page: Page, word: string, timeout = slow): Promise<void> => page.locator(`.place[data-look="${word}"]`).first().waitFor({ timeout });

/** Chooses a place by keyboard alone; the first, or one more. */
export async function choose(page: Page, name: string): Promise<void> {
  const had = await page.locator('.place').count();
  const field = page.locator('#place-search');
  if (!(await field.isVisible())) {
    await page.locator('.places > button').focus();
    await page.keyboard.press('Enter');
  }
  await field.focus();
  await page.keyboard.type(name);
  await page.locator('#place-found [role=option]').first().waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.locator('.place .name').nth(had).waitFor();
}

export async function arm(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Tap to turn the sound on' }).click();
  await page.locator('.sound.armed').waitFor();
}

/** The map takes seconds to start where a processor draws it; most of what is tested does not need it. */
export async function withoutMap(page: Page): Promise<void> {
  await page.route('**/assets/map-*', (route) => route.abort());
}

/** The colour of the middle of a zone on the map, as the screen shows it. */
export async function mapColour(page: Page): Promise<[number, number, number]> {
  const shot = await page.locator('.canvas canvas.maplibregl-canvas').screenshot();
  return page.evaluate(async (bytes) => {
    const picture = await createImageBitmap(new Blob([new Uint8Array(bytes)], { type: 'image/png' }));
    const pen = new OffscreenCanvas(picture.width, picture.height).getContext('2d');
    if (pen === null) throw new Error('no canvas');
    pen.drawImage(picture, 0, 0);
    const { data } = pen.getImageData(Math.floor(picture.width / 2) - 6, Math.floor(picture.height / 2) - 6, 12, 12);
    const sums: [number, number, number] = [0, 0, 0];
    for (let i = 0; i < data.length; i += 4) for (const c of [0, 1, 2] as const) sums[c] += (data[i + c] ?? 0) / (data.length / 4);
    return sums;
  }, [...shot]);
}

/** Whether that is the red of a shelter. */
export async function mapRed(page: Page): Promise<boolean> {
  const [r, g, b] = await mapColour(page);
  return r > 130 && g < 90 && b < 100;
}
