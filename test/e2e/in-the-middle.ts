import { type RunningNx, startConfigure } from './running.ts';
import type { Workspace } from './workspace.ts';

/**
 * Makes the next configure a long one: the package has to be installed again, which takes seconds (less than the five that
 * nx leaves to its executors), and its configuration has to be fixed after that. The data stays.
 */
export async function uninstallRedis(workspace: Workspace): Promise<void> {
  await workspace.guest(
    'redis',
    `rm -f /etc/apt/apt.conf.d/slow /run/in-the-middle
apt-get remove -y -q -o DPkg::Lock::Timeout=60 redis-server >/dev/null
case $(dpkg-query -W -f '\${Status}' redis-server) in *'config-files') ;; *) echo 'redis-server was not removed' >&2; exit 1 ;; esac
echo 'DPkg::Pre-Invoke {"touch /run/in-the-middle; sleep 3";};' >/etc/apt/apt.conf.d/slow
sed -i 's/^maxmemory .*/maxmemory 1mb/' /etc/redis/redis.conf`,
  );
}

/** Starts the main job and returns in the middle of an installation. */
export async function configuringRedis(workspace: Workspace, ...flags: readonly string[]): Promise<RunningNx> {
  const run = startConfigure(workspace, ...flags);
  while ((await workspace.guest('redis', 'ls /run')).includes('in-the-middle') === false) {
    if (run.over) throw new Error(`it has ended before anything was installed: ${run.output}`);
  }
  return run;
}
