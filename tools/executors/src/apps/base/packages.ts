import { z } from 'zod';
import { read } from '../../engine/command.ts';
import { InputError, mustSucceed } from '../../engine/errors.ts';
import { defineStage } from '../../engine/service.ts';
import { installedPackages, installMissing } from '../../services/apt.ts';
import type { AppSettings } from '../settings.ts';

/** What every guest has. */
const BASE = ['ca-certificates', 'curl', 'git', 'openssh-client', 'openssh-server', 'sudo', 'ufw'];

/** The major of Node that each Debian brings (packages.debian.org/nodejs). */
const DEBIAN_NODE: Readonly<Record<string, number>> = { bookworm: 18, trixie: 20 };

export type PackagesFacts = { readonly installed: Readonly<Record<string, string | undefined>>; readonly codename: string };

/** Debian packages: the baseline, and what the application's kind and its jobs need. */
export const packages = defineStage<AppSettings, PackagesFacts>({
  name: 'packages',
  facts: ({ settings }) => ({
    installed: installedPackages(wantedPackages(settings)),
    codename: {
      name: 'release of Debian',
      command: read(['sh', '-euc', '. /etc/os-release; echo "$VERSION_CODENAME"']),
      parse: (result) =>
        z
          .string()
          .regex(/^[a-z]+$/)
          .parse(mustSucceed(result, 'the guest did not report its Debian').stdout.trim()),
    },
  }),
  plan({ installed, codename }, { settings }) {
    refuseOtherNode(settings, codename);
    return installMissing(wantedPackages(settings), installed);
  },
});

function wantedPackages({ node, python, jobs, unattendedUpgrades }: AppSettings): string[] {
  return [
    ...BASE,
    ...(node !== undefined && node.archive === undefined ? ['nodejs', 'npm'] : []),
    ...(node?.archive === undefined ? [] : ['xz-utils']),
    ...(python === undefined ? [] : ['python3', 'python3-venv']),
    ...(jobs.some(({ cron }) => cron !== undefined) ? ['cron'] : []),
    ...(unattendedUpgrades ? ['unattended-upgrades'] : []),
  ];
}

function refuseOtherNode({ node }: AppSettings, codename: string): void {
  if (node === undefined || node.archive !== undefined || node.version === 'debian' || node.version === DEBIAN_NODE[codename]) return;
  throw new InputError(`Debian ${codename} has Node ${DEBIAN_NODE[codename] ?? '(not known)'}, and the settings want ${node.version}`, {
    next: `set node.archive in app.json (url, sha256 and version of an archive of nodejs.org), or "version": "debian"`,
  });
}
