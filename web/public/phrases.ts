/**
 * Holds the language files to the English one: a missing, empty or extra text, a hole that is not filled, or a plural
 * form that the language needs and lacks fails the build, so that it never fails the reader.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

type Texts = { readonly [name: string]: string | Texts };

const model = 'en';
const categories: readonly string[] = ['zero', 'one', 'two', 'few', 'many', 'other'];
/** Forms that may say the number by a word of their own. */
const inWords: readonly string[] = ['zero', 'one', 'two'];

const isPlural = (texts: Texts): boolean => 'other' in texts && Object.keys(texts).every((name) => categories.includes(name));
const holes = (text: string): string => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort().join(' ');

function* pluralFaults(place: string, language: string, like: Texts, texts: Texts): Generator<string> {
  for (const form of new Intl.PluralRules(language).resolvedOptions().pluralCategories) {
    const text = texts[form];
    if (typeof text !== 'string' || text.trim() === '') yield `${place}: no form "${form}"`;
    else if (!inWords.includes(form) && holes(text) !== holes(String(like['other']))) yield `${place}.${form}: has ${holes(text) || 'no hole'}, needs ${holes(String(like['other']))}`;
  }
}

function* faults(place: string, language: string, like: Texts, texts: Texts): Generator<string> {
  if (isPlural(like)) return yield* pluralFaults(place, language, like, texts);
  for (const [name, wanted] of Object.entries(like)) {
    const here = place === '' ? name : `${place}.${name}`;
    const text = texts[name];
    if (typeof wanted === 'object') {
      if (typeof text === 'object') yield* faults(here, language, wanted, text);
      else yield `${here}: missing`;
    } else if (typeof text !== 'string' || text.trim() === '') yield `${here}: missing`;
    else if (holes(text) !== holes(wanted)) yield `${here}: has ${holes(text) || 'no hole'}, needs ${holes(wanted) || 'none'}`;
  }
  for (const name of Object.keys(texts)) if (!(name in like)) yield `${place}.${name}: not a text of the page`;
}

/** What is wrong with the language files of a folder, a line each. */
export function check(folder: string): string[] {
  const read = (language: string): Texts => JSON.parse(readFileSync(join(folder, `${language}.json`), 'utf8')) as Texts;
  const found: string[] = [];
  const like = read(model);
  const languages = readdirSync(folder).flatMap((name) => /^([a-z]{2,3})\.json$/.exec(name)?.[1] ?? []);
  for (const language of languages) {
    try {
      const texts = read(language);
      found.push(...[...faults('', language, like, texts)].map((fault) => `${language}.json: ${fault}`));
      const needed = (new Intl.Locale(language) as unknown as { textInfo?: { direction: string } }).textInfo?.direction;
      if (texts['dir'] !== 'ltr' && texts['dir'] !== 'rtl' || (needed !== undefined && texts['dir'] !== needed)) found.push(`${language}.json: dir: must be ${needed ?? 'ltr or rtl'}`);
    } catch (cause) {
      found.push(`${language}.json: ${String(cause)}`);
    }
  }
  return found;
}

/** Fails the build where a language file has a fault. */
export function wholeLanguages(folder: string): Plugin {
  return {
    name: 'whole-languages',
    buildStart() {
      const found = check(folder);
      if (found.length > 0) this.error(`phrases: ${found.length} faults\n${found.join('\n')}`);
    },
  };
}
