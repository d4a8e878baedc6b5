/**
 * "Test my device": follows the chain `test`, which warns for 20 s of every minute for ever, through all that a
 * warning passes, and says at which step the path breaks. It ends by itself with the test's all-clear.
 */
import { connect, createClient } from '@tocsin/client';
import type { Answer, Change, Client, Connection } from '@tocsin/client';
import type { Alarm } from './alarm';
import type { Config } from './config';

const region = 'test';
const zone = 'TEST';
/** How long a service may take to be heard, and to say something that can be verified. */
const hearing = 20_000;
/** A test warning comes every 60 s, its all-clear 20 s after it; with this much for the way. */
const toWarning = 80_000;
const toEnd = 35_000;
/** How long the test warning holds. */
const warned = 20_000;

/** What a warning passes on its way, in order. */
export const steps = ['connection', 'signature', 'clock', 'warning', 'sound', 'end'] as const;
export type Step = (typeof steps)[number];
export type Outcome = 'waiting' | 'passed' | 'failed';

/** How it ended: the whole path works, it broke at a step, or a real warning came. */
export type Result = 'whole' | Step | 'stopped';

const untried: Readonly<Record<Step, Outcome>> = { connection: 'waiting', signature: 'waiting', clock: 'waiting', warning: 'waiting', sound: 'waiting', end: 'waiting' };

export class Rehearsal {
  running = $state(false);
  outcomes = $state.raw(untried);
  /** Undefined while it runs, and before it ever ran. */
  result = $state<Result>();
  /** The test warning holds now, by the device's clock until this time. */
  warnedUntil = $state<number>();
  /** Milliseconds from signing to here; undefined where the clocks are apart. */
  delay = $state<number>();
  #client: Client | undefined;
  #connection: Connection | undefined;
  #timers: ReturnType<typeof setTimeout>[] = [];

  constructor(
    readonly config: Config,
    readonly alarm: Alarm,
  ) {}

  start(): void {
    this.#close();
    this.running = true;
    this.outcomes = untried;
    this.result = this.delay = this.warnedUntil = undefined;
    this.#client = createClient({ root: this.config.root, universe: this.config.universe, regions: [region] });
    this.#connection = connect(location.origin, this.#client, { regions: [region], onAnswer: (answer) => this.#take(answer) });
    this.#within(hearing, 'connection', 'signature');
    this.#within(toWarning, 'warning');
  }

  /** Ends it without a result, or because there is a real warning. */
  stop(result?: 'stopped'): void {
    this.#close();
    this.result = result;
  }

  /** Fails at the first of these steps that was not passed in time. */
  #within(ms: number, ...needed: Step[]): void {
    const look = (): void => {
      const missing = needed.find((step) => this.outcomes[step] !== 'passed');
      if (missing === undefined) return;
      this.#note(missing, 'failed');
      this.#finish();
    };
    this.#timers.push(setTimeout(look, ms));
  }

  #note(step: Step, outcome: Outcome): void {
    if (this.outcomes[step] !== outcome) this.outcomes = { ...this.outcomes, [step]: outcome };
  }

  #take({ frame, verdict }: Answer): void {
    if (!this.running) return;
    this.#note('connection', 'passed');
    if (frame === undefined) return;
    this.#note('signature', 'passed');
    this.#note('clock', this.#client?.clock(region) === true ? 'failed' : 'passed');
    // Only a change proves the path of a warning; a board is fetched, and may be old.
    if (verdict === 'taken' && frame.kind === 'change') this.#changed(frame);
  }

  #changed(frame: Change): void {
    const item = frame.items.find(({ zones }) => zones.includes(zone));
    if (item?.stage === 'shelter') {
      this.alarm.play('test');
      this.#note('warning', 'passed');
      this.#note('sound', this.alarm.armed ? 'passed' : 'failed');
      this.delay = this.outcomes.clock === 'passed' ? Math.max(0, Date.now() - frame.at) : undefined;
      this.warnedUntil = Date.now() + warned;
      this.#within(toEnd, 'end');
    } else if (item?.end === 'all-clear' && this.outcomes.warning === 'passed') {
      this.#note('end', 'passed');
      this.#finish();
    }
  }

  #finish(): void {
    this.#close();
    this.result = steps.find((step) => this.outcomes[step] === 'failed') ?? 'whole';
  }

  #close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
    this.#connection?.close();
    this.#connection = undefined;
    this.running = false;
    this.warnedUntil = undefined;
  }
}
