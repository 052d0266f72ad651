import { MooringError } from '../../engine/errors.ts';
import { nxRun } from '../../engine/nx-command.ts';
import { type Guest, readGuest } from '../../platforms/proxmox/index.ts';
import type { AppReady, AppRun } from './run.ts';

/** The guest, which must be there and run. @throws MooringError with what makes it so */
export async function mustRun(run: AppRun, { wanted, project, environment }: AppReady): Promise<Guest> {
  const guest = await readGuest(run.proxmox, wanted);
  if (guest?.status.status === 'running') return guest;
  throw new MooringError(`guest ${wanted.vmid} (${wanted.name}) ${guest === undefined ? 'is absent' : 'does not run'}`, {
    instance: wanted.name,
    next: nxRun('provision', { project, environment: environment.name }),
  });
}
