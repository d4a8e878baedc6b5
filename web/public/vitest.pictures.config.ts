import { defineConfig } from 'vitest/config';

/** `make pictures`: what is drawn for the documents, from a real page. */
export default defineConfig({
  test: { include: ['test/*.pictures.ts'], testTimeout: 900_000, hookTimeout: 60_000 },
});
