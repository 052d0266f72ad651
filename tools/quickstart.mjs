#!/usr/bin/env node
// From a fresh clone to four running services. Uses nothing but Node: it runs before `npm ci`.
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modulesAreCurrent, pluginIsCurrent } from './quickstart/modules.mjs';
import { connections, parseStatus, table } from './quickstart/result.mjs';
import { capture, Problem, runQuietly, stream } from './quickstart/run.mjs';
import { confirm, heading, say, seconds } from './quickstart/terminal.mjs';

const workspace = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const lab = join(workspace, 'test/lab/lab.sh');
const usage = `Usage: npm run quickstart [-- --yes] [--use-existing]

Brings up a local Incus lab and deploys PostgreSQL, Redis, RabbitMQ and MinIO into it.
  --yes           do not ask before installing and starting
  --use-existing  make the lab on an Incus that was on this machine before
  --help          this text

Without a terminal it does not ask. What it made: test/lab/lab.sh status; to take it away: npm run lab:remove.`;

function options(argv) {
  const known = { '--yes': 'yes', '--use-existing': 'useExisting', '--help': 'help', '-h': 'help' };
  const result = { yes: false, useExisting: false, help: false };
  for (const arg of argv) {
    if (!(arg in known)) throw new Problem(`quickstart does not know the option ${arg}.`, 'npm run quickstart -- --help');
    result[known[arg]] = true;
  }
  return result;
}

function checkMachine() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20) throw new Problem(`This is Node ${process.versions.node}; Node 20 or newer is needed.`, 'node --version');
  if (process.getuid?.() !== 0)
    throw new Problem('quickstart installs packages and starts Incus, so it needs root.', 'sudo -E npm run quickstart');
}

/** What is about to be installed and started, one line each. */
async function needs(flags) {
  const output = await capture(lab, ['needs'], { cwd: workspace });
  if (output.code !== 0) {
    const [reason, next] = output.stderr.trim().split('\nNext: ');
    throw new Problem(`The lab cannot be made on this machine.\n${reason}`, next ?? 'test/lab/lab.sh needs');
  }
  const lines = output.stdout.split('\n').filter((line) => line !== '');
  const refusal = lines.find((line) => line.startsWith('refuse: '));
  if (refusal && !flags.useExisting)
    throw new Problem(
      'There is an Incus on this machine already, and it is not marked as the lab (user.mooring.lab), so it was not touched. ' +
        'With --use-existing the lab is made on it: a network, two storage pools, profiles and images of its own are added, nothing else is changed.',
      'npm run quickstart -- --use-existing',
    );
  const rest = lines.filter((line) => line !== refusal);
  return modulesAreCurrent(workspace) ? rest : [...rest, 'install: the npm packages of package-lock.json, into node_modules'];
}

async function agree(lines, flags) {
  if (lines.length === 0) {
    say('Nothing to install or start.');
    return;
  }
  say('This is going to be done on this machine:');
  for (const line of lines) say(`  - ${line}`);
  say('  - then: .secrets/local.env, the MinIO binaries (built once), and the four containers by nx');
  if (flags.yes || !process.stdin.isTTY || !process.stdout.isTTY) return;
  if (!(await confirm('Go on?'))) throw new Problem('Nothing was changed.', 'npm run quickstart -- --yes');
}

function nxEnvironment(goFolder) {
  const path = [join(workspace, 'node_modules/.bin'), goFolder, process.env.PATH].filter(Boolean).join(':');
  return { ...process.env, PATH: path, NX_NO_CLOUD: 'true', NX_TUI: 'false', NX_DAEMON: 'false' };
}

const nx = (...args) => ['node_modules/.bin/nx', [...args, '--output-style=static']];

async function steps(flags) {
  const step = async (title, work) => {
    const began = performance.now();
    heading(title);
    const result = await work();
    say(`  done in ${seconds(began)} s`);
    return result;
  };
  const must = async ([command, args], problem, next, env) => {
    if ((await stream(command, args, { cwd: workspace, env })) !== 0) throw new Problem(problem, next);
  };

  if (!modulesAreCurrent(workspace))
    await step('npm packages', () => runQuietly('npm', ['ci', '--no-audit', '--no-fund'], { cwd: workspace }, 'npm ci'));

  const again = 'npm run quickstart   (what is done already stays done)';
  const existing = flags.useExisting ? ['--use-existing'] : [];
  await step('Incus lab', () => must([lab, ['up', ...existing]], 'The lab did not come up; the reason is above.', again));
  await step('Go', () => must([lab, ['go']], 'Go could not be installed; the reason is above.', again));
  const goFolder = (await capture(lab, ['go', '--print'], { cwd: workspace })).stdout.trim();
  const env = nxEnvironment(goFolder);
  // After a `git pull` the packages may be the right ones and the built plugin an old one.
  if (!(await pluginIsCurrent(workspace)))
    await step('plugin', () => runQuietly('npm', ['run', 'build', '--silent'], { cwd: workspace, env }, 'npm run build'));
  await step('secrets', () =>
    must(
      [process.execPath, [join(workspace, 'test/lab/secrets.mjs'), 'local']],
      'The secrets could not be written; the reason is above.',
      again,
    ),
  );
  await step('MinIO binaries', () =>
    must(nx('run', 'minio:artifact'), 'The MinIO binaries could not be obtained; the reason is above.', 'npx nx run minio:artifact', env),
  );
  await step('configure', () =>
    must(
      nx('run-many', '-t', 'configure', '--configuration=local'),
      'The deploy did not finish: which container and step, and why, is above. What was done stays, and a second run goes on from there.',
      'npx nx run-many -t configure --configuration=local',
      env,
    ),
  );
  const status = await capture(...nx('run', 'zfs:status', '-c', 'local', '--json'), { cwd: workspace, env });
  const parsed = status.code === 0 ? parseStatus(status.stdout) : undefined;
  if (!parsed)
    throw new Problem(
      `The services are configured, but their status could not be read.\n${status.stderr.trim()}`,
      'npx nx run zfs:status -c local',
    );
  return parsed;
}

function report(status, began) {
  say('');
  say(table(status.containers));
  say('');
  for (const line of connections(status.containers, workspace, 'local')) say(line);
  say('');
  say(`Ready in ${seconds(began)} s. Stop it: npm run lab:down. Take it away: npm run lab:remove.`);
}

async function main() {
  const began = performance.now();
  const flags = options(process.argv.slice(2));
  if (flags.help) return say(usage);
  checkMachine();
  if (!existsSync(join(workspace, 'package-lock.json')))
    throw new Problem('package-lock.json is missing.', 'git checkout -- package-lock.json');
  await agree(await needs(flags), flags);
  report(await steps(flags), began);
}

main().catch((error) => {
  if (error instanceof Problem) process.stderr.write(`\nquickstart: ${error.message}\nNext: ${error.next}\n`);
  else process.stderr.write(`\nquickstart: unexpected: ${error.stack}\nNext: npm run quickstart\n`);
  process.exitCode = error.signal ? 130 : 1;
});
