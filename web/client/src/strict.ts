/**
 * The outermost skin: base64url, JSON, times and sums exactly as the contract writes
 * them. Every reader here either gives the value or throws {@link Refused}; none costs
 * more than the length of its input.
 */

/** Why a text is not what it must be. The message is for a log, not for a person in danger. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/** Bytes that are not shared with anybody, as WebCrypto wants them. */
export type Bytes = Uint8Array<ArrayBuffer>;

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const sextet = new Int8Array(128).fill(-1);
for (let i = 0; i < 64; i++) sextet[alphabet.charCodeAt(i)] = i;

/** Reads unpadded, canonical base64url: no other character, no stray bits at the end. */
export function readBase64url(text: string): Bytes {
  const rest = text.length % 4;
  if (rest === 1) throw new Refused('base64url: impossible length');
  const out = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const value = code < 128 ? (sextet[code] ?? -1) : -1;
    if (value < 0) throw new Refused('base64url: foreign character');
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out[at++] = (held >> bits) & 0xff;
    }
  }
  if ((held & ((1 << bits) - 1)) !== 0) throw new Refused('base64url: stray bits');
  return out;
}

/** Writes unpadded base64url. */
export function writeBase64url(bytes: Uint8Array): string {
  let out = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0x3fff;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      out += alphabet[(held >> bits) & 63];
    }
  }
  if (bits > 0) out += alphabet[(held << (6 - bits)) & 63];
  return out;
}

/**
 * A JSON value. An object is a Map, so that no member name means anything to the
 * language. `number` is always an exact integer; any other number is an {@link Inexact},
 * because nothing the contract counts or compares is one.
 */
export type Json = null | boolean | string | number | Inexact | Json[] | Map<string, Json>;

/** A number that is a fraction, has an exponent, or is beyond 2^53: kept as it was written. */
export class Inexact {
  constructor(readonly text: string) {}
}

const numberForm = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const integerForm = /^-?(?:0|[1-9][0-9]*)$/;
const loneSurrogate = /[\ud800-\udfff]/u;

class Reader {
  #at = 0;
  constructor(
    readonly text: string,
    readonly depth: number,
  ) {}

  all(): Json {
    const value = this.#value(0);
    this.#space();
    if (this.#at !== this.text.length) throw new Refused('json: something after the value');
    return value;
  }

  #space(): void {
    for (;;) {
      const c = this.text.charCodeAt(this.#at);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return;
      this.#at++;
    }
  }

  /** Skips white space and takes the next character if it is this one. */
  #take(c: string): boolean {
    this.#space();
    if (this.text[this.#at] !== c) return false;
    this.#at++;
    return true;
  }

  /** `depth` is how many containers the value stands in. */
  #value(depth: number): Json {
    this.#space();
    const first = this.text[this.#at];
    if ((first === '{' || first === '[') && depth >= this.depth) throw new Refused('json: too deep');
    switch (first) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #object(depth: number): Map<string, Json> {
    this.#at++;
    const members = new Map<string, Json>();
    if (this.#take('}')) return members;
    do {
      this.#space();
      if (this.text[this.#at] !== '"') throw new Refused('json: member without a name');
      const name = this.#string();
      if (members.has(name)) throw new Refused('json: duplicate member');
      if (!this.#take(':')) throw new Refused('json: member without a value');
      members.set(name, this.#value(depth + 1));
    } while (this.#take(','));
    if (!this.#take('}')) throw new Refused('json: object without an end');
    return members;
  }

  #array(depth: number): Json[] {
    this.#at++;
    const values: Json[] = [];
    if (this.#take(']')) return values;
    do {
      values.push(this.#value(depth + 1));
    } while (this.#take(','));
    if (!this.#take(']')) throw new Refused('json: array without an end');
    return values;
  }

  #string(): string {
    const from = this.#at++;
    let escaped = false;
    for (; ; this.#at++) {
      const c = this.text.charCodeAt(this.#at);
      if (c === 0x22) break;
      if (!(c >= 0x20)) throw new Refused('json: string without an end'); // also past the end: NaN
      if (c === 0x5c) {
        escaped = true;
        this.#at++;
      }
    }
    this.#at++;
    if (!escaped) return this.text.slice(from + 1, this.#at - 1);
    let value: unknown;
    try {
      value = JSON.parse(this.text.slice(from, this.#at));
    } catch {
      throw new Refused('json: bad escape');
    }
    if (typeof value !== 'string' || loneSurrogate.test(value)) throw new Refused('json: half a character');
    return value;
  }

  #word<T extends Json>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.#at)) throw new Refused('json: not a value');
    this.#at += word.length;
    return value;
  }

  #number(): number | Inexact {
    numberForm.lastIndex = this.#at;
    const lexeme = numberForm.exec(this.text)?.[0];
    if (lexeme === undefined) throw new Refused('json: not a value');
    this.#at += lexeme.length;
    const value = Number(lexeme);
    return integerForm.test(lexeme) && Number.isSafeInteger(value) ? value : new Inexact(lexeme);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads UTF-8 JSON (RFC 8259): no duplicate member, nothing after it, at most `depth` containers in each other. */
export function readJson(bytes: Bytes, depth = 16): Json {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw new Refused('json: not UTF-8');
  }
  return new Reader(text, depth).all();
}

/** Reads a value that must be an object. */
export function asObject(value: Json | undefined, place: string): Map<string, Json> {
  if (!(value instanceof Map)) throw new Refused(`${place}: not an object`);
  return value;
}

/** Reads a value that must be an array. */
export function asArray(value: Json | undefined, place: string): Json[] {
  if (!Array.isArray(value)) throw new Refused(`${place}: not an array`);
  return value;
}

const control = /[\u0000-\u001f\u007f]/;
const utf8Bytes = new TextEncoder();

/** Reads an id: 1 to 128 bytes without control characters. */
export function asName(value: Json | undefined, place: string): string {
  if (typeof value !== 'string' || value === '' || control.test(value) || value.length > 128 || utf8Bytes.encode(value).length > 128)
    throw new Refused(`${place}: not an id`);
  return value;
}

/** Reads a whole number from 0 to 2^53-1. */
export function asCount(value: Json | undefined, place: string): number {
  if (typeof value !== 'number' || value < 0 || Object.is(value, -0)) throw new Refused(`${place}: not a count`);
  return value;
}

/** Reads one of a closed list of words. */
export function asOneOf<T extends string>(list: readonly T[], value: Json | undefined, place: string): T {
  const found = list.find((word) => word === value);
  if (found === undefined) throw new Refused(`${place}: not on the contract's list`);
  return found;
}

const timeForm = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/;

/** Reads RFC 3339 in UTC with exactly three decimals and Z; gives milliseconds since 1970. */
export function asTime(value: Json | undefined, place: string): number {
  if (typeof value !== 'string' || !timeForm.test(value)) throw new Refused(`${place}: not a time`);
  const at = Date.parse(value);
  // The 30th of February parses in some engines: the only proof is to write it back.
  if (Number.isNaN(at) || new Date(at).toISOString() !== value) throw new Refused(`${place}: no such time`);
  return at;
}

/** Orders two texts by their UTF-8 bytes, which is the contract's "ascending". */
export function byBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // Halves of a pair stand for characters above all others, whatever their own number.
    const highX = x >= 0xd800 && x <= 0xdfff;
    const highY = y >= 0xd800 && y <= 0xdfff;
    return highX === highY ? x - y : highX ? 1 : -1;
  }
  return a.length - b.length;
}
