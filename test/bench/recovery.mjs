// npm run bench:recovery: how long a roll-back of four services takes on real ZFS, with little and with much data. This file sets
// up what is missing (with any Node from 20 on) and hands over to recovery.ts.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modulesAreCurrent, pluginIsCurrent } from '../../tools/quickstart/modules.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const bin = join(root, 'node_modules/.bin');
const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, NX_DAEMON: 'false', NX_NO_CLOUD: 'true', NX_TUI: 'false' };

function must(program, ...args) {
  const { status } = spawnSync(program, args, { cwd: root, env, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

if (!modulesAreCurrent(root)) must('npm', 'ci', '--no-audit', '--no-fund');
if (!(await pluginIsCurrent(root))) must('npm', 'run', 'build', '--silent');
must('test/acceptance/vm.sh', 'up');
must(join(bin, 'node'), 'test/bench/recovery.ts', ...process.argv.slice(2));
