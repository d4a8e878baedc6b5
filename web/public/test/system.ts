/**
 * The built program for tests: `tocsin serve` of the exercise universe on free ports of loopback, in a folder that is taken
 * away, and `tocsin replay` into it. Each process is ended by its own id.
 */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../../bin/tocsin', import.meta.url));

/** Why there is no program here; undefined where there is one. */
export const unbuilt = existsSync(program) ? undefined : 'bin/tocsin is not built';

/** A recorded history beside the project; undefined where it is absent. */
export function recorded(name: string): string | undefined {
  const shared = process.env['TOCSIN_SHARED'] ?? fileURLToPath(new URL('../../../../shared', import.meta.url));
  const file = join(shared, 'data', 'history', name);
  return existsSync(file) ? file : undefined;
}

/** What `tocsin replay --json` reports, as far as tests read it. */
export interface Report {
  readonly alarms: number;
  readonly took_ms: number;
  readonly late_ms: number;
  readonly figures: { readonly changes: number; readonly from: string; readonly to: string };
  readonly given: { readonly commands: number; readonly declared: number; readonly ended: number; readonly refused: Readonly<Record<string, number>> };
}

export interface System {
  readonly url: string;
  /** Replays a history into it: the command's arguments without where to. */
  replay(file: string, ...options: string[]): Promise<Report>;
  stop(): Promise<void>;
}

/** Resolves with what a process said on standard error once it says something; rejects where it ends before. */
function says(child: ChildProcess, what: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-8192);
      const found = what.exec(said);
      if (found !== null) resolve(found);
    });
    child.once('exit', (code) => reject(new Error(`it ended with ${String(code)}: ${said}`)));
    child.once('error', reject);
  });
}

/** Runs a command to its end and gives what it printed. */
function run(running: Set<ChildProcess>, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    let [out, problems] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (problems = (problems + text).slice(-4096)));
    child.once('error', reject);
    child.once('close', (code) => {
      running.delete(child);
      if (code === 0) resolve(out);
      else reject(new Error(`tocsin ${args[0] ?? ''} ended with ${String(code)}: ${problems}`));
    });
  });
}

/** Starts a system over a shipped zone set. */
export async function serve(country: 'ua' | 'il' = 'ua'): Promise<System> {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-page-'));
  const data = join(folder, 'data');
  execFileSync(program, ['init', '--data', data, '--universe', 'exercise'], { stdio: 'ignore' });
  const token = join(folder, 'token.txt');
  writeFileSync(token, execFileSync(program, ['keys', 'token', 'add', 'replay', '--data', data, '--scope', 'declare,extend,end,read'], { stdio: ['ignore', 'pipe', 'ignore'] }), { mode: 0o600 });
  const config = join(folder, 'tocsin.yaml');
  const languages = country === 'ua' ? '[uk, en]' : '[he, en]';
  writeFileSync(config, `universe: exercise\ndata: ${data}\npublic: {listen: "127.0.0.1:0"}\ndesk: {listen: "127.0.0.1:0"}\nzones: [${country}]\nbasemap: ${country}\nlanguages: ${languages}\nsender: exercise@tocsin.example\n`);
  const node = spawn(program, ['serve', '--config', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  const running = new Set<ChildProcess>();
  // A test that breaks off must leave no process behind.
  process.once('exit', () => node.kill('SIGKILL'));
  const ended = new Promise<void>((resolve) => node.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    for (const child of running) child.kill('SIGTERM');
    if (node.exitCode === null && node.kill('SIGTERM')) await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const [, open = '', desk = ''] = await says(node, /public on (http:\/\/[0-9.:]+), desk on (http:\/\/[0-9.:]+)/);
    return {
      url: `${open}/`,
      replay: async (file, ...options) => JSON.parse(await run(running, ['replay', file, '--json', '--to', desk, '--token', token, ...options])) as Report,
      stop,
    };
  } catch (cause) {
    await stop();
    throw cause;
  }
}
