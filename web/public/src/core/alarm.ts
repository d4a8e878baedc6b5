/**
 * The sounds of the page, made by the browser itself so that none has to be fetched:
 * a siren that rises and falls for shelter, a chime for prepare, one long calm chord for the
 * all-clear, a falling pair of notes for cancelled, two low notes for a lost connection, and
 * three short beeps, unlike any of these, for a test.
 */

export type Sound = 'shelter' | 'prepare' | 'all-clear' | 'cancelled' | 'lost' | 'test';

/** How long the siren sounds if nobody silences it, in seconds. */
const sirenSeconds = 60;
/** One rise and fall of the siren, in seconds. */
const sirenPeriod = 4;

interface Note {
  readonly hertz: number;
  /** Seconds from the start. */
  readonly at: number;
  readonly seconds: number;
  readonly loud: number;
  readonly type?: OscillatorType;
}

const tunes: Readonly<Record<Exclude<Sound, 'shelter'>, readonly Note[]>> = {
  prepare: [0, 1.2, 2.4].flatMap((at) => [
    { hertz: 660, at, seconds: 0.5, loud: 0.5 },
    { hertz: 880, at: at + 0.25, seconds: 0.7, loud: 0.5 },
  ]),
  'all-clear': [392, 493.9, 587.3].map((hertz) => ({ hertz, at: 0, seconds: 4, loud: 0.25 })),
  cancelled: [
    { hertz: 587.3, at: 0, seconds: 0.6, loud: 0.4 },
    { hertz: 440, at: 0.45, seconds: 1.2, loud: 0.4 },
  ],
  lost: [0, 0.5].map((at) => ({ hertz: 196, at, seconds: 0.35, loud: 0.5 })),
  test: [0, 0.3, 0.6].map((at) => ({ hertz: 1046.5, at, seconds: 0.15, loud: 0.2, type: 'square' })),
};

export class Alarm {
  #context: AudioContext | undefined;
  #stop: (() => void) | undefined;

  /** `onChange` is called when it becomes armed, unarmed, loud or silent. */
  constructor(readonly onChange: () => void) {}

  /** Whether a sound would be heard now, as far as a browser can tell. */
  get armed(): boolean {
    return this.#context?.state === 'running';
  }

  /** Whether the siren is sounding. */
  get sounding(): boolean {
    return this.#stop !== undefined;
  }

  /** Asks the browser for sound. It gives it at once to a page it trusts, else only within a tap or key press. */
  async arm(): Promise<void> {
    if (this.#context === undefined) {
      if (typeof AudioContext === 'undefined') return;
      this.#context = new AudioContext({ latencyHint: 'interactive' });
      this.#context.addEventListener('statechange', () => this.onChange());
    }
    // A browser that forbids it leaves the promise open for ever: it must not be waited for.
    this.#context.resume().then(this.onChange, this.onChange);
  }

  /** Sounds; a siren goes on until it ends or is silenced, and nothing softer interrupts it. */
  play(sound: Sound): void {
    const context = this.#context;
    if (context === undefined || !this.armed) return;
    if (sound === 'shelter') {
      this.#siren(context, sirenSeconds, 0.9);
      navigator.vibrate?.([800, 300, 800, 300, 800]);
      return;
    }
    if (!this.sounding) for (const note of tunes[sound]) playNote(context, note);
  }

  silence(): void {
    this.#stop?.();
  }

  #siren(context: AudioContext, seconds: number, loud: number): void {
    this.silence();
    const from = context.currentTime;
    const tone = new OscillatorNode(context, { type: 'sawtooth', frequency: 620 });
    const sweep = new OscillatorNode(context, { type: 'sine', frequency: 1 / sirenPeriod });
    const width = new GainNode(context, { gain: 320 });
    const soft = new BiquadFilterNode(context, { type: 'lowpass', frequency: 2400 });
    const volume = new GainNode(context, { gain: 0 });
    sweep.connect(width).connect(tone.frequency);
    tone.connect(soft).connect(volume).connect(context.destination);
    volume.gain.linearRampToValueAtTime(loud, from + 0.05);
    volume.gain.setValueAtTime(loud, from + seconds - 0.2);
    volume.gain.linearRampToValueAtTime(0, from + seconds);
    const stop = (): void => {
      tone.removeEventListener('ended', stop);
      tone.stop();
      sweep.stop();
      volume.disconnect();
      if (this.#stop === stop) this.#stop = undefined;
      this.onChange();
    };
    tone.addEventListener('ended', stop);
    this.#stop = stop;
    sweep.start(from);
    tone.start(from);
    tone.stop(from + seconds);
    this.onChange();
  }
}

function playNote(context: AudioContext, note: Note): void {
  const from = context.currentTime + note.at;
  const tone = new OscillatorNode(context, { type: note.type ?? 'triangle', frequency: note.hertz });
  const volume = new GainNode(context, { gain: 0 });
  tone.connect(volume).connect(context.destination);
  volume.gain.setValueAtTime(0, from);
  volume.gain.linearRampToValueAtTime(note.loud, from + 0.04);
  volume.gain.exponentialRampToValueAtTime(0.001, from + note.seconds);
  tone.start(from);
  tone.stop(from + note.seconds);
}
