import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { renderScript } from '../tools/executors/src/apps/layout/script.ts';
import { settings } from './app-settings.ts';

const SAMPLE = join(import.meta.dirname, '../infra/apps/notes/sample');

/** Programs that change something: before each of them a run can be killed. */
const COUNTED = ['mv', 'ln', 'rm', 'mkdir', 'chmod', 'git', 'find'];

/** Ends all of a run, as a guest does that loses its power: nothing of it gets to clean up. */
const COUNT = `count=$(($(cat "$WORLD/count") + 1)); echo "$count" >"$WORLD/count"
if [ "$count" = "\${KILL_AT:-0}" ]; then kill -9 0; fi
`;

/** What runs is written down when a unit is restarted: the commit that \`current\` was then. */
const SYSTEMCTL = `verb=$1
case $verb in
  restart) if [ -e "$WORLD/app/current" ]; then cat "$WORLD/app/current/.mooring-release/commit" >"$WORLD/runs"; fi ;;
  stop) rm -f "$WORLD/runs" ;;
  is-active) [ -e "$WORLD/runs" ] ;;
  is-failed) exit 1 ;;
  status) echo "status of $2"; echo; echo "a line of its log" ;;
esac
`;

const CURL = `if grep -qxF "$(cat "$WORLD/runs")" "$WORLD/unhealthy"; then printf '{"error":"broken"}\\n500 '; else printf '{"app":"notes"}\\n200 '; fi
`;

export type WorldRun = { readonly code: number | null; readonly output: string };

/**
 * The deploy script for real, in a folder with a space in its name, on a git repository; npm, systemd and the application are stand-ins, and
 * it is nobody's root. It can be killed before any command that changes something.
 */
export class AppWorld {
  readonly root = mkdtempSync(join(tmpdir(), 'mooring app '));
  readonly #work = join(this.root, 'work');

