import { MooringError } from '../../engine/errors.ts';
import type { FoundGuest } from '../../engine/guest-platform.ts';
import { nxRun } from '../../engine/nx-command.ts';
import type { AppInvocation } from './run.ts';
import type { PreparedApp } from './target.ts';

/** The guest, which must be there and run. @throws MooringError with what makes it so */
export async function mustRun(run: AppInvocation, { wanted, project, environment }: PreparedApp): Promise<FoundGuest> {
  const guest = await run.platform.find(wanted);
  if (guest?.state === 'running') return guest;
  throw new MooringError(`guest ${wanted.vmid} (${wanted.name}) ${guest === undefined ? 'is absent' : 'does not run'}`, {
    instance: wanted.name,
    next: nxRun('provision', { project, environment: environment.name }),
  });
}
