import { defineConfig } from 'vitest/config';

/** End-to-end tests: real nx commands against the lab. One file at a time: they measure what a host does. */
export default defineConfig({
  root: import.meta.dirname,
  test: {
    include: ['**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    reporters: ['verbose'],
  },
});
