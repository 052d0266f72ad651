import { defineConfig } from 'vitest/config';

/** Acceptance tests: real nx commands against real Incus on real OpenZFS, in the virtual machine. There is one of it: one file at a time. */
export default defineConfig({
  root: import.meta.dirname,
  test: {
    include: ['**/*.test.ts'],
    globalSetup: ['setup.ts'],
    fileParallelism: false,
    // Emulated: everything takes ten times as long.
    testTimeout: 900_000,
    // The first one deploys all four services, and then what its file begins with.
    hookTimeout: 1_800_000,
    reporters: ['verbose'],
  },
});
