import { type Command, script } from '../../engine/command.ts';
import { MooringError, mustSucceed } from '../../engine/errors.ts';
import { defineStage } from '../../engine/service.ts';
import { type FoundFiles, HEADER, type Managed, type ManagedFile, planFiles } from '../../services/managed-file.ts';
import { managedFiles } from '../../services/managed-look.ts';
import type { AppSettings } from '../settings.ts';
import { reloadFunction, SETTINGS } from './sshd.ts';

const SSHD = '/etc/ssh/sshd_config.d/10-nx-mooring.conf';
const JOURNALD = '/etc/systemd/journald.conf.d/nx-mooring.conf';
const UPGRADES = '/etc/apt/apt.conf.d/52nx-mooring';

export type HardeningFacts = {
  readonly files: FoundFiles;
  /** What sshd makes of its files about root's log-in: `without-password`, `yes`, … */
  readonly rootLogin: string;
};

/** No log-in by password for root, security upgrades that install themselves, a journal that does not fill the disk. */
export const hardening = defineStage<AppSettings, HardeningFacts>({
  name: 'hardening',
  facts: ({ settings }) => ({
    files: managedFiles(files(settings)),
    rootLogin: {
      name: 'settings of sshd',
      command: SETTINGS,
      parse(result) {
        const { stdout } = mustSucceed(result, 'sshd did not report its settings');
        const [, value] = /^permitrootlogin (\S+)$/m.exec(stdout) ?? [];
        if (value === undefined) throw new MooringError('sshd -T says nothing about permitrootlogin');
        return value;
      },
    },
  }),
  plan({ files: found, rootLogin }, { settings }) {
    const sshd = found[SSHD];
    if (sshd?.kind === 'file' && sshd.same && rootLogin === 'yes') {
      throw new MooringError(`sshd lets root in by password although ${SSHD} says otherwise`, {
        next: 'the first value counts: see that /etc/ssh/sshd_config includes sshd_config.d before its own PermitRootLogin, and that no file there sorts before ours',
      });
    }
    return planFiles(files(settings), found, { place, takenBack: false });
  },
});

function files({ journal, unattendedUpgrades }: AppSettings): Managed[] {
  const file = (path: string, content: string): ManagedFile => ({ kind: 'file', path, content, mode: '0644', owner: 'root:root' });
  const on = unattendedUpgrades ? '1' : '0';
  return [
    file(SSHD, `${HEADER}PermitRootLogin prohibit-password\n`),
    { kind: 'folder', path: '/etc/systemd/journald.conf.d', mode: '0755', owner: 'root:root' },
    file(JOURNALD, `${HEADER}[Journal]\nSystemMaxUse=${journal}\n`),
    file(
      UPGRADES,
      `${HEADER.replace('#', '//')}APT::Periodic::Update-Package-Lists "${on}";\nAPT::Periodic::Unattended-Upgrade "${on}";\n`,
    ),
  ];
}

/** What reads a file at its start only reads it in the same step: a run that is killed leaves both or neither behind. */
function place(file: ManagedFile): Command[] {
  const after = file.path === SSHD ? 'reload_sshd' : file.path === JOURNALD ? 'systemctl restart systemd-journald' : ':';
  return [
    script(
      'write',
      `${file.path === SSHD ? `${reloadFunction()}\n` : ''}umask 022; cat >"$1.mooring-new"; mv -f "$1.mooring-new" "$1"
if ! { ${after}; }; then rm -f "$1"; exit 1; fi`,
      [file.path],
      { stdin: file.content },
    ),
  ];
}
