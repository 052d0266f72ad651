import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectConverged } from './expectations.ts';
import { makeWorkspace, SECRETS } from './make-workspace.ts';
import { foundIn, hostPids, traced, traceHost } from './trace.ts';
import { run, type Workspace } from './workspace.ts';

/*
 * A secret is never seen: while a deploy sets every secret of all four services, each program that is started on this
 * machine or in a container is traced with its arguments and its environment, and everything that is left behind is read.
 */

const PROJECTS = ['postgres', 'redis', 'rabbitmq', 'minio'];

/** Values that nothing else on the machine has, with characters that base64 and URLs write differently. */
function valuesFor(round: string): Record<string, string> {
  return Object.fromEntries(SECRETS.map((name, i) => [name, `${round}+${name.toLowerCase().replaceAll('_', '')}@${String(i).repeat(9)}`]));
}

let workspace: Workspace;
let folder: string;
let began: number;

beforeAll(async () => {
  workspace = await makeWorkspace({ environment: 'e2e-secrets', containers: PROJECTS, secrets: valuesFor('before') });
  folder = await mkdtemp(join(tmpdir(), 'mooring-trace-'));
  const { code, output } = await workspace.configure();
  if (code !== 0) throw new Error(output);
});
afterAll(async () => {
  await workspace.remove();
  await rm(folder, { recursive: true, force: true });
});

const secrets = { ...valuesFor('before'), ...valuesFor('after') };
const outputs: string[] = [];

it('no program that a deploy starts has a secret in its arguments or its environment', async () => {
  began = Date.now();
  await workspace.secrets(valuesFor('after'));
  // The role and the user are made anew under the trace, not only given another password.
  await workspace.guest('rabbitmq', 'rabbitmqctl -q delete_user veza');
  await workspace.guest(
    'postgres',
    'cd /; runuser -u postgres -- psql -X -q -c "alter database veza owner to postgres" -c "drop owned by veza" -c "drop role veza"',
  );
  const host = await traceHost(join(folder, 'host'), await hostPids(workspace.environment));
  try {
    await workspace.guest('redis', ': planted-where-it-must-be-found');
    const args = ['run-many', '-t', 'configure', `--configuration=${workspace.environment}`, '--output-style=static'];
    const deploy = await workspace.nx(args, { before: traced(join(folder, 'nx')) });
    outputs.push(deploy.output);
    expect(deploy.code, deploy.output).toBe(0);
    expect(deploy.output).toContain('create role veza');
    const plan = await workspace.run('redis', 'plan', '--out=plan.json');
    outputs.push(plan.output);
    expect(plan.code, plan.output).toBe(0);
  } finally {
    await host.stop();
  }
  const [byNx, onHost] = await Promise.all(['nx', 'host'].map((file) => readFile(join(folder, file), 'utf8')));
  expect(onHost).toContain('planted-where-it-must-be-found');
  for (const program of ['incus', 'git'])
    expect(byNx, `the trace of nx shows ${program}`).toMatch(new RegExp(`execve\\("[^"]*/${program}"`));
  for (const program of ['psql', 'redis-cli', 'erl_call', 'systemctl'])
    expect(onHost, `the trace of the host shows ${program}`).toContain(`/${program}"`);
  expect(foundIn(String(byNx), secrets)).toEqual([]);
  expect(foundIn(String(onHost), secrets)).toEqual([]);
});

it('the search finds a secret in each of its forms', () => {
  const [name, value] = Object.entries(secrets)[0] as [string, string];
  const only = { [name]: value };
  for (const form of [
    value,
    encodeURIComponent(value),
    ...['', 'x', 'xy'].map((before) => Buffer.from(`${before}${value}z`).toString('base64')),
  ]) {
    expect(foundIn(`...${form}...`, only), form).toEqual([name]);
  }
});

it('no secret is left in output, plan files, .nx, ~/.nx, the journals or the audit log', async () => {
  const journals = await Promise.all(PROJECTS.map((project) => workspace.guest(project, 'journalctl --no-pager -o cat')));
  const audit = await readFile(`/var/lib/mooring/${workspace.environment}/audit.jsonl`, 'utf8');
  const plan = await readFile(join(workspace.root, 'plan.json'), 'utf8');
  const log = await expectConverged(workspace.run('zfs', 'log'));
  const left = { outputs: outputs.join('\n'), journals: journals.join('\n'), audit, plan, log };
  for (const [where, text] of Object.entries(left)) {
    expect(text.length, where).toBeGreaterThan(100);
    expect(foundIn(text, secrets), where).toEqual([]);
  }
  const files = [...(await filesSince(join(workspace.root, '.nx'))), ...(await filesSince(join(homedir(), '.nx')))];
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) expect(foundIn(await readFile(file, 'latin1'), secrets), file).toEqual([]);
  expect(foundIn(await run('incus', ['query', `/1.0/instances?recursion=2&project=${workspace.environment}`]), secrets)).toEqual([]);
});

/** Files below a folder that were written since the traced deploy began. */
async function filesSince(top: string): Promise<string[]> {
  const names = await readdir(top, { recursive: true }).catch(unlessGone([]));
  const found = await Promise.all(
    names.map(async (name) => {
      const path = join(top, name);
      const info = await stat(path).catch(unlessGone(undefined));
      return info?.isFile() && info.mtimeMs >= began ? [path] : [];
    }),
  );
  return found.flat();
}

/** For what goes while it is looked at: Nx takes its own files away. */
function unlessGone<T>(otherwise: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code !== 'ENOENT') throw error;
    return otherwise;
  };
}
