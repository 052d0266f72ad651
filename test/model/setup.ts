import { vi } from 'vitest';
import { modelTime } from './time.ts';

// The verbs are the real ones. Three edges of the process are the model's: how a run is opened, what git says, and time.
vi.mock('../../tools/executors/src/shared/run.ts', async (original) => ({
  ...(await original<typeof import('../../tools/executors/src/shared/run.ts')>()),
  openRun: async (request: import('../../tools/executors/src/shared/run.ts').RunRequest) =>
    (await import('./process.ts')).openModelRun(request),
}));

vi.mock('../../tools/executors/src/workspace/git.ts', () => ({ readGit: async () => ({ head: '0'.repeat(40), changes: [] }) }));

modelTime();
