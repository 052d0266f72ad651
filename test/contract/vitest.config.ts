import { defineConfig } from 'vitest/config';

/** The contract tests: the same suite against each kind of host. They need root and Debian's openssh-server, and no lab. */
export default defineConfig({
  test: {
    include: ['test/contract/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // One sshd each, and process.env is changed: no sharing.
    pool: 'forks',
    fileParallelism: false,
  },
});
