/**
 * A service for tests: it serves the built page as the gateway does and speaks the contract from
 * memory, with keys of its own. It holds no code of the page, nor of the Go program.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { extname, join, normalize } from 'node:path';
import type { Feature, FeatureCollection } from 'geojson';
import type { Item } from '../client/src/index.js';
import { Signer, item, keyList, pair } from './signer.js';
import type { Pair } from './signer.js';

const dist = new URL('../public/dist/', import.meta.url).pathname;
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.geojson': 'application/geo+json',
};

/** Six towns in a row of square zones, in one region; T0 has no time to shelter. */
export function towns(): FeatureCollection {
  const names = [
    ['Sumy', 'Суми', 'סומי', 'سومي'],
    ['Konotop', 'Конотоп', 'קונוטופ', 'كونوتوب'],
    ['Poltava', 'Полтава', 'פולטבה', 'بولتافا'],
    ['Kharkiv', 'Харків', 'חרקיב', 'خاركيف'],
    ['Dnipro', 'Дніпро', 'דניפרו', 'دنيبرو'],
    ['Izium', 'Ізюм', 'איזיום', 'إيزيوم'],
  ];
  const square = (west: number, south: number, east: number, north: number): Feature['geometry'] => ({
    type: 'Polygon',
    coordinates: [[[west, south], [east, south], [east, north], [west, north], [west, south]]],
  });
  const region: Feature = {
    type: 'Feature',
    properties: { id: 'R', level: 1, parent: '', region: 'R', names: { en: 'North-East', uk: 'Північний схід', he: 'צפון־מזרח' }, leaf: false, label: [33, 50] },
    geometry: square(30, 49, 36, 51),
  };
  const leaves = names.map(([en, uk, he, ar], i): Feature => ({
    type: 'Feature',
    properties: { id: `T${i}`, level: 2, parent: 'R', region: 'R', names: { en, uk, he, ar }, leaf: true, label: [30.5 + i, 50], shelter_s: i * 30 },
    geometry: square(30 + i, 49, 30.96 + i, 51),
  }));
  return { type: 'FeatureCollection', features: [region, ...leaves] };
}

export interface ServiceOptions {
  readonly universe?: 'live' | 'exercise';
  readonly zones?: FeatureCollection;
  readonly bounds?: [[number, number], [number, number]];
  readonly basemap?: string;
  readonly languages?: string[];
  readonly name?: string;
  /** Milliseconds to the promised next frame. */
  readonly next?: number;
  /** Milliseconds between beats. */
  readonly beat?: number;
  readonly lies?: Lies;
}

/** What a service says in place of its own words: for one that lies. */
export interface Lies {
  /** The root key that its page names, base64url. */
  readonly root: string;
  readonly keys: () => string;
  readonly board: () => readonly string[];
}

interface Reader {
  readonly answer: ServerResponse;
  readonly regions: readonly string[];
}

export class Service {
  readonly root: Pair = pair('root of the test');
  readonly key: Pair = pair('key of the test');
  signer: Signer;
  /** Serial of the key list, which always has the key of `signer`. */
  serial = 1;
  /** Keys that the list has and revokes. */
  revoked: Pair[] = [];
  /** Signs the test chain. */
  testSigner: Signer;
  /** Everything that was asked for, as "METHOD path". */
  readonly asked: string[] = [];
  /** Paths that are answered with 503 while they are in here. */
  readonly broken = new Set<string>();
  held: Item[] = [];
  seq = 100;
  testHeld: Item[] = [];
  testSeq = 10;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #readers = new Set<Reader>();
  readonly #zones: string;
  #beats: ReturnType<typeof setInterval> | undefined;
  #at = 0;

