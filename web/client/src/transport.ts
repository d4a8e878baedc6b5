/**
 * Carries lines from a service to a client: the key list every 30 s, the stream, the board
 * when the client asks for it, and all of it again when the connection breaks. It believes
 * nothing: every line goes to the client, and only its verdict counts.
 */
import type { Answer, Client } from './client.js';
import { eventsOf, linesOf } from './sse.js';

export interface TransportOptions {
  /** The chains to ask for; those the client follows. */
  readonly regions: readonly string[];
  /** Told of every verdict, as soon as there is one, with the line it is about. */
  readonly onAnswer?: (answer: Answer, from: From, line: string) => void;
  /** Told of what went wrong on the way; never needed for safety, since silence is noticed by the client. */
  readonly onError?: (cause: unknown) => void;
  readonly fetch?: typeof globalThis.fetch;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** From 0 up to 1; spreads a herd of clients. */
  readonly random?: () => number;
}

/** Where a line came from. */
export type From = 'keys' | 'board' | 'stream';

/** A running transport. */
export interface Connection {
  /** Connects again at once: for when the device wakes up or is online again. */
  wake(): void;
  /** Ends it; nothing is called after this. */
  close(): void;
}

const keysEvery = 30_000;
const keysAtMostEvery = 5_000;
const boardAtMostEvery = 1_000;
/** A stream with a beat every 10 s that is silent for this long is broken, whatever the network says. */
const silence = 25_000;
const requestLimit = 15_000;
const retryLeast = 500;
const retryMost = 10_000;
/** Changes kept of a region while its board is fetched. */
const maxEarly = 16;
/** A board of 1 MiB and a beat. */
const maxAnswer = 3 << 20;

/** Connects a client to the service at `url`, its origin or a path below which `/v1` is. */
export function connect(url: string | URL, client: Client, options: TransportOptions): Connection {
  const transport = new Transport(new URL(url), client, options);
  transport.start();
  return transport;
}

class Transport implements Connection {
  readonly #closed = new AbortController();
  readonly #fetch: typeof globalThis.fetch;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #owed = new Set<string>();
  /** Changes that came before the board they need, by region; they are given again after it. */
  readonly #early = new Map<string, string[]>();
  #stream = new AbortController();
  #retry = 2_000;
  #failures = 0;
  #keysAt = -Infinity;
  #keysRunning: Promise<void> | undefined;
  #boardsRunning = false;
  #endPause: (() => void) | undefined;

  constructor(
    readonly url: URL,
    readonly client: Client,
    readonly options: TransportOptions,
  ) {
    this.#fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
    this.#now = options.now ?? Date.now;
    this.#random = options.random ?? Math.random;
  }

  start(): void {
    void this.#keepKeys();
    void this.#keepStream();
  }

  wake(): void {
    this.#failures = 0;
    this.#endPause?.();
    this.#stream.abort();
  }

  close(): void {
    this.#closed.abort();
    this.#stream.abort();
    this.#endPause?.();
  }

