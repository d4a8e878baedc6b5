/** "Test my device": follows the chain `test`, which warns every minute for ever, through all that a warning passes. */
import { connect, createClient } from '@tocsin/client';
import type { Answer, Connection } from '@tocsin/client';
import type { Alarm } from './alarm';
import type { Config } from './config';

const region = 'test';
const zone = 'TEST';
/** A test warning comes every 60 s; with this much for the way. */
const patience = 90_000;

export type Step = 'idle' | 'waiting' | 'passed' | 'failed';

export class Rehearsal {
  step = $state<Step>('idle');
  /** A frame came, and its signature held. */
  heard = $state(false);
  sounded = $state(false);
  /** Milliseconds from signing to here; only meant with a clock that is right. */
  delay = $state(0);
  startedAt = $state(0);
  #connection: Connection | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly config: Config,
    readonly alarm: Alarm,
  ) {}

  start(): void {
    this.stop();
    this.step = 'waiting';
    this.heard = false;
    this.sounded = false;
    this.startedAt = Date.now();
    const client = createClient({ root: this.config.root, universe: this.config.universe, regions: [region] });
    this.#connection = connect(location.origin, client, { regions: [region], onAnswer: (answer) => this.#take(answer) });
    this.#timer = setTimeout(() => this.#end('failed'), patience);
  }

  stop(): void {
    this.#end('idle');
  }

  #take({ verdict, frame }: Answer): void {
    if (this.step !== 'waiting' || verdict !== 'taken' || frame === undefined) return;
    this.heard = true;
    // Only a change proves the path of a warning; a board is fetched, and may be old.
    if (frame.kind !== 'change' || !frame.items.some((item) => item.stage === 'shelter' && item.zones.includes(zone))) return;
    this.delay = Math.max(0, Date.now() - frame.at);
    this.sounded = this.alarm.armed;
    this.alarm.play('test');
    this.#end('passed');
  }

  #end(step: Step): void {
    clearTimeout(this.#timer);
    this.#connection?.close();
    this.#connection = undefined;
    this.step = step;
  }
}
