import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Application } from './application.ts';
import { filesSince, formsOf, leaks } from './leaks.ts';
import { IncusTrace, readTrace, traced } from './traces.ts';
import { type Ended, makeWorkspace, SECRETS, type Workspace } from './workspace.ts';

const ENVIRONMENT = 'e2e-secrets';
const PROJECTS = ['postgres', 'redis', 'rabbitmq', 'minio'];
const LET_IN = Object.fromEntries(PROJECTS.map((project) => [project, 'let in']));

/** Products whose own rules allow few letters (README of each service). */
const FEW_LETTERS = ['RABBITMQ_ERLANG_COOKIE', 'MINIO_ROOT_USER', 'MINIO_ACCESS_KEY'];

/** Random, with letters whose forms differ, and a quote, a newline and a letter that is not ASCII where a product takes them. */
function randomSecrets(word: string): Record<string, string> {
  return Object.fromEntries(
    SECRETS.map((name) => [name, `${word}:${randomBytes(9).toString('hex')}${FEW_LETTERS.includes(name) ? '@+x' : ` /+=&%?"\n'é.`}`]),
  );
}

const first = randomSecrets('first');
const second = randomSecrets('second');
/** Goes wherever a secret must not go, to prove that it would be found there. */
const planted = { PLANTED: `planted:${randomBytes(9).toString('hex')} /+=&%?"\n'é.` };

let workspace: Workspace;
let incus: IncusTrace;
let begun: number;
const traces: string[] = [];
const outputs: Record<string, string> = {};

beforeAll(async () => {
  begun = Date.now();
  workspace = await makeWorkspace({ environment: ENVIRONMENT, containers: PROJECTS, secrets: first });
  traces.push(join(workspace.root, '.lab-trace-incus'));
  incus = await IncusTrace.start(String(traces[0]));
});
afterAll(async () => {
  await incus.stop();
  await workspace.remove();
});

/** Runs nx with all that it starts written down, and keeps what it prints. */
async function nx(name: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const file = join(workspace.root, `.lab-trace-${name}`);
  const ended = await workspace.nx([...args, '--output-style=static'], { before: traced(file), env });
  traces.push(file);
  outputs[`the output of ${name}`] = ended.output;
  return ended;
}

const target = (name: string) =>
  ['run-many', '-t', name, `--configuration=${ENVIRONMENT}`, '--allow-dirty'].filter(
    (flag) => name === 'configure' || flag !== '--allow-dirty',
  );

it('a first deploy, a rotation and every verb, with all that they start being traced', { timeout: 900_000 }, async () => {
  const application = new Application(workspace);
  const deploy = await nx('first', target('configure'));
  expect(deploy.code, deploy.output).toBe(0);
  expect(await application.attempt(first)).toEqual(LET_IN);

  await workspace.secrets(second);
  const plan = await nx('plan', [...target('plan'), '--out=plan.json']);
  expect(plan.output).toContain('(secret, differs)');
  await nx('plan --markdown', [...target('plan'), '--markdown']);
  await nx('plan --json', [...target('plan'), '--json']);
  const rotation = await nx('rotation', target('configure'));
  expect(rotation.code, rotation.output).toBe(0);
  expect(await application.attempt(second)).toEqual(LET_IN);

  // One secret given as a variable: what nx-mooring starts has it not in its environment.
  const variable = await nx('variable', target('plan'), { MOORING_E2E_SECRETS_REDIS_PASSWORD: planted.PLANTED });
  expect(variable.output).toContain('(secret, differs)');
  for (const verb of ['verify', 'status']) expect(await nx(verb, target(verb))).toMatchObject({ code: 0 });
  for (const verb of ['log', 'inventory']) expect(await nx(verb, ['run', `zfs:${verb}`, '-c', ENVIRONMENT])).toMatchObject({ code: 0 });
  // A failure quotes the tool's own words.
  await workspace.guest(
    'redis',
    'systemctl stop redis-server; mkdir -p /etc/systemd/system/redis-server.service.d; printf "[Service]\\nExecStart=\\nExecStart=/bin/false\\n" >/etc/systemd/system/redis-server.service.d/broken.conf; systemctl daemon-reload',
  );
  expect(await nx('failure', target('configure'))).toMatchObject({ code: 1, output: expect.stringContaining('redis:configure') });
});

it('the search finds what is planted: in arguments and environments, here, in a container and by its systemd, in files and journals', async () => {
  const forms = formsOf(planted.PLANTED);
  const inContainer = (...argv: readonly string[]) => workspace.incus('exec', workspace.instance('redis'), '-T', '--', ...argv);
  await inContainer('true', `an argument with ${planted.PLANTED} in it`);
  expect(leaks(planted, { here: readTrace(String(traces[0])) })).toHaveLength(1);
  for (const offset of [0, 1, 2])
    await inContainer('true', Buffer.from(`${'-'.repeat(offset)}${planted.PLANTED} and more`).toString('base64'));
  await inContainer('true', String(forms['URL-encoded']));
  await inContainer('env', `VARIABLE=${String(forms['base64url at 1'])}`, 'true');
  await inContainer('systemd-run', '--wait', '--quiet', '--setenv=BY_SYSTEMD=1', 'true', String(forms['form-encoded']));
  const found = leaks(planted, { here: readTrace(String(traces[0])) }).join('\n');
  for (const form of ['raw', 'base64 at 0', 'base64 at 1', 'base64 at 2', 'base64url at 1', 'URL-encoded', 'form-encoded'])
    expect(found).toContain(`PLANTED (${form})`);
  // By systemd: it came into the environment of a process that systemd started, which no command of ours names.
  expect(readTrace(String(traces[0]))).toMatch(/execve\("\S+true", \["\S*true", "planted[^\n]*\n?[^\n]*"BY_SYSTEMD=1"/);
  // Here: the variable above is in the environment of nx.
  expect(leaks(planted, { nx: readTrace(join(workspace.root, '.lab-trace-variable')) }).join('\n')).toContain('PLANTED (raw)');
  // In a journal.
  await inContainer('logger', planted.PLANTED.replaceAll('\n', ' '));
  expect(leaks({ LOGGED: planted.PLANTED.replaceAll('\n', ' ') }, await journals())).not.toEqual([]);
  // In a file that nx has written.
  writeFileSync(join(workspace.root, '.nx', 'planted'), planted.PLANTED);
  expect(leaks(planted, files())).toHaveLength(1);
});

it('no secret is in an argument or an environment of any process, raw, in base64 or URL-encoded', () => {
  const places = Object.fromEntries(traces.map((file) => [file, readTrace(file)]));
  for (const [file, text] of Object.entries(places)) expect(text, file).toContain('execve(');
  // The deploy itself is in it: what it did in the containers, and what the containers' systemd did for it.
  const ofIncus = String(places[String(traces[0])]);
  expect(ofIncus).toContain('"apt-get"');
  expect(ofIncus).toMatch(/execve\("\/usr\/bin\/redis-server", /);
  expect(ofIncus).toMatch(/execve\("\/usr\/local\/bin\/minio", /);
  expect(leaks({ ...prefixed('first', first), ...prefixed('second', second) }, places)).toEqual([]);
});

it('a secret given as a variable is in the environment of nx alone, not of what nx-mooring starts', () => {
  const lines = readTrace(join(workspace.root, '.lab-trace-variable')).split(/\n(?=\d+ +execve)/);
  const programs = lines
    .filter((line) => leaks(planted, { line }).length > 0)
    .map((line) => /execve\("([^"]*)"/.exec(line)?.[1]?.split('/').at(-1));
  expect([...new Set(programs)]).toEqual(['node']);
  expect(lines.some((line) => line.includes('"incus", "exec"'))).toBe(true);
});

it('no secret is in the output, .nx, ~/.nx, the plan files, the audit log or the containers’ journals and logs', async () => {
  const secrets = { ...prefixed('first', first), ...prefixed('second', second) };
  const written = files();
  for (const place of ['plan.json', '.nx/', 'audit.jsonl'])
    expect(
      Object.keys(written).some((path) => path.includes(place)),
      place,
    ).toBe(true);
  expect(leaks(secrets, outputs)).toEqual([]);
  expect(leaks(secrets, written)).toEqual([]);
  expect(leaks(secrets, await journals())).toEqual([]);
});

function prefixed(word: string, secrets: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(secrets).map(([name, value]) => [`${word} ${name}`, value]));
}

/** What nx, nx-mooring and the host's audit log have written since the test began; the file of the secrets itself is left out. */
function files(): Record<string, string> {
  const own = [join(workspace.root, '.secrets'), ...traces];
  return filesSince(begun, [workspace.root, join(homedir(), '.nx'), join('/var/lib/mooring', ENVIRONMENT)], own);
}

/** The containers' journals, with all fields, and their log files. */
async function journals(): Promise<Record<string, string>> {
  const read = (project: string) =>
    workspace.guest(project, 'journalctl --no-pager -a -o export; find /var/log -type f ! -path "/var/log/journal/*" -exec cat {} +');
  return Object.fromEntries(
    await Promise.all(PROJECTS.map(async (project) => [`journal and logs of ${project}`, await read(project)] as const)),
  );
}
