import { execFile } from 'node:child_process';
import { homedir } from 'node:os';
import { isAbsolute } from 'node:path';
import type { Command } from '../engine/command.ts';
import { HostError } from '../engine/errors.ts';

/** No answer may be longer than this, in bytes: what is longer is no answer of a tool we know. */
export const outputLimit = 64 * 1024 * 1024;

/**
 * The environment of every process that we start on this machine: nothing of ours, so that no secret of it arrives there.
 * `PATH` loses `node_modules/.bin` (npm and nx put it in front: a dependency must not stand in for `incus`) and gains sbin.
 */
export function minimalEnvironment(): { PATH: string; HOME: string; LANG: string } {
  const inherited = (process.env.PATH ?? '').split(':').filter((folder) => isAbsolute(folder) && !folder.includes('/node_modules/'));
  const system = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  return { PATH: [...new Set([...inherited, ...system])].join(':'), HOME: homedir(), LANG: 'C.UTF-8' };
}

/** The command's argv, with `timeout(1)` in front when it has a limit. */
export function limitedArgv(command: Command): readonly [string, ...string[]] {
  if (command.timeoutMs === undefined) return command.argv;
  return ['timeout', '-k', '5', String(command.timeoutMs / 1000), ...command.argv];
}

/**
 * Runs a small tool of this machine (`ssh -G`, `ssh-keygen`, `git`) to its end, for those who need no {@link Host}.
 *
 * @param variables added to the minimal environment
 * @throws HostError when it cannot be started or does not end by itself
 */
export function runTool(
  argv: readonly [string, ...string[]],
  options: { cwd?: string; variables?: Record<string, string> } = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const [program, ...rest] = argv;
  const env = { ...minimalEnvironment(), ...options.variables };
  return new Promise((resolve, reject) => {
    const child = execFile(program, rest, { cwd: options.cwd, env, timeout: 20_000, maxBuffer: outputLimit }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      if (typeof code === 'number') return resolve({ code, stdout, stderr });
      const missing = code === 'ENOENT';
      reject(
        new HostError(
          missing ? `${program} is not installed on this machine` : `${program} could not be run on this machine: ${error?.message}`,
          {
            host: 'local',
            command: argv.join(' '),
            next: missing ? `install it (Debian: ${debianPackage(program)})` : `run it by hand: ${argv.join(' ')}`,
          },
        ),
      );
    });
    child.stdin?.end();
  });
}

function debianPackage(program: string): string {
  return program.startsWith('ssh') ? 'apt-get install openssh-client' : `apt-get install ${program}`;
}
