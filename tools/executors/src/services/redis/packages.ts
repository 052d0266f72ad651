import { defineStage } from '../../engine/service.ts';
import { installedPackages, installMissing } from '../apt.ts';
import type { RedisSettings } from './settings.ts';

const PACKAGES = ['redis-server'];

/** The server from the container's own Debian. */
export const packages = defineStage<RedisSettings, { installed: Record<string, string | undefined> }>({
  name: 'packages',
  facts: () => ({ installed: installedPackages(PACKAGES) }),
  plan: ({ installed }) => installMissing(PACKAGES, installed),
});
