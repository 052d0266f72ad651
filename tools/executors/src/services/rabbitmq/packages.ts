import { write } from '../../engine/command.ts';
import { defineStage } from '../../engine/service.ts';
import { installedPackages, installMissing } from '../apt.ts';
import { UNIT } from './files.ts';
import type { RabbitmqSettings } from './settings.ts';

const PACKAGES = ['rabbitmq-server'];

/** The server from the container's own Debian, installed but not started. */
export const packages = defineStage<RabbitmqSettings, { installed: Record<string, string | undefined> }>({
  name: 'packages',
  facts: () => ({ installed: installedPackages(PACKAGES) }),
  // Debian's package starts the node at once, under the host's name and open to all networks. Masked, its first start is
  // the one of the next stage: data lies where it belongs, Erlang starts once, and a failure comes with its reason.
  plan: ({ installed }) => installMissing(PACKAGES, installed, [write(['systemctl', 'mask', '--runtime', '--quiet', UNIT])]),
});
