/** The language the page speaks, and who it says it for. */
import { Wording, chooseLanguage, languages } from '../phrases';
import type { Language, Phrases } from '../phrases';
import type { Config } from './config';
import { keep, recall } from './place';

const kept = 'tocsin.language';

export class Speech {
  language = $state<Language>('en');
  readonly phrases: Phrases = $derived(languages[this.language]);
  readonly wording = $derived(new Wording(this.language));
  readonly exercise: boolean;

  constructor(config: Config | undefined) {
    this.language = chooseLanguage(recall(kept), navigator.languages, config?.languages ?? []);
    this.exercise = config?.universe === 'exercise';
  }

  choose(language: Language): void {
    this.language = language;
    keep(kept, language);
  }

  /** A line as it is spoken or put into a title: in an exercise it says so first. */
  line(text: string): string {
    return this.exercise ? `${this.phrases.exercise}: ${text}` : text;
  }
}
