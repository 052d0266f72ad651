import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** The unit tests: no lab, no network. What needs the lab lives under `test/` and has configurations of its own. */
export default defineConfig({
  test: {
    pool: 'threads',
    // One for each processor: vitest itself leaves one free, and of two that is half of the machine.
    maxWorkers: availableParallelism(),
    restoreMocks: true,
    // The machines of a CI are busy.
    testTimeout: 20_000,
    projects: [
      // One module graph for all files: they share no state, and it takes a third of the time.
      { extends: true, test: { name: 'unit', include: ['tools/executors/src/**/*.test.ts', 'test/*.test.ts'], isolate: false } },
      // Real nx commands that ask no host: what is affected, cached, in the graph, and in the recipes for a CI.
      {
        extends: true,
        test: { name: 'nx', include: ['test/nx/**/*.test.ts'], fileParallelism: false, testTimeout: 120_000, hookTimeout: 120_000 },
      },
      // The double of the Proxmox API, and the client against it.
      { extends: true, test: { name: 'proxmox', include: ['test/proxmox/**/*.test.ts'] } },
      // The documents: links, blocks of code, commands, and whether every error is explained.
      { extends: true, test: { name: 'docs', include: ['test/docs/**/*.test.ts'], isolate: false } },
      // The verbs on a model of a host, killed at every command and in thousands of histories. The clock of its process is the model's.
      {
        extends: true,
        test: { name: 'model', include: ['test/model/**/*.test.ts'], setupFiles: ['test/model/setup.ts'], testTimeout: 120_000 },
      },
    ],
  },
});
