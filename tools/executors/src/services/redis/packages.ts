import { defineStage } from '../../engine/service.ts';
import { installedPackages, installPackages } from '../apt.ts';
import type { RedisSettings } from './settings.ts';

const PACKAGES = ['redis-server'];

/** The server from the container's own Debian. */
export const packages = defineStage<RedisSettings, { installed: Record<string, string | undefined> }>({
  name: 'packages',
  facts: () => ({ installed: installedPackages(PACKAGES) }),
  plan: ({ installed }) => {
    const missing = PACKAGES.filter((name) => installed[name] === undefined);
    if (missing.length === 0) return [];
    return [
      {
        resource: `packages ${missing.join(' ')}`,
        action: 'create',
        after: 'installed',
        impact: 'none',
        because: 'not installed',
        commands: [installPackages(missing)],
      },
    ];
  },
});