  /** @param over settings of its own. With a port of the health check, a real server is asked there, by the real curl. */
  constructor(over: Readonly<Record<string, unknown>> = {}) {
    for (const folder of ['fakes', 'home', 'app/releases', 'app/shared', 'app/.deploy'])
      mkdirSync(join(this.root, folder), { recursive: true });
    this.#program('id', '[ "$1" = -u ] && echo 1000 || echo appuser');
    this.#program('sudo', 'shift; exec "$@"');
    this.#program('systemctl', COUNT + SYSTEMCTL);
    if (over.ports === undefined) this.#program('curl', CURL);
    this.#program('npm', `${COUNT}[ ! -e fail ] || { echo 'npm does not build this' >&2; exit 1; }; mkdir -p node_modules`);
    this.#program('sync', COUNT);
    for (const name of COUNTED) this.#program(name, `${COUNT}PATH=/usr/bin:/bin exec ${name} "$@"`);
    symlinkSync(process.execPath, join(this.root, 'fakes/node'));
    for (const [file, text] of Object.entries({ unhealthy: '', count: '0\n', 'app/.env.dev': 'LOG="all"\n', 'app/.deploy/build.env': '' }))
      writeFileSync(join(this.root, file), text);
    const given = settings('node', { health: { timeoutSeconds: 1 }, repository: 'ssh://git@git.example.org/notes', ...over });
    const text = renderScript(given)
      .replaceAll('/usr/local/bin/deploy_app.sh', join(this.root, 'deploy_app.sh'))
      .replaceAll('ssh://git@git.example.org/notes', join(this.root, 'notes.git'))
      .replaceAll('/srv/app', join(this.root, 'app'))
      .replaceAll('/home/appuser', join(this.root, 'home'))
      .replaceAll('/usr/bin/systemctl', 'systemctl')
      .replaceAll('/usr/local/bin:/usr/bin:/bin', '$WORLD/fakes:/usr/bin:/bin')
      .replace('GIT_ALLOW_PROTOCOL=ssh:https', 'GIT_ALLOW_PROTOCOL=file')
      .replace("HEALTH_SECONDS='1'", "HEALTH_SECONDS='0'")
      .replace('wait=10\n', 'wait=0\n');
    writeFileSync(join(this.root, 'deploy_app.sh'), text, { mode: 0o755 });
    this.#git(this.root, 'init', '-q', '--bare', '-b', 'main', 'notes.git');
    this.#git(this.root, 'init', '-q', 'work');
    this.#git(this.#work, 'remote', 'add', 'origin', '../notes.git');
    cpSync(SAMPLE, this.#work, { recursive: true });
  }

  /** Commits files over the sample's, and submodules by their commits; gives the commit. */
  commit(files: Readonly<Record<string, string>> = {}, links: Readonly<Record<string, string>> = {}): string {
    this.#git(this.#work, 'checkout', '-q', '-B', 'main');
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.#work, file)), { recursive: true });
      writeFileSync(join(this.#work, file), text);
    }
    const linked = Object.entries(links).flatMap(([path, to]) => ['--cacheinfo', `160000,${to},${path}`]);
    this.#git(this.#work, 'add', '-A');
    if (linked.length > 0) this.#git(this.#work, 'update-index', '--add', ...linked);
    this.#git(this.#work, 'commit', '-q', '--allow-empty', '-m', 'a change');
    this.#git(this.#work, 'push', '-q', 'origin', 'main');
    return this.#git(this.#work, 'rev-parse', 'HEAD').trim();
  }

  /** Its units run, as after a deploy. */
  start(): void {
    writeFileSync(join(this.root, 'runs'), 'something\n');
  }

  /** From now on this commit is one that does not become healthy. */
  breaks(commit: string): void {
    writeFileSync(join(this.root, 'unhealthy'), `${commit}\n`);
  }

  /** Runs the script. @param killAt before which of its changing commands it is killed; never when left out */
  run(args: readonly string[], killAt = 0): Promise<WorldRun> {
    writeFileSync(join(this.root, 'count'), '0\n');
    return new Promise((resolve, reject) => {
      const child = spawn(join(this.root, 'deploy_app.sh'), args, {
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { PATH: `${join(this.root, 'fakes')}:/usr/bin:/bin`, WORLD: this.root, KILL_AT: String(killAt) },
      });
      let output = '';
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (part: string) => (output += part));
      child.on('error', reject).on('close', (code) => resolve({ code, output }));
    });
  }

  /** How many changing commands the last run had. */
  get commands(): number {
    return Number(readFileSync(join(this.root, 'count'), 'utf8'));
  }

  /** The commit that runs; nothing when none does. */
  get runs(): string | undefined {
    const file = join(this.root, 'runs');
    return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
  }

  /** The releases as the script tells them, sorted: `* <state> <commit>` for the live one. */
  async releases(): Promise<string[]> {
    const { output } = await this.run(['status']);
    return output
      .split('\n')
      .filter(Boolean)
      .map((line) => line.replace(/^(.) \S+ (\S+) +(\S*)$/, '$1 $2 $3'))
      .sort();
  }

  /** Keeps the guest as it is now. */
  save(): void {
    for (const name of ['app', 'runs']) {
      rmSync(join(this.root, `${name}.saved`), { recursive: true, force: true });
      if (existsSync(join(this.root, name)))
        cpSync(join(this.root, name), join(this.root, `${name}.saved`), { recursive: true, verbatimSymlinks: true });
    }
  }

  /** Brings it back as it was saved. */
  restore(): void {
    for (const name of ['app', 'runs']) {
      rmSync(join(this.root, name), { recursive: true, force: true });
      if (existsSync(join(this.root, `${name}.saved`)))
        cpSync(join(this.root, `${name}.saved`), join(this.root, name), { recursive: true, verbatimSymlinks: true });
    }
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  #program(name: string, text: string): void {
    writeFileSync(join(this.root, 'fakes', name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(this.root, 'fakes', name), 0o755);
  }

  #git(cwd: string, ...args: string[]): string {
    return execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@localhost', ...args], { cwd, encoding: 'utf8' });
  }
}
