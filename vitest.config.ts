import { defineConfig } from 'vitest/config';

/** The unit tests: no lab, no network. What needs the lab lives under `test/` and has runners of its own. */
export default defineConfig({
  test: {
    include: ['tools/executors/src/**/*.test.ts'],
    pool: 'threads',
    restoreMocks: true,
  },
});
