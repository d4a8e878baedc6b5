import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import type { Plugin } from 'vite';
import { wholeLanguages } from './phrases.ts';
import { worker } from './worker.ts';

const configMark = '<!--tocsin:config-->';

/** The folder is embedded into the Go program and must be in a clean clone, so an empty file stays in it. */
function keepFolder(): Plugin {
  return {
    name: 'keep-folder',
    apply: 'build',
    closeBundle: () => writeFile(new URL('dist/.gitkeep', import.meta.url), ''),
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

export default defineConfig({
  plugins: [wholeLanguages(new URL('../phrases/', import.meta.url).pathname), svelte(), borrowConfig(service), worker(), keepFolder()],
  publicDir: 'static',
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The map is larger than this and is loaded after everything else.
    chunkSizeWarningLimit: 1200,
  },
  server: { proxy: { '/v1': service } },
  preview: { headers: { 'Content-Security-Policy': readFileSync(new URL('csp.txt', import.meta.url), 'utf8').replace(/\s+/g, ' ').trim() } },
});
