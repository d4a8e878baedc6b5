import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Service } from '../../testing/service.js';
import { item } from '../../testing/signer.js';

// The examples are run as a reader would run them: by Node, against the built package.
const here = new URL('..', import.meta.url);
const examples = [...readFileSync(new URL('README.md', here), 'utf8').matchAll(/```js\n(.*?)```/gs)].map(([, code = '']) => code);
let service: Service;

beforeAll(async () => {
  service = new Service();
  service.held = [item(['T1'], { at: Date.now() })];
  await service.start();
});
afterAll(() => service.kill());

test('there are examples', () => expect(examples.length).toBe(2));

test.each(examples)('example %#', async (code) => {
  const program = code.replaceAll('ROOT_KEY', service.root.x).replaceAll('http://localhost:8080', service.url.slice(0, -1));
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], { cwd: here, timeout: 20_000 });
  const promised = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, words = '']) => words);
  expect(promised.length).toBeGreaterThan(0);
  expect(stdout.trim().split('\n')).toEqual(promised);
});
