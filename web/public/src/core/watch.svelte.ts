/**
 * What the page knows: the verified state of all zones, of the reader's own places, and of
 * the connection. A frame goes from here to the siren and the screen at once; names, shapes
 * and the map come after it and are not waited for.
 */
import { flushSync } from 'svelte';
import { byGravity, connect, createClient } from '@tocsin/client';
import type { Answer, Client, Connection, From, Picture, ZoneState } from '@tocsin/client';
import type { Light } from '../phrases';
import { Alarm } from './alarm';
import type { Sound } from './alarm';
import type { Config } from './config';
import { keep, keepPlaces, mostPlaces, placeOf, recall, recallPlaces } from './place';
import type { Place } from './place';
import { keptRegistry, loadRegistry } from './zones';
import type { Named, Registry } from './zones';

/** How long connecting may take before the page calls it no connection. */
const patience = 20_000;
const hour = 3_600_000;
/** The longest board that is kept on the device, in characters. */
const maxKept = 1 << 19;
const retryLeast = 2_000;
const retryMost = 60_000;

/** Whether and how the service is heard. */
export interface Hearing {
  /** Nothing was heard since the page was opened, and it was opened just now. */
  readonly connecting: boolean;
  readonly deaf: boolean;
  readonly clock: boolean;
  readonly picture: Picture | undefined;
  /** When the newest frame came; undefined before the first. */
  readonly lastAt: number | undefined;
}

/** One of the reader's places, and what is said of it or of a zone it lies in; undefined is quiet, if the service is heard. */
export interface Told {
  readonly place: Place;
  readonly state: ZoneState | undefined;
}

/** What a place sounds, the gravest first. */
const sounds = ['shelter', 'prepare', 'lost', 'cancelled', 'all-clear'] as const satisfies readonly Sound[];

export class Watch {
  now = $state(Date.now());
  zones = $state.raw<ReadonlyMap<string, ZoneState>>(new Map());
  hearing = $state.raw<Hearing>({ connecting: true, deaf: false, clock: false, picture: undefined, lastAt: undefined });
  /** The places that were chosen, oldest first. */
  places = $state.raw<readonly Place[]>(recallPlaces());
  /** Ids of places that are not in the newest registry. */
  gone = $state.raw<ReadonlySet<string>>(new Set());
  /** When the state that the device kept was signed; undefined once the service itself was heard. */
  keptAt = $state<number>();
  registry = $state.raw<Registry | undefined>();
  /** What is known of zones by name: all once the registry is there, before it those that the page came with. */
  readonly named: ReadonlyMap<string, Named> = $derived.by(() => this.registry?.zones ?? this.listed);
  armed = $state(false);
  sounding = $state(false);

