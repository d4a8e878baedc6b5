/** Which language, and how times, lengths and counts are worded in it. The words themselves are in web/phrases, one file a language. */
import type { End, Item, Threat, ZoneState } from '@tocsin/client';
import type en from '../../../phrases/en.json';
import instructionOf from '../../../phrases/texts.json';

/** All the words of the page in one language. What stands in braces is filled in by {@link fill}. */
export type Phrases = typeof en;

/** The languages by their own names. */
export const languages = { uk: 'Українська', en: 'English', he: 'עברית', ar: 'العربية', ru: 'Русский' } as const;
export type Language = keyof typeof languages;

const files: Readonly<Record<Language, () => Promise<{ readonly default: Phrases }>>> = {
  uk: () => import('../../../phrases/uk.json'),
  en: () => import('../../../phrases/en.json'),
  he: () => import('../../../phrases/he.json'),
  ar: () => import('../../../phrases/ar.json'),
  ru: () => import('../../../phrases/ru.json'),
};

/** Loads the words of a language: the one that is read, and no other. */
export async function loadPhrases(language: Language): Promise<Phrases> {
  return (await files[language]()).default;
}

/** What the light can say, in one word each. */
export type Light = keyof Phrases['light'];

/** Key of a pre-agreed text, as the board's items carry it. */
export type TextKey = `${'prepare' | 'shelter'}-${Threat}` | End;

/** A pre-agreed text: what it is, and what people do. */
export interface Text {
  readonly headline: string;
  readonly instruction: string;
}

/** The wordings of one count, by the language's plural rules. */
export type Plural = Readonly<Partial<Record<Intl.LDMLPluralRule, string>>> & { readonly other: string };

export function isLanguage(code: string): code is Language {
  return Object.hasOwn(languages, code);
}

/** The language to begin with: the one asked for in the address, else chosen before, else the reader's own, else the deployment's first. */
export function chooseLanguage(asked: string | null, saved: string | null, wanted: readonly string[], offered: readonly string[]): Language {
  const codes = [asked ?? '', saved ?? '', ...wanted.map((tag) => tag.toLowerCase().split('-')[0] ?? ''), ...offered];
  return codes.find(isLanguage) ?? 'en';
}

/** Puts words into a sentence: `{time}` becomes `values.time`. */
export function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (hole, name: string) => values[name] ?? hole);
}

function textOfKey(phrases: Phrases, key: TextKey): Text {
  const which = instructionOf[key] as keyof Phrases['instructions'];
  return { headline: phrases.headlines[key], instruction: phrases.instructions[which] };
}

/** The pre-agreed text of an item; an unknown key is worded from stage and threat, so that nothing is left unsaid. */
export function textOf(phrases: Phrases, item: Item): Text {
  if (Object.hasOwn(phrases.headlines, item.text)) return textOfKey(phrases, item.text as TextKey);
  return textOfKey(phrases, item.stage === 'quiet' ? (item.end ?? 'expired') : (`${item.stage}-${item.threat}` as const));
}

/** What is said where a warning ran out or vanished. */
export function noNews(phrases: Phrases): Text {
  return textOfKey(phrases, 'expired');
}

/** What a place is told, which needs so many seconds to shelter: where there is no time to reach one, nobody is sent there, and who is to be ready is in one before. */
export function toldOf(phrases: Phrases, { condition, item }: ZoneState, shelter: number | undefined): Text {
  const text = condition === 'no-news' ? noNews(phrases) : textOf(phrases, item);
  if (shelter !== 0 || (condition !== 'shelter' && condition !== 'prepare')) return text;
  return { ...text, instruction: condition === 'shelter' ? phrases.when.noTimeText : phrases.when.noTimeReady };
}

/** How a language writes times and lengths. Digits are European everywhere, as on the sirens' timetable and in CAP. */
export class Wording {
  readonly #time: Intl.DateTimeFormat;
  readonly #day: Intl.DateTimeFormat;
  readonly #units = new Map<string, Intl.NumberFormat>();
  readonly #number: Intl.NumberFormat;
  readonly #plural: Intl.PluralRules;
  readonly #locale: string;

  constructor(language: Language) {
    this.#locale = `${language}-u-nu-latn`;
    this.#time = new Intl.DateTimeFormat(this.#locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    this.#day = new Intl.DateTimeFormat(this.#locale, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    this.#number = new Intl.NumberFormat(this.#locale);
    this.#plural = new Intl.PluralRules(language);
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

  /** A count of something, with the form of the word that goes with it. */
  count(forms: Plural, n: number): string {
    return fill(forms[this.#plural.select(n)] ?? forms.other, { n: this.number(n) });
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
