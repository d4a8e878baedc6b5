/** A build that fails leaves the page that was built before it: the program embeds it. */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const web = fileURLToPath(new URL('../../', import.meta.url));
const left = new Set(['node_modules', 'dist', '.built', '.before', 'test', 'testing']);

let copy: string;
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'tocsin-build-'));
  cpSync(web, copy, { recursive: true, filter: (from) => !left.has(basename(from)) });
  symlinkSync(join(web, 'node_modules'), join(copy, 'node_modules'));
  mkdirSync(join(copy, 'public', 'dist'));
  writeFileSync(join(copy, 'public', 'dist', 'index.html'), 'the page before');
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

const page = (): string => readFileSync(join(copy, 'public', 'dist', 'index.html'), 'utf8');
const build = (): Promise<unknown> => promisify(execFile)(process.execPath, [join(web, 'node_modules', 'vite', 'bin', 'vite.js'), 'build'], { cwd: join(copy, 'public') });

/** Plants a fault in a file, builds, and takes it out. */
async function faulty(name: string, plant: (text: string) => string): Promise<void> {
  const path = join(copy, name);
  const good = readFileSync(path, 'utf8');
  writeFileSync(path, plant(good));
  try {
    await build();
  } finally {
    writeFileSync(path, good);
  }
}

test('a missing text, a script that does not read and a worker without its names leave it; a good build takes its place', { timeout: 60_000 }, async () => {
  await expect(faulty('phrases/uk.json', (text) => text.replace(/"dir": "ltr",?/, ''))).rejects.toThrow(/uk\.json: dir/);
  expect(page()).toBe('the page before');
  await expect(faulty('public/src/main.ts', (text) => `${text}}`)).rejects.toThrow(/main\.ts/);
  expect(page()).toBe('the page before');
  await expect(faulty('public/src/worker/worker.ts', (text) => `${text}\nconst planted = '%PLANTED%';\nself.postMessage?.(planted);`)).rejects.toThrow(/a name was not filled in/);
  expect(page()).toBe('the page before');
  await build();
  expect(page()).toContain('<!--tocsin:config-->');
  expect(readdirSync(join(copy, 'public', 'dist'))).toEqual(expect.arrayContaining(['.gitkeep', 'assets', 'worker.js', 'favicon.svg']));
  expect(['.built', '.before'].filter((name) => existsSync(join(copy, 'public', name)))).toEqual([]);
});