  /** What is said of each place, the gravest first. */
  readonly told: readonly Told[] = $derived(this.places.map((place) => ({ place, state: this.#stateOf(place) })).sort(byStates));
  /** The gravest that is said of any of the places. */
  readonly mine: ZoneState | undefined = $derived(this.told[0]?.state);
  readonly full = $derived(this.places.length >= mostPlaces);
  /** The light of the places; before one is chosen, of the whole country. */
  readonly light: Light = $derived.by(() => {
    const { connecting, deaf, clock, picture } = this.hearing;
    if (connecting) return 'connecting';
    if (deaf) return 'deaf';
    const looked = this.places.length === 0 ? [...this.zones.values()] : this.told.map(({ state }) => state);
    if (looked.some((state) => state?.condition === 'shelter' || state?.condition === 'prepare')) return 'warned';
    if (clock) return 'clock';
    return picture === 'none' ? 'blind' : 'quiet';
  });

  readonly alarm: Alarm = new Alarm(() => this.#alarmChanged());
  readonly #client: Client;
  readonly #started = Date.now();
  #connection: Connection | undefined;
  #lastAt: number | undefined;
  /** When the state changes by itself, because something runs out. */
  #turn = Infinity;
  /** What was last told of each place, by its id, and whether it was loud. */
  readonly #said = new Map<string, { readonly state: ZoneState | undefined; readonly loud: boolean }>();
  #wanted: string | undefined;
  /** Whether the registry is needed so much that it is fetched where the device has not kept it. */
  #needed = false;

  constructor(
    readonly config: Config,
    readonly listed: ReadonlyMap<string, Named>,
  ) {
    this.#client = createClient({ root: config.root, universe: config.universe, regions: ['*'] });
  }

  /** Starts: first what the device kept, verified like everything else, then the service. */
  async start(): Promise<void> {
    setInterval(() => this.#tick(), 1000);
    void this.alarm.arm();
    await this.#recall();
    const connection = connect(location.origin, this.#client, { regions: ['*'], onAnswer: (answer, from, line) => this.#heard(answer, from, line) });
    this.#connection = connection;
    addEventListener('online', () => connection.wake());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible' && this.hearing.deaf) connection.wake();
    });
  }

  /** Makes a zone one of the reader's places. */
  choose(id: string, metres = 0): void {
    const place = this.registry === undefined ? undefined : placeOf(this.registry, id, metres);
    if (place === undefined || this.full || this.places.some((one) => one.id === id)) return;
    this.#keep([...this.places, place]);
    this.#speak();
  }

  /** Forgets a place. */
  forget(id: string): void {
    this.#keep(this.places.filter((place) => place.id !== id));
    this.#said.delete(id);
    this.#speak();
  }

  /** Connects again at once. */
  wake(): void {
    this.#connection?.wake();
  }

  #keep(places: readonly Place[]): void {
    this.places = places;
    keepPlaces(places);
  }

  #stateOf(place: Place): ZoneState | undefined {
    const said = [place.id, ...place.within].map((id) => this.zones.get(id)).filter((state) => state !== undefined);
    return said.sort(byGravity)[0];
  }

  /** One line was judged. This is the path of a shelter: it ends in the siren and on the screen. */
  #heard(answer: Answer, from: From, line: string): void {
    const { frame, verdict } = answer;
    if (frame !== undefined) {
      this.#lastAt = Date.now();
      this.keptAt = undefined;
      this.#look(verdict === 'taken' && frame.kind !== 'beat');
    }
    if (verdict === 'taken') setTimeout(() => this.#afterwards(from, line, frame?.kind === 'board'));
  }

  /** What can wait until the reader is warned. */
  #afterwards(from: From, line: string, isBoard: boolean): void {
    if (from === 'keys') keep(this.#name('keys'), line);
    else if (isBoard) keep(this.#name('board'), line.length <= maxKept ? line : undefined);
    this.#want(this.#client.set());
  }

  /** Looks again at the state of the zones (where it may have changed) and of the connection. */
  #look(changed: boolean): void {
    const now = Date.now();
    this.now = now;
    if (changed || now >= this.#turn) {
      this.zones = this.#client.state(now);
      this.#turn = turnOf(this.zones.values(), now);
      this.#speak();
    }
    this.#listen(now);
    flushSync();
  }

  #listen(now: number): void {
    // A device that knows that it has no network needs no patience.
    const connecting = this.#lastAt === undefined && now < this.#started + patience && navigator.onLine;
    const deaf = !connecting && (this.#lastAt === undefined || this.#client.deaf(now));
    const next: Hearing = { connecting, deaf, clock: this.#client.clock(), picture: this.#client.picture(), lastAt: this.#lastAt };
    const held = this.hearing;
    if (deaf && !held.deaf) this.alarm.play('lost');
    if (deaf !== held.deaf || connecting !== held.connecting || next.clock !== held.clock || next.picture !== held.picture || next.lastAt !== held.lastAt) this.hearing = next;
  }

  #tick(): void {
    this.#look(false);
  }

  /** Makes the sound that what is now said of the places calls for: of several the gravest. */
  #speak(): void {
    const wanted = new Set<Sound>();
    let sheltered = false;
    for (const place of this.places) {
      const state = this.#stateOf(place);
      sheltered ||= state?.condition === 'shelter';
      const said = this.#said.get(place.id);
      const sound = soundOf(state, said?.state, said?.loud ?? false);
      if (sound === undefined) continue;
      this.#said.set(place.id, { state, loud: this.alarm.armed });
      if (sound !== 'none') wanted.add(sound);
    }
    if (!sheltered) this.alarm.silence();
    const gravest = sounds.find((sound) => wanted.has(sound));
    if (gravest !== undefined) this.alarm.play(gravest);
  }

  #alarmChanged(): void {
    this.armed = this.alarm.armed;
    this.sounding = this.alarm.sounding;
    if (this.armed && !this.sounding) this.#speak();
  }

  #name(kept: 'keys' | 'board'): string {
    return `tocsin.${kept}.${this.config.universe}.${this.config.root}`;
  }

