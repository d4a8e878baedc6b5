import { readFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import type { Plugin } from 'vite';
import { wholeLanguages } from './phrases.ts';
import { worker } from './worker.ts';

const configMark = '<!--tocsin:config-->';

const place = (name: string): URL => new URL(name, import.meta.url);

/**
 * The page is built beside and put in its place when it is whole: a build that fails leaves the page before it, which the
 * Go program embeds. The folder must be in a clean clone, so an empty file stays in it.
 */
function putInPlace(): Plugin {
  return {
    name: 'put-in-place',
    apply: 'build',
    writeBundle: {
      order: 'post',
      sequential: true,
      async handler() {
        await writeFile(place('.built/.gitkeep'), '');
        await rm(place('.before'), { recursive: true, force: true });
        await rename(place('dist'), place('.before'));
        await rename(place('.built'), place('dist'));
        await rm(place('.before'), { recursive: true });
      },
    },
  };
}

/** `vite dev` shows a running service: it takes over that service's configuration of the page. */
function borrowConfig(service: string): Plugin {
  return {
    name: 'borrow-config',
    apply: 'serve',
    async transformIndexHtml(html) {
      try {
        const page = await (await fetch(service)).text();
        const found = /<script type="application\/json" id="tocsin">(.*?)<\/script>/s.exec(page)?.[1];
        return found === undefined ? html : html.replace(configMark, () => found);
      } catch {
        return html;
      }
    },
  };
}

const service = process.env['TOCSIN_URL'] ?? 'http://localhost:8080';

export default defineConfig(({ isPreview }) => ({
  plugins: [wholeLanguages(new URL('../phrases/', import.meta.url).pathname), svelte(), borrowConfig(service), worker(), putInPlace()],
  publicDir: 'static',
  build: {
    target: 'es2022',
    outDir: isPreview === true ? 'dist' : '.built',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The map is larger than this and is loaded after everything else.
    chunkSizeWarningLimit: 1200,
  },
  server: { proxy: { '/v1': service } },
  preview: { headers: { 'Content-Security-Policy': readFileSync(new URL('csp.txt', import.meta.url), 'utf8').replace(/\s+/g, ' ').trim() } },
}));
