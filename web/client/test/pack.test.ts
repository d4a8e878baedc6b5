import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

// Packed as from a fresh clone: nothing is built there, so what is in the package was built by
// packing it.
const run = promisify(execFile);
const web = fileURLToPath(new URL('../..', import.meta.url));
let clone: string;

beforeAll(async () => {
  clone = await mkdtemp(join(tmpdir(), 'tocsin-pack-'));
  await cp(join(web, 'client'), join(clone, 'client'), {
    recursive: true,
    filter: (path) => !['dist', 'node_modules'].includes(basename(path)),
  });
  await cp(join(web, 'tsconfig.base.json'), join(clone, 'tsconfig.base.json'));
  await symlink(join(web, 'node_modules'), join(clone, 'node_modules'));
});
afterAll(() => rm(clone, { recursive: true, force: true }));

test('the package has the code, its types, its licence and what to read', async () => {
  const out = join(clone, 'out');
  await mkdir(out);
  await run('npm', ['pack', '--offline', '--pack-destination', out], { cwd: join(clone, 'client'), timeout: 60_000 });
  const [tarball = '', ...others] = await readdir(out);
  expect(others).toEqual([]);
  const files = (await run('tar', ['-tzf', join(out, tarball)])).stdout.trim().split('\n').sort();
  const modules = (await readdir(join(web, 'client', 'src'))).map((name) => name.replace(/\.ts$/, ''));
  expect(modules).toContain('client');
  expect(files).toEqual(
    ['LICENSE', 'package.json', 'README.md', ...modules.flatMap((name) => [`dist/${name}.js`, `dist/${name}.d.ts`])].map((name) => `package/${name}`).sort(),
  );
  const licence = (await run('tar', ['-xzOf', join(out, tarball), 'package/LICENSE'])).stdout;
  expect(licence).toBe(await readFile(join(web, '..', 'LICENSE'), 'utf8'));
}, 90_000);
