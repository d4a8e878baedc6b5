/** Which language, and how times, lengths and waits are worded in it. */
import type { Item } from '@tocsin/client';
import { ar } from './ar';
import { en } from './en';
import type { Phrases, Text, TextKey } from './form';
import { he } from './he';
import { ru } from './ru';
import { uk } from './uk';

export type { Light, Phrases, Text, TextKey } from './form';

export const languages = { uk, en, he, ar, ru } as const satisfies Record<string, Phrases>;
export type Language = keyof typeof languages;

export function isLanguage(code: string): code is Language {
  return Object.hasOwn(languages, code);
}

/** The language to begin with: the one chosen before, else the reader's own, else the deployment's first. */
export function chooseLanguage(saved: string | null, wanted: readonly string[], offered: readonly string[]): Language {
  const codes = [saved ?? '', ...wanted.map((tag) => tag.toLowerCase().split('-')[0] ?? ''), ...offered];
  return codes.find(isLanguage) ?? 'en';
}

/** The pre-agreed text of an item; an unknown key is worded from stage and threat, so that nothing is left unsaid. */
export function textOf(phrases: Phrases, item: Item): Text {
  const key = item.text;
  if (Object.hasOwn(phrases.texts, key)) return phrases.texts[key as TextKey];
  return phrases.texts[item.stage === 'quiet' ? (item.end ?? 'expired') : (`${item.stage}-${item.threat}` as const)];
}

/** How a language writes times and lengths. Digits are European everywhere, as on the sirens' timetable and in CAP. */
export class Wording {
  readonly #time: Intl.DateTimeFormat;
  readonly #day: Intl.DateTimeFormat;
  readonly #units = new Map<string, Intl.NumberFormat>();
  readonly #number: Intl.NumberFormat;
  readonly #list: Intl.ListFormat;
  readonly #locale: string;

  constructor(language: Language) {
    this.#locale = `${language}-u-nu-latn`;
    this.#time = new Intl.DateTimeFormat(this.#locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    this.#day = new Intl.DateTimeFormat(this.#locale, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    this.#number = new Intl.NumberFormat(this.#locale);
    this.#list = new Intl.ListFormat(this.#locale, { style: 'short', type: 'unit' });
  }

  #unit(unit: string, digits: number): Intl.NumberFormat {
    const name = `${unit}${digits}`;
    let format = this.#units.get(name);
    if (format === undefined) {
      format = new Intl.NumberFormat(this.#locale, { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: digits });
      this.#units.set(name, format);
    }
    return format;
  }

  /** A time of day; with the day where it is not today. */
  time(at: number, now: number): string {
    const sameDay = new Date(at).toDateString() === new Date(now).toDateString();
    return (sameDay ? this.#time : this.#day).format(at);
  }

  number(n: number): string {
    return this.#number.format(n);
  }

  /** A length of time that people act on: "90 seconds", "3 minutes". */
  duration(seconds: number): string {
    return seconds > 120 && seconds % 60 === 0 ? this.#unit('minute', 0).format(seconds / 60) : this.#unit('second', 0).format(seconds);
  }

  /** A delay that is measured: "0.34 seconds". */
  delay(ms: number): string {
    return this.#unit('second', 2).format(ms / 1000);
  }

  distance(metres: number): string {
    return metres < 1000 ? this.#unit('meter', 0).format(Math.round(metres / 10) * 10) : this.#unit('kilometer', 1).format(metres / 1000);
  }

  list(words: readonly string[]): string {
    return this.#list.format(words);
  }

  compare(a: string, b: string): number {
    return a.localeCompare(b, this.#locale);
  }
}

/** A countdown: 1:05, 12:00, 1:02:03. */
export function countdown(ms: number): string {
  const total = Math.max(0, Math.ceil(ms / 1000));
  const pad = (n: number): string => String(n).padStart(2, '0');
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor((total % 3600) / 60);
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(total % 60)}` : `${minutes}:${pad(total % 60)}`;
}
