import { defineConfig } from 'vitest/config';
import { LongestFirst } from './longest-first.ts';

/** End-to-end tests: real nx commands against the lab. Two files at a time: each has an Incus project, a workspace and ports of its own. */
export default defineConfig({
  root: import.meta.dirname,
  test: {
    include: ['**/*.test.ts'],
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    testTimeout: 300_000,
    hookTimeout: 300_000,
    reporters: ['verbose'],
  },
});
