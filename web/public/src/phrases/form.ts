import type { End, Threat } from '@tocsin/client';

/** What the light can say, in one word each. */
export type Light = 'connecting' | 'quiet' | 'warned' | 'deaf' | 'clock' | 'blind';

/** Key of a pre-agreed text, as the board's items carry it. */
export type TextKey = `${'prepare' | 'shelter'}-${Threat}` | End;

/** A pre-agreed text: what it is, and what people do. */
export interface Text {
  readonly headline: string;
  readonly instruction: string;
}

/** All the words of the page in one language. A function takes what stands in the middle of the sentence, already worded. */
export interface Phrases {
  /** The language's own name. */
  readonly language: string;
  readonly dir: 'ltr' | 'rtl';
  readonly exercise: string;
  readonly exerciseNote: string;
  readonly title: string;
  readonly unconfigured: string;
  readonly chooseLanguage: string;
  readonly light: Readonly<Record<Light, string>>;
  readonly threats: Readonly<Record<Threat, string>>;
  readonly texts: Readonly<Record<TextKey, Text>>;
  readonly sure: string;
  readonly sures: Readonly<Record<'low' | 'medium' | 'high', string>>;

  readonly deaf: { readonly title: string; readonly text: (lastHeard: string) => string; readonly never: string };
  readonly clock: string;
  readonly blind: string;
  readonly partial: string;

  readonly place: {
    readonly title: string;
    readonly invite: string;
    readonly quiet: string;
    readonly quietText: string;
    readonly unknown: string;
    readonly unknownText: string;
    readonly last: string;
    readonly change: string;
    readonly forget: string;
    readonly gone: string;
    readonly search: string;
    readonly searchHint: string;
    readonly found: (count: string) => string;
    readonly none: string;
    readonly locate: string;
    readonly locating: string;
    readonly stays: string;
    readonly denied: string;
    readonly nowhere: string;
    readonly nearest: (distance: string) => string;
    readonly loading: string;
  };
  readonly when: {
    readonly since: (time: string) => string;
    readonly until: (time: string) => string;
    readonly stay: string;
    readonly arrival: string;
    readonly arrivalEarliest: (time: string) => string;
    readonly arrivalAt: (earliest: string, likely: string) => string;
    readonly anyMoment: string;
    readonly unknownArrival: string;
    readonly reach: (duration: string) => string;
    /** Where no time is set: what the policy counts on. */
    readonly reckon: (duration: string) => string;
    readonly noTime: string;
  };
  readonly sound: {
    readonly off: string;
    readonly arm: string;
    readonly on: string;
    readonly onWithoutPlace: string;
    readonly stop: string;
    readonly open: string;
  };
  readonly test: {
    readonly title: string;
    readonly about: string;
    readonly start: string;
    readonly stop: string;
    readonly waiting: (wait: string) => string;
    readonly heard: string;
    readonly verified: string;
    readonly sounded: string;
    readonly silent: string;
    readonly passed: (delay: string) => string;
    readonly failed: string;
  };
  readonly list: {
    readonly title: string;
    readonly empty: string;
    readonly emptyDeaf: string;
    readonly groups: Readonly<Record<'shelter' | 'prepare' | 'no-news' | 'all-clear' | 'cancelled', string>>;
    readonly everywhere: string;
    readonly places: (count: number) => string;
    readonly more: (count: string) => string;
    readonly choose: (place: string) => string;
  };
  readonly map: {
    readonly title: string;
    readonly about: string;
    readonly loading: string;
    readonly none: string;
    readonly legend: string;
    readonly whole: string;
    readonly mine: string;
    readonly zoomIn: string;
    readonly zoomOut: string;
  };
  readonly about: string;
}
