import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { check, wholeLanguages } from '../phrases';
import { languages } from '../src/phrases';

const real = new URL('../../phrases/', import.meta.url).pathname;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'phrases-'));
  cpSync(real, folder, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true }));

function change(language: string, edit: (text: string) => string): void {
  const file = join(folder, `${language}.json`);
  const before = readFileSync(file, 'utf8');
  const after = edit(before);
  expect(after, 'the change is one').not.toBe(before);
  writeFileSync(file, after);
}

test('every language is whole', () => {
  expect(check(real)).toEqual([]);
  expect(Object.keys(languages).sort()).toEqual(['ar', 'en', 'he', 'ru', 'uk']);
});

test('without script the page loads itself again as often as it says', () => {
  const of = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');
  const every = [/http-equiv="refresh" content="(\d+)"/.exec(of('../index.html'))?.[1], /\}, (\d+)000\);/.exec(of('../static/again.js'))?.[1], /http-equiv="refresh" content="(\d+)"/.exec(of('../../placeholder/index.html'))?.[1]];
  expect(new Set(every).size, every.join()).toBe(1);
  for (const language of Object.keys(languages)) {
    const { plain } = JSON.parse(readFileSync(join(real, `${language}.json`), 'utf8')) as { plain: { trust: string } };
    expect(plain.trust.match(/\d+/g), language).toEqual([every[0]]);
  }
});

test.each([
  ['a missing text', 'uk', (t: string) => t.replace(/\n.*"invite":.*/, ''), 'uk.json: place.invite: missing'],
  ['an empty text', 'he', (t: string) => t.replace(/"stay": ".*"/, '"stay": " "'), 'he.json: when.stay: missing'],
  ['a missing group', 'ru', (t: string) => t.replace('"plain"', '"plane"'), 'ru.json: plain: missing'],
  ['a hole that is not there', 'ar', (t: string) => t.replace('{earliest}', ''), 'ar.json: when.arrivalAt: has {likely}, needs {earliest} {likely}'],
  ['a hole of another name', 'uk', (t: string) => t.replaceAll('{duration}', '{time}'), 'uk.json: when.reach: has {time}, needs {duration}'],
  ['a plural form that the language needs', 'uk', (t: string) => t.replace(/\n.*"few": .*/, ''), 'uk.json: list.places: no form "few"'],
  ['the wrong direction', 'ar', (t: string) => t.replace('"rtl"', '"up"'), 'ar.json: dir: must be '],
  ['no JSON', 'ru', (t: string) => t.slice(0, -9), 'ru.json: SyntaxError'],
])('%s is named', (_, language, edit, fault) => {
  change(language, edit);
  expect(check(folder).some((line) => line.startsWith(fault)), check(folder).join('\n')).toBe(true);
});

test('and fails the build, not the reader', async () => {
  const entry = join(folder, 'entry.js');
  writeFileSync(entry, 'export {};');
  const config = { configFile: false as const, logLevel: 'silent' as const, root: folder, plugins: [wholeLanguages(folder)], build: { write: false, rolldownOptions: { input: entry } } };
  await build(config);
  change('he', (text) => text.replace(/\n.*"again":.*/, ''));
  await expect(build(config)).rejects.toThrow('he.json: plain.again: missing');
});
