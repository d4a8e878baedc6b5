/** Builds the service worker: one file of a fixed name that knows the names of all others. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { transformWithOxc } from 'vite';
import type { Plugin } from 'vite';

const source = new URL('src/worker/worker.ts', import.meta.url).pathname;
/** What the build does not name itself, and a page that opens offline needs. */
const always = ['/index.html', '/favicon.svg', '/again.js'];
/** The parts of the map; everything else is needed to be warned. */
const ofTheMap = /(?:^|\/)(?:map|maplibre-gl-worker)-[^/]+$/;

export function worker(): Plugin {
  return {
    name: 'worker',
    apply: 'build',
    async generateBundle(_, bundle) {
      const files = Object.keys(bundle).filter((name) => name.startsWith('assets/')).sort();
      const names = (some: readonly string[]): string => some.map((name) => JSON.stringify(name)).join(',');
      const needed = [...always, ...files.filter((name) => !ofTheMap.test(name)).map((name) => `/${name}`)];
      const wanted = files.filter((name) => ofTheMap.test(name)).map((name) => `/${name}`);
      const text = readFileSync(source, 'utf8');
      const version = createHash('sha256').update([text, ...needed, ...wanted].join('\n')).digest('hex').slice(0, 12);
      const { code } = await transformWithOxc(text, source);
      const filled = code.replace('%VERSION%', version).replace(/["']%NEEDED%["']/, names(needed)).replace(/["']%WANTED%["']/, names(wanted));
      if (/%[A-Z]+%/.test(filled)) this.error('worker: a name was not filled in');
      this.emitFile({ type: 'asset', fileName: 'worker.js', source: filled });
    },
  };
}
