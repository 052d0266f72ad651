import { defineConfig } from 'vitest/config';

/** The unit tests: no lab, no network. What needs the lab lives under `test/` and has runners of its own. */
export default defineConfig({
  test: {
    include: ['tools/executors/src/**/*.test.ts'],
    // One module graph for all files: they share no state, and it saves a third of the time.
    pool: 'threads',
    isolate: false,
    // The machines of a CI are busy.
    testTimeout: 20_000,
    restoreMocks: true,
  },
});
