import { read, write } from '../../engine/command.ts';
import { commandFailed, SafetyError } from '../../engine/errors.ts';
import { defineStage } from '../../engine/service.ts';
import { type FoundFiles, HEADER, type Managed, placeChecked, planFiles } from '../../services/managed-file.ts';
import { managedFiles } from '../../services/managed-look.ts';
import { unitsOf } from '../layout/parts.ts';
import { HOME, USER } from '../layout/paths.ts';
import type { AppSettings } from '../settings.ts';

const SUDOERS = '/etc/sudoers.d/nx-mooring';

export type UserFacts = { readonly user: { readonly home: string; readonly shell: string } | null; readonly files: FoundFiles };

/** appuser: its account without a password, who may log in as it, and what it may do as root. */
export const user = defineStage<AppSettings, UserFacts>({
  name: 'user',
  facts: ({ settings }) => ({
    user: {
      name: `user ${USER}`,
      command: read(['getent', 'passwd', USER]),
      // getent(1): 2 says that the key was not found.
      parse: (result) => {
        if (result.code === 2) return null;
        const [name, , , , , home, shell] = result.stdout.trimEnd().split(':');
        if (result.code !== 0 || name !== USER || home === undefined || shell === undefined)
          throw commandFailed(result, `it is not known whether there is a user ${USER}`);
        return { home, shell };
      },
    },
    files: managedFiles(userFiles(settings)),
  }),
  plan({ user: found, files }, { settings }) {
    const written = planFiles(userFiles(settings), files, {
      place: (file) => [placeChecked(file, file.path === SUDOERS ? 'visudo -c -q -f "$1"' : 'ssh-keygen -l -f "$1"')],
      takenBack: false,
    });
    if (found !== null && found.home !== HOME) {
      throw new SafetyError(`the user ${USER} is there, but has its home in ${found.home} and not in ${HOME}`, {
        next: `if nobody else needs it so: usermod -d ${HOME} -m ${USER}, in the guest`,
      });
    }
    if (found !== null) return written;
    return [
      {
        resource: `user ${USER}`,
        action: 'create',
        after: { home: HOME, password: 'none' },
        impact: 'none',
        because: 'there is none',
        // `*` and not `!`: an account that is locked is one that sshd without PAM lets nobody into.
        commands: [
          write(['useradd', '--create-home', '--home-dir', HOME, '--shell', '/bin/bash', '--user-group', '--password', '*', USER]),
        ],
      },
      ...written,
    ];
  },
});

function userFiles(settings: AppSettings): Managed[] {
  const owner = `${USER}:${USER}`;
  return [
    { kind: 'folder', path: `${HOME}/.ssh`, mode: '0700', owner },
    { kind: 'file', path: `${HOME}/.ssh/authorized_keys`, content: `${HEADER}${lines(settings.authorizedKeys)}`, mode: '0600', owner },
    { kind: 'file', path: SUDOERS, content: renderSudoers(settings), mode: '0440', owner: 'root:root' },
  ];
}

const lines = (texts: readonly string[]) => texts.map((text) => `${text}\n`).join('');

/** sudoers(5): a command with arguments allows exactly these arguments. `=` is escaped in them. */
function renderSudoers(settings: AppSettings): string {
  if (settings.sudo === 'full') return `${HEADER}${USER} ALL=(ALL:ALL) NOPASSWD: ALL\n`;
  const units = unitsOf(settings).map(({ name }) => `${name}.service`);
  const groups = [...new Set([units.join(' '), ...units])];
  const jobs = settings.jobs.map(({ name }) => `app-job-${name}.service`);
  const calls = [
    ...groups.flatMap((group) => ['start', 'stop', 'restart', 'reset-failed'].map((verb) => `${verb} ${group}`)),
    ...units.map((unit) => `status ${unit} --no-pager --lines\\=12`),
    ...jobs.map((unit) => `start ${unit}`),
  ];
  return `${HEADER}${calls.map((call) => `${USER} ALL=(root) NOPASSWD: /usr/bin/systemctl ${call}\n`).join('')}`;
}