  get #over(): boolean {
    return this.#closed.signal.aborted;
  }

  #at(path: string, regions: readonly string[] = []): URL {
    const at = new URL(`v1/${path}`, this.url);
    for (const region of regions) at.searchParams.append('region', region);
    return at;
  }

  #fail(cause: unknown): void {
    if (!this.#over) this.options.onError?.(cause);
  }

  /** Waits, unless the transport is closed. */
  async #wait(ms: number, interruptible = false): Promise<void> {
    if (this.#over) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#closed.signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#closed.signal.addEventListener('abort', end);
      if (interruptible) this.#endPause = end;
    });
  }

  /** Fetches a short answer of lines, within limits of size and time. */
  async #lines(at: URL): Promise<string[]> {
    const request = new AbortController();
    const end = (): void => request.abort();
    const limit = setTimeout(end, requestLimit);
    this.#closed.signal.addEventListener('abort', end);
    try {
      const answer = await this.#fetch(at, { signal: request.signal, cache: 'no-cache', credentials: 'omit' });
      if (!answer.ok || answer.body === null) throw new Error(`transport: ${at.pathname}: answered ${answer.status}`);
      const lines: string[] = [];
      let size = 0;
      for await (const line of linesOf(answer.body, () => undefined)) {
        size += line.length;
        if (size > maxAnswer) throw new RangeError(`transport: ${at.pathname}: too much`);
        if (line !== '') lines.push(line);
      }
      return lines;
    } finally {
      clearTimeout(limit);
      this.#closed.signal.removeEventListener('abort', end);
    }
  }

  #tell(answer: Answer, from: From, line: string): void {
    if (!this.#over) this.options.onAnswer?.(answer, from, line);
  }

  async #keepKeys(): Promise<void> {
    while (!this.#over) {
      await this.#fetchKeys();
      await this.#wait(keysEvery);
    }
  }

  /** Fetches the key list, but not twice at once. */
  #fetchKeys(): Promise<void> {
    this.#keysRunning ??= (async () => {
      this.#keysAt = this.#now();
      try {
        for (const line of (await this.#lines(this.#at('keys'))).slice(0, 1)) {
          this.#tell(await this.client.keys(line, this.#now()), 'keys', line);
        }
      } catch (cause) {
        this.#fail(cause);
      } finally {
        this.#keysRunning = undefined;
      }
    })();
    return this.#keysRunning;
  }

  async #take(line: string, from: 'board' | 'stream', region: string | undefined): Promise<void> {
    if (this.client.serial === undefined) await this.#fetchKeys();
    let answer = await this.client.take(line, this.#now());
    const since = this.#now() - this.#keysAt;
    if (answer.verdict === 'unknown-key' && (since >= keysAtMostEvery || since < 0)) {
      await this.#fetchKeys();
      answer = await this.client.take(line, this.#now());
    }
    this.#tell(answer, from, line);
    const { frame, verdict } = answer;
    if (verdict === 'fetch' && frame?.kind === 'change') this.#early.set(frame.region, [...(this.#early.get(frame.region) ?? []), line].slice(-maxEarly));
    if (from === 'stream' && (answer.verdict === 'fetch' || answer.verdict === 'unknown-key')) this.#owe(answer.frame?.region ?? region);
  }

  /** Notes that a region's board is to be fetched. Without a region: all of them. */
  #owe(region: string | undefined): void {
    for (const one of region === undefined ? this.options.regions : [region]) this.#owed.add(one);
    if (!this.#boardsRunning) void this.#payBoards();
  }

  async #payBoards(): Promise<void> {
    this.#boardsRunning = true;
    while (this.#owed.size > 0 && !this.#over) {
      const due = [...this.#owed];
      this.#owed.clear();
      for (const region of due) await this.#fetchBoard(region);
      await this.#wait(boardAtMostEvery);
    }
    this.#boardsRunning = false;
  }

  async #fetchBoard(region: string): Promise<void> {
    try {
      const lines = (await this.#lines(this.#at('board', [region]))).slice(0, 2);
      // A board from a cache may be older than a change that is already here.
      const early = this.#early.get(region) ?? [];
      this.#early.delete(region);
      const [board, beat] = lines;
      for (const line of [board, ...early, beat]) if (line !== undefined) await this.#take(line, 'board', region);
    } catch (cause) {
      this.#fail(cause);
    }
  }

  async #keepStream(): Promise<void> {
    while (!this.#over) {
      try {
        await this.#followStream();
      } catch (cause) {
        this.#fail(cause);
      }
      if (this.#over) return;
      this.#failures++;
      // A service that has no stream, or a copy of its files on another server, still has the board.
      if (this.#failures > 1) this.#owe(undefined);
      const most = Math.min(retryMost, Math.max(retryLeast, this.#retry) * 2 ** Math.min(this.#failures - 1, 5));
      await this.#wait(retryLeast + this.#random() * (most - retryLeast), true);
    }
  }

  async #followStream(): Promise<void> {
    const stream = new AbortController();
    this.#stream = stream;
    let watch = setTimeout(() => stream.abort(), silence);
    const heard = (): void => {
      clearTimeout(watch);
      watch = setTimeout(() => stream.abort(), silence);
    };
    try {
      const answer = await this.#fetch(this.#at('stream', this.options.regions), {
        signal: stream.signal,
        headers: { Accept: 'text/event-stream' },
        cache: 'no-store',
        credentials: 'omit',
      });
      if (!answer.ok || answer.body === null) throw new Error(`transport: stream: answered ${answer.status}`);
      for await (const event of eventsOf(linesOf(answer.body, heard))) {
        if (this.#over) return;
        if (event.retry !== undefined) this.#retry = event.retry;
        if (event.data === undefined || event.data === '') continue;
        this.#failures = 0;
        await this.#take(event.data, 'stream', undefined);
      }
    } finally {
      clearTimeout(watch);
      stream.abort();
    }
  }
}