  /** Takes what was kept from the last visit: the last state is then known, and nothing older is taken for new. */
  async #recall(): Promise<void> {
    const [keys, board] = [recall(this.#name('keys')), recall(this.#name('board'))];
    if (keys === null || board === null) return;
    const now = Date.now();
    await this.#client.keys(keys, now);
    const { frame } = await this.#client.take(board, now);
    if (frame === undefined) return;
    this.keptAt = frame.at;
    this.#look(true);
    this.#want(this.#client.set());
  }

  /**
   * Has the registry fetched where the device has not kept it. It is several times as large as all that warns, so it
   * waits until a name is missing, a place is looked for or the map is there to show it.
   */
  need(): void {
    if (this.#needed) return;
    this.#needed = true;
    if (this.#wanted !== undefined && this.registry?.version !== this.#wanted) this.#load(this.#wanted);
  }

  /** Takes the registry of a version from the device, or else fetches it once it is needed. */
  #want(set: string | undefined): void {
    if (set === undefined) return;
    if ([...this.zones.keys()].some((id) => !this.named.has(id))) this.need();
    if (set === this.#wanted) return;
    this.#wanted = set;
    if (this.#needed) this.#load(set);
    else
      void keptRegistry(set).then((registry) => {
        if (registry !== undefined && this.#wanted === set && this.registry?.version !== set) this.#named(registry);
      });
  }

  /** Loads the registry of a version, trying again until it is there or another is wanted. */
  #load(set: string): void {
    let wait = retryLeast;
    const load = async (): Promise<void> => {
      try {
        const registry = await loadRegistry(set);
        if (this.#wanted === set) this.#named(registry);
      } catch {
        if (this.#wanted !== set) return;
        setTimeout(() => void load(), wait);
        wait = Math.min(retryMost, wait * 2);
      }
    };
    void load();
  }

  #named(registry: Registry): void {
    this.registry = registry;
    this.gone = new Set(this.places.filter(({ id }) => registry.zones.get(id)?.leaf !== true).map(({ id }) => id));
    if (this.places.length === 0) return;
    this.#keep(this.places.map((place) => placeOf(registry, place.id, place.metres) ?? place));
    this.#speak();
  }
}

function byStates(a: Told, b: Told): number {
  if (a.state === undefined || b.state === undefined) return Number(a.state === undefined) - Number(b.state === undefined);
  return byGravity(a.state, b.state);
}

/** The sound that goes with what is now said of a place after what was; undefined where nothing is new, `none` where what is new is silent. */
function soundOf(state: ZoneState | undefined, before: ZoneState | undefined, loud: boolean): Sound | 'none' | undefined {
  const same = state?.condition === before?.condition && state?.item.since === before?.item.since && state?.item.threat === before?.item.threat;
  if (same && (loud || state?.condition !== 'shelter')) return undefined;
  if (state === undefined) return 'none';
  if (state.condition === 'shelter' || state.condition === 'prepare') return state.condition;
  if (before === undefined || before.item.end !== undefined) return 'none';
  return state.condition === 'no-news' ? 'lost' : state.condition;
}

/** The next time at which something in the state runs out. */
function turnOf(states: Iterable<ZoneState>, now: number): number {
  let turn = now + hour;
  for (const { item } of states) {
    const at = item.end === undefined ? item.until : item.since + hour;
    if (at > now && at < turn) turn = at;
  }
  return turn;
}
