import { expect, test } from 'vitest';
import { Inexact, Refused, asTime, byBytes, readBase64url, readJson, writeBase64url } from '../src/strict.js';
import type { Json } from '../src/strict.js';

/** A small generator (mulberry32): the same numbers from 0 up to 1 in every run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const accepted = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch (cause) {
    expect(cause).toBeInstanceOf(Refused);
    return undefined;
  }
};

/** Our value as the language's own reader has it. */
function plain(value: Json): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([name, member]) => [name, plain(member)]));
  if (Array.isArray(value)) return value.map(plain);
  return value instanceof Inexact ? Number(value.text) : value;
}

const seeds = [
  '{"universe":"live","seq":12,"items":[{"zones":["A","B\\u00e9"],"until":null}],"x":-1.5e+3}',
  '[true,false,null,"\\"\\\\\\/\\b\\f\\n\\r\\t",0,-0,1E2,{"a":{},"b":[]}]',
  ' { "a" : [ 1 , 2 ] } ',
];
const pieces = [...'{}[]",:\\u0019-+.eE tfn\n\t', '\\ud800', '\\uD83D\\uDE00', 'null', '"a":1', '\u0000', '😀'];

test('mutated JSON: what is accepted, the language’s own reader accepts with the same value', () => {
  const random = numbers(1);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  let taken = 0;
  for (let i = 0; i < 40_000; i++) {
    let text: string = pick(seeds);
    for (let cuts = Math.floor(random() * 4); cuts > 0; cuts--) {
      const at = Math.floor(random() * text.length);
      text = text.slice(0, at) + (random() < 0.5 ? pick(pieces) : '') + text.slice(at + Math.floor(random() * 3));
    }
    // A cut through a pair leaves half a character, which is written as U+FFFD.
    text = Buffer.from(text).toString();
    const value = accepted(() => readJson(new TextEncoder().encode(text)));
    if (value === undefined) continue;
    taken++;
    expect(plain(value), text).toEqual(JSON.parse(text));
  }
  expect(taken).toBeGreaterThan(4_000);
});

test.each([
  ['a duplicate member', '{"a":1,"a":1}'],
  ['a duplicate by escape', '{"a":1,"\\u0061":1}'],
  ['half a character', '"\\ud800"'],
  ['something after the value', '{} {}'],
  ['17 containers', '['.repeat(17) + ']'.repeat(17)],
  ['a byte order mark', '\ufeff{}'],
  ['nothing', ''],
])('%s is refused', (_, text) => {
  expect(accepted(() => readJson(new TextEncoder().encode(text)))).toBeUndefined();
});

test('16 containers are read', () => {
  expect(accepted(() => readJson(new TextEncoder().encode('['.repeat(16) + ']'.repeat(16))))).toBeDefined();
});

test('base64url: only what is written back the same is read', () => {
  const random = numbers(2);
  const characters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=\n é';
  for (let i = 0; i < 40_000; i++) {
    const text = Array.from({ length: Math.floor(random() * 8) }, () => characters[Math.floor(random() * characters.length)]).join('');
    const bytes = accepted(() => readBase64url(text));
    const canonical = Buffer.from(text, 'base64url').toString('base64url') === text;
    expect(bytes !== undefined, JSON.stringify(text)).toBe(canonical);
    if (bytes !== undefined) expect(writeBase64url(bytes)).toBe(text);
  }
});

test.each(['2026-02-30T00:00:00.000Z', '2026-11-22T24:00:00.000Z', '2026-11-22T12:00:60.000Z', '2026-11-22T12:00:00Z', '2026-11-22T12:00:00.0000Z', '2026-11-22T12:00:00.000+00:00', '2026-11-22t12:00:00.000Z'])(
  '%s is no time',
  (text) => {
    expect(accepted(() => asTime(text, 'time'))).toBeUndefined();
  },
);

test('texts are ordered by their bytes', () => {
  const words = ['', 'a', 'A', 'é', 'ё', 'י', '\uffee', '😀', '😀a', 'a😀'];
  for (const a of words) for (const b of words) expect(Math.sign(byBytes(a, b)), `${a} ${b}`).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
});
