import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { answered, type Ended, ended, run } from '../e2e/workspace.ts';

/** The run folder of the virtual machine; see `vm.sh`. */
const FOLDER = process.env.MOORING_VM_RUN ?? '/var/lib/mooring-acceptance/vm';
const VM = join(import.meta.dirname, 'vm.sh');
/** Host name in its SSH configuration. */
export const ALIAS = 'veza-acceptance';
/** Its SSH configuration: `ssh -F`. */
export const SSH_CONFIG = join(FOLDER, 'ssh_config');

/** The virtual machine, from the outside. Its commands share one SSH connection, for a new one costs a second. */
class Machine {
  readonly #forwards = new Map<string, Promise<unknown>>();

  /** Puts it back to a saved state, or starts it in that state. */
  async reset(state: string): Promise<void> {
    this.hangUp();
    await run(VM, ['reset', state]);
  }

  /** Saves its state. */
  async save(state: string): Promise<void> {
    await run(VM, ['save', state]);
  }

  /** Runs a program in it that must succeed. @returns its stdout @throws with what it printed */
  run(command: string, args: readonly string[]): Promise<string> {
    return run('ssh', [...this.#ssh(), [command, ...args].map(quoted).join(' ')]);
  }

  /** Runs a shell command in it, which may fail. @throws when the machine cannot be asked */
  async attempt(command: string, user?: 'deploy'): Promise<Ended> {
    return reached(await ended('ssh', [...(user === undefined ? this.#ssh() : ['-F', SSH_CONFIG, `${ALIAS}-${user}`]), command], '/'));
  }

  /** Runs a program in it, with its outputs apart. @throws when the machine cannot be asked */
  async answer(argv: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    return reached(await answered('ssh', [...this.#ssh(), argv.map(quoted).join(' ')]));
  }

  /** A shell command that must succeed. @returns its stdout, trimmed */
  async sh(command: string): Promise<string> {
    return (await this.run('sh', ['-euc', command])).trim();
  }

  /** Output lines of `zfs`. @throws when it fails */
  async zfs(...args: readonly string[]): Promise<string[]> {
    return (await this.run('zfs', args)).split('\n').filter(Boolean);
  }

  /**
   * A way to a port of a container. @returns the address on this machine: all of 127.0.0.0/8 is, so every container has one
   * of its own, and the port is the usual one
   */
  async reach(address: string, port: number): Promise<string> {
    const near = `127.${address.split('.').slice(1).join('.')}`;
    const way = `${near}:${port}:${address}:${port}`;
    // Without a connection yet there is nobody to forward.
    const open = async () => {
      await this.sh('true');
      await run('ssh', ['-O', 'forward', '-L', way, ...this.#ssh()]);
    };
    if (!this.#forwards.has(way)) this.#forwards.set(way, open());
    await this.#forwards.get(way);
    return near;
  }

  /** Ends the shared connection. */
  hangUp(): void {
    this.#forwards.clear();
    spawnSync('ssh', ['-O', 'exit', ...this.#ssh()], { stdio: 'ignore', timeout: 10_000 });
  }

  #ssh(): string[] {
    // In the run folder: the connection of a file of tests is ended by the next one's reset.
    const shared = ['-o', 'ControlMaster=auto', '-o', `ControlPath=${join(FOLDER, 'control')}`, '-o', 'ControlPersist=600'];
    return ['-F', SSH_CONFIG, ...shared, ALIAS];
  }
}

/** The one virtual machine of a run of tests. */
export const machine = new Machine();

/** An answer that is the machine's own: `ssh` ends with 255 when it could not ask. @throws then */
function reached<T extends { readonly code: number }>(answer: T): T {
  if (answer.code === 255) throw new Error(`the machine could not be asked: ${JSON.stringify(answer)}`);
  return answer;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