  constructor(readonly options: ServiceOptions = {}) {
    const defaults = { universe: options.universe ?? 'live', ...(options.next === undefined ? {} : { next: options.next }) };
    this.signer = new Signer(this.key, defaults);
    this.testSigner = new Signer(this.key, { ...defaults, region: 'test' });
    this.#zones = JSON.stringify(options.zones ?? towns());
    this.#server = createServer((request, answer) => this.#serve(request, answer));
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}/`;
  }

  async start(port = 0): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    this.#beats = setInterval(() => this.beat(), this.options.beat ?? 10_000);
    return this;
  }

  /** Dies at once, connections and all. */
  async kill(): Promise<void> {
    clearInterval(this.#beats);
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** The time of the next frame: now, but always after the one before. */
  at(): number {
    this.#at = Math.max(Date.now(), this.#at + 1);
    return this.#at;
  }

  /** Says a change of these items, and holds them. */
  say(...items: Item[]): string {
    const line = this.signer.change(this.seq, this.seq + 1, this.at(), items);
    this.seq++;
    this.held = merge(this.held, items);
    this.send(line);
    return line;
  }

  /** Says the next change of the test chain. */
  sayTest(stage: 'shelter' | 'all-clear'): void {
    const at = this.at();
    const said = [item(['TEST'], stage === 'shelter' ? { at, threat: 'unknown' } : { at, threat: 'unknown', stage: 'quiet', end: 'all-clear' })];
    const line = this.testSigner.change(this.testSeq, this.testSeq + 1, at, said);
    this.testSeq++;
    this.testHeld = said;
    this.send(line, 'test');
  }

  beat(): void {
    this.send(this.signer.beat(this.seq, this.at(), this.held));
    this.send(this.testSigner.beat(this.testSeq, this.at(), this.testHeld), 'test');
  }

  /** Sends any line to all who follow a region. */
  send(line: string, region = '*'): void {
    for (const reader of this.#readers) if (reader.regions.includes(region)) reader.answer.write(`data: ${line}\n\n`);
  }

  /** How many streams are open. */
  get readers(): number {
    return this.#readers.size;
  }

  #board(region: string): readonly string[] {
    if (this.options.lies !== undefined) return this.options.lies.board();
    if (region === 'test') return [this.testSigner.board(this.testSeq, this.at(), this.testHeld), this.testSigner.beat(this.testSeq, this.at(), this.testHeld)];
    return [this.signer.board(this.seq, this.at(), this.held), this.signer.beat(this.seq, this.at(), this.held)];
  }

  #serve(request: IncomingMessage, answer: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://service');
    this.asked.push(`${request.method} ${url.pathname}${url.search}`);
    if (this.broken.has(url.pathname)) return void answer.writeHead(503).end();
    if (!url.pathname.startsWith('/v1/')) return this.#file(url.pathname, answer);
    const regions = url.searchParams.getAll('region');
    switch (url.pathname) {
      case '/v1/keys':
        if (this.options.lies !== undefined) return void answer.end(`${this.options.lies.keys()}\n`);
        return void answer.end(`${keyList(this.root, Date.now(), [this.signer.by, ...this.revoked].map((by) => ({ by })), { universe: this.options.universe ?? 'live', serial: this.serial, revoked: this.revoked.map((one) => one.kid) })}\n`);
      case '/v1/board':
        return void answer.end(`${this.#board(regions[0] ?? '*').join('\n')}\n`);
      case '/v1/stream':
        return this.#stream(regions.length === 0 ? ['*'] : regions, answer);
      case '/v1/zones':
        return void answer.end(JSON.stringify({ version: 'set-1', url: '/v1/zones/set-1' }));
      case '/v1/zones/set-1':
        return void answer.writeHead(200, { 'Content-Type': 'application/geo+json' }).end(this.#zones);
      default:
        return void answer.writeHead(404).end();
    }
  }

  #stream(regions: readonly string[], answer: ServerResponse): void {
    answer.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    answer.write('retry: 600\n\n');
    for (const region of regions) for (const line of this.#board(region)) answer.write(`id: ${region}/1\ndata: ${line}\n\n`);
    const reader = { answer, regions };
    this.#readers.add(reader);
    answer.on('close', () => this.#readers.delete(reader));
  }

  #file(path: string, answer: ServerResponse): void {
    if (path === '/app.webmanifest') return void answer.setHeader('Content-Type', 'application/manifest+json').end(JSON.stringify({ name: 'Tocsin', start_url: '/', display: 'standalone', icons: [{ src: '/icon-192.png', sizes: '192x192', type: 'image/png' }, { src: '/icon-512.png', sizes: '512x512', type: 'image/png' }] }));
    const file = join(dist, normalize(path === '/' ? '/index.html' : path));
    if (!file.startsWith(dist) || !existsSync(file)) return void answer.writeHead(404).end();
    answer.setHeader('Content-Type', types[extname(file)] ?? 'application/octet-stream');
    answer.setHeader('X-Content-Type-Options', 'nosniff');
    answer.setHeader('Content-Security-Policy', readFileSync(new URL('../public/csp.txt', import.meta.url), 'utf8').replace(/\s+/g, ' ').trim());
    if (path === '/' || path === '/index.html') answer.end(this.page(path === '/'));
    else answer.end(readFileSync(file));
  }

  /** The page as the gateway serves it; without the list, as devices keep it. */
  page(withList: boolean): string {
    const { universe = 'live', languages = ['en', 'uk'], basemap = '', bounds = [[29.5, 48.5], [36.5, 51.5]], name = '' } = this.options;
    const config = JSON.stringify({ universe, root: this.options.lies?.root ?? this.root.x, languages, basemap, bounds, name }).replaceAll('<', '\\u003c');
    const list = this.held.map((one) => `<li>${one.zones.join(', ')}: ${one.text}</li>`).join('');
    return readFileSync(join(dist, 'index.html'), 'utf8')
      .replace('<!--tocsin:config-->', () => config)
      .replace('<!--tocsin:active-->', () => (withList ? `<ul id="active">${list}</ul>` : '<p>There is no news yet.</p>'));
  }
}

/** What is held once these items are said. */
function merge(held: readonly Item[], items: readonly Item[]): Item[] {
  const said = new Set(items.flatMap(({ zones }) => zones));
  const left = held.map((one) => ({ ...one, zones: one.zones.filter((zone) => !said.has(zone)) })).filter(({ zones }) => zones.length > 0);
  return [...left, ...items];
}
