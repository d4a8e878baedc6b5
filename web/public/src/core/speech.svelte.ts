/** The language the page speaks, and who it says it for. */
import { Wording, chooseLanguage, fill, loadPhrases } from '../phrases';
import type { Language, Phrases } from '../phrases';
import type { Config } from './config';
import { keep, recall } from './place';

const kept = 'tocsin.language';
const retryAfter = 2_000;

/** The language that this reader is to be spoken to in. */
export function languageFor(config: Config | undefined): Language {
  return chooseLanguage(new URLSearchParams(location.search).get('lang'), recall(kept), navigator.languages, config?.languages ?? []);
}

export class Speech {
  language = $state<Language>('en');
  phrases: Phrases;
  readonly wording = $derived(new Wording(this.language));
  readonly exercise: boolean;
  #wanted: Language;

  constructor(config: Config | undefined, language: Language, phrases: Phrases) {
    this.language = this.#wanted = language;
    this.phrases = $state.raw(phrases);
    this.exercise = config?.universe === 'exercise';
  }

  /** Speaks another language, as soon as its words are here. */
  async choose(language: Language): Promise<void> {
    this.#wanted = language;
    keep(kept, language);
    const phrases = await patiently(language, () => this.#wanted === language);
    if (phrases === undefined) return;
    this.phrases = phrases;
    this.language = language;
  }

  /** A sentence with its holes filled. */
  fill(text: string, values: Readonly<Record<string, string>>): string {
    return fill(text, values);
  }

  /** A line as it is spoken or put into a title: in an exercise it says so first. */
  line(text: string): string {
    return this.exercise ? `${this.phrases.exercise}: ${text}` : text;
  }
}

/** Loads words until they are here; undefined where they are no longer wanted. */
export async function patiently(language: Language, wanted: () => boolean): Promise<Phrases | undefined> {
  while (wanted()) {
    try {
      const phrases = await loadPhrases(language);
      return wanted() ? phrases : undefined;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, retryAfter));
    }
  }
  return undefined;
}
