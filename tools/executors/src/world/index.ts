import { available } from '../artifacts/available.ts';
import { obtain } from '../artifacts/store.ts';
import { once } from '../engine/once.ts';
import { openHost } from '../hosts/index.ts';
import { findKnownKeys } from '../hosts/known-hosts.ts';
import { connectLocally } from '../hosts/local.ts';
import { openProxmoxGuests } from '../platforms/proxmox/platform.ts';
import { findSecrets, loadSecrets } from '../secrets/load.ts';
import type { World } from '../shared/world.ts';
import { type Reader, readerOf } from '../workspace/files.ts';
import { fitToLook, readWorkspace, valid } from '../workspace/load.ts';
import { readGit, readVersions } from './git.ts';
import { machine } from './machine.ts';

/**
 * The real world of a workspace: the one place that knows what stands behind each port.
 *
 * @param root the workspace, absolute
 * @param files what has been read of it already
 */
export function worldOf(root: string, files: Reader = readerOf(root)): World {
  const workspace = once(() => readWorkspace(files));
  const variables = machine.env;
  return {
    ...machine,
    openHost,
    openGuests: openProxmoxGuests,
    connect: connectLocally,
    knowsHostKey: async (address, file) => (await findKnownKeys(address, [file])).length > 0,
    files: {
      load: async () => valid(await workspace()),
      look: async () => fitToLook(await workspace()),
    },
    git: {
      state: () => readGit(root),
      versions: (path) => readVersions(root, path),
    },
    secrets: {
      load: async ({ environment, names, ...rest }) => ({
        found: await loadSecrets(root, environment, names, { ...rest, variables }),
        missing: new Map(),
      }),
      find: ({ environment, names, ...rest }) => findSecrets(root, environment, names, { ...rest, variables }),
    },
    artifacts: {
      obtain: (spec, options) => obtain(spec, { ...options, root, env: variables }),
      available: (spec, options) => available(spec, { ...options, root, env: variables }),
    },
  };
}
