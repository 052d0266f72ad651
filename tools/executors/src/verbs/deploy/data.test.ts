import { execFileSync, spawn } from 'node:child_process';
import fs, { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { ExecutorContext, TaskGraph } from '@nx/devkit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { reveal } from '../../engine/secret.ts';
import { hostFromTransport, type Transport } from '../../engine/transport.ts';
import { fileContent, rendered } from '../../executors/shared/answer.ts';
import type { BatchResult } from '../../executors/shared/request.ts';
import { runSteps } from '../../executors/shared/steps.ts';
import { containerProject, storageProject } from '../../plugin/targets.ts';
import { planReport } from '../../report/plan.ts';
import { verifyReport } from '../../report/verify.ts';
import type { World } from '../../shared/world.ts';
import { containerSchema } from '../../workspace/container.ts';
import { worldOf } from '../../world/index.ts';
import { plan } from '../plan/data.ts';
import { verify } from '../verify/data.ts';
import { dataTasks } from './data.ts';
import { type DataRequest, data } from './options.ts';

/*
 * The walk of a deploy on a host whose `incus` is a script with canned answers and whose containers are this machine's
 * shell: what is counted and ordered here is the same on any host. The lab's tests ask a real Incus.
 */

const place = { folder: '', trips: 0 };

/** The real world, but for its one host. */
const world = (): World => ({ ...worldOf(place.folder), openHost: async () => fakeHost() });

/** The state of an environment is in the test's folder, which is deep inside of commands that are bundled. */
const toState = (text: string): string =>
  text
    .replaceAll('/var/lib/mooring', join(place.folder, 'state'))
    .replaceAll(/(?<=printf %s ')[A-Za-z0-9+/=]+(?=' \| base64 -d)/g, (packed) =>
      Buffer.from(toState(Buffer.from(packed, 'base64').toString())).toString('base64'),
    );

function fakeHost() {
  const transport: Transport = {
    name: 'local',
    exec: (command) => {
      place.trips += 1;
      return new Promise((resolve, reject) => {
        const [program = '', ...args] = command.argv.map(toState);
        const child = spawn(program, args, { env: { PATH: `${place.folder}/bin:${process.env.PATH}`, FOLDER: place.folder } });
        let [stdout, stderr] = ['', ''];
        child.stdout.setEncoding('utf8').on('data', (part) => (stdout += part));
        child.stderr.setEncoding('utf8').on('data', (part) => (stderr += part));
        child.on('error', reject);
        child.on('close', (code) => resolve({ command, code: code ?? 255, stdout, stderr }));
        child.stdin.end(command.stdin === undefined ? '' : toState(reveal(command.stdin)));
      });
    },
    execFile: () => Promise.reject(new Error('no files here')),
  };
  const host = hostFromTransport(transport);
  return {
    ...host,
    transport,
    spare: host,
    connect: async () => new PassThrough(),
    close: async () => {},
    get roundTrips() {
      return place.trips;
    },
  };
}

const UUID = '00000000-0000-4000-8000-000000000000';

/** A service whose one fact is a file and whose one change is to write it. */
const SERVICE = (schema: string) => `
import { z } from '${schema}';
const wanted = ({ settings, context }) => settings.value;
const file = (context) => process.env.TEST_FOLDER + '/' + context.instance;
export default {
  name: 'file', unit: 'file', settings: z.strictObject({ value: z.string() }),
  stages: [{
    name: 'content',
    facts: ({ context }) => ({ now: { name: 'file', command: { argv: ['sh', '-c', 'cat "$1" 2>/dev/null || true', 'sh', file(context)], effect: 'read' }, parse: (r) => r.stdout } }),
    plan: ({ now }, { settings, context }) => now === settings.value ? [] : [{
      resource: 'file', action: 'update', before: now, after: settings.value, impact: 'none', because: 'it differs',
      commands: [{ argv: ['sh', '-c', 'printf %s "$2" > "$1"', 'sh', file(context), settings.value], effect: 'write' }],
    }],
  }],
  health: {
    inside: () => ({ name: 'health', command: { argv: ['true'], effect: 'read' }, parse: () => ({ version: '1', detail: 'asked' }) }),
    outside: async () => ({ version: '1', detail: 'asked' }),
  },
};`;

const INCUS = `#!/bin/sh
[ "$INCUS_CONF $1" = '/nonexistent --force-local' ] || { echo "goes to the default remote: incus $*" >&2; exit 99; }
shift
echo "$*" >> "$FOLDER/calls"
case "$1" in
  query) f=$(printf %s "$2" | tr -c 'a-zA-Z0-9\\n' _); [ -e "$FOLDER/answers/$f" ] || { echo "unexpected: incus $*" >&2; exit 99; }; cat "$FOLDER/answers/$f" ;;
  exec) while [ "$1" != -- ]; do shift; done; shift; exec "$@" ;;
  config) exit 0 ;;
  snapshot) echo 'Error: no space left on device' >&2; exit 1 ;;
  *) echo "unexpected: incus $*" >&2; exit 99 ;;
esac
`;

let names: string[];

function answer(path: string, content: unknown): void {
  writeFileSync(join(place.folder, 'answers', path.replaceAll(/[^a-zA-Z0-9]/g, '_')), JSON.stringify(content));
}

function workspace(count: number): void {
  place.folder = mkdtempSync(join(tmpdir(), 'mooring-converge-'));
  process.env.TEST_FOLDER = join(place.folder, 'guests');
  place.trips = 0;
  names = Array.from({ length: count }, (_, i) => `c${String(i).padStart(2, '0')}`);
  for (const folder of ['bin', 'answers', 'guests', 'infra/environments', 'infra/zfs', ...names.map((name) => `infra/${name}`)])
    mkdirSync(join(place.folder, folder), { recursive: true });
  writeFileSync(join(place.folder, 'bin/incus'), INCUS);
  chmodSync(join(place.folder, 'bin/incus'), 0o755);
  const write = (file: string, content: unknown) =>
    writeFileSync(join(place.folder, file), typeof content === 'string' ? content : JSON.stringify(content));
  write('nx.json', {});
  write('infra/zfs/storage.json', { description: 'storage' });
  write('infra/environments/local.json', {
    host: 'local',
    incus: { project: 'p', profiles: ['data'], image: 'base' },
    prefix: 'x-',
    network: 'net',
    retention: 2,
  });
  for (const name of names) {
    write(`infra/${name}/container.json`, { description: name, service: './service.ts', settings: { value: 'wanted' } });
    write(`infra/${name}/service.ts`, SERVICE(import.meta.resolve('zod')));
    write(`guests/x-${name}`, 'wanted');
  }
  execFileSync('git', ['init', '-q', place.folder]);
  execFileSync('git', [
    '-C',
    place.folder,
    '-c',
    'user.name=t',
    '-c',
    'user.email=t@localhost',
    'commit',
    '-q',
    '--allow-empty',
    '-m',
    'x',
  ]);
  // Nothing is what Incus prints while no operation is known.
  writeFileSync(join(place.folder, 'answers', '_1_0_operations_recursion_1_project_p'), '');
  answer('/1.0', { environment: { server_version: '6.0.4' } });
  answer('/1.0/projects?recursion=1', [{ name: 'p', config: {} }]);
  answer('/1.0/storage-pools?recursion=1', [{ name: 'pool', driver: 'btrfs', status: 'Created', config: {} }]);
  answer('/1.0/storage-pools/pool/resources', { space: { used: 1, total: 100 } });
  answer('/1.0/profiles?recursion=1&project=p', [{ name: 'data', config: {}, devices: {} }]);
  answer('/1.0/networks?recursion=1&project=p', [
    { name: 'net', managed: true, type: 'bridge', status: 'Created', config: { 'ipv4.address': '10.0.0.1/24' } },
  ]);
  answer('/1.0/images/aliases?recursion=1&project=p', [{ name: 'base', target: 'f'.repeat(64) }]);
  const instances = names.map(instance);
  answer(
    '/1.0/instances?all-projects=true',
    instances.map(({ name }) => `/1.0/instances/${name}?project=p`),
  );
  answer('/1.0/instances?recursion=2&project=p', instances);
  for (const one of instances) answer(`/1.0/instances/${one.name}?recursion=1&project=p`, one);
}

function instance(name: string) {
  const root = { type: 'disk', path: '/', pool: 'pool' };
  const release = execFileSync('git', ['-C', place.folder, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  const marks = { environment: 'local', instance: `x-${name}`, service: 'file', uuid: UUID, release };
  const config = {
    'volatile.uuid': UUID,
    'volatile.eth0.hwaddr': '10:66:6a:00:00:01',
    'security.protection.delete': 'true',
    ...Object.fromEntries(Object.entries(marks).map(([key, value]) => [`user.mooring.${key}`, value])),
  };
  return {
    name: `x-${name}`,
    project: 'p',
    type: 'container',
    status: 'Running',
    location: 'none',
    created_at: '2026-01-01T00:00:00Z',
    config,
    expanded_config: config,
    devices: {},
    expanded_devices: { root, eth0: { type: 'nic', network: 'net' } },
    profiles: ['data'],
    snapshots: null,
    state: {
      network: {
        eth0: { addresses: [{ family: 'inet', address: '10.0.0.9', scope: 'global' }], hwaddr: '10:66:6a:00:00:01', host_name: '' },
      },
    },
  };
}

/** The tasks of a deploy of all containers. */
function allTasks(): DataRequest['tasks'] {
  const steps = ['snapshot', 'provision', 'configure'] as const;
  const chain = names.flatMap((project) =>
    steps.map((step, i) => ({
      id: `${project}:${step}`,
      project,
      step,
      dependsOn: [i === 0 ? 'zfs:snapshot' : `${project}:${steps[i - 1]}`],
    })),
  );
  return [
    { id: 'zfs:preflight', project: 'zfs', step: 'preflight', dependsOn: [] },
    { id: 'zfs:snapshot', project: 'zfs', step: 'snapshot', dependsOn: ['zfs:preflight'] },
    ...chain,
  ];
}

async function converge(
  flags: { skipTrial?: boolean } = {},
): Promise<{ results: Map<string, { success: boolean; output: string }>; printed: string }> {
  const options = {
    allowDirty: true,
    create: [],
    newHost: [],
    leaveBehind: [],
    without: [],
    adopt: [],
    dryRun: false,
    skipTrial: false,
    ...flags,
  };
  const printed: string[] = [];
  const results = new Map<string, { success: boolean; output: string }>();
  const request = {
    root: place.folder,
    world: world(),
    environment: 'local',
    runId: `run-${place.trips}`,
    tasks: allTasks(),
    projects: ['zfs', ...names],
    options,
    signal: new AbortController().signal,
    print: (line: string) => void printed.push(line),
  };
  for await (const { id, success, output } of dataTasks(request)) results.set(id, { success, output });
  return { results, printed: [...printed, ...[...results.values()].map(({ output }) => output)].join('\n') };
}

/** The same as Nx does it: by the executor, which is given the targets that the plugin made. */
async function executed(): Promise<BatchResult[]> {
  const inferred = { description: '', environments: ['local'], environmentFolder: 'infra/environments', implicitDependencies: [] };
  const container = (name: string) =>
    containerProject({ ...inferred, name, root: `infra/${name}`, service: './service.ts', storage: 'zfs', hasArtifacts: false });
  const projects = {
    zfs: storageProject({ ...inferred, name: 'zfs', root: 'infra/zfs' }),
    ...Object.fromEntries(names.map((name) => [name, container(name)])),
  };
  const tasks = allTasks();
  const graph = {
    roots: ['zfs:preflight'],
    tasks: Object.fromEntries(
      tasks.map(({ id, project, step }) => [
        id,
        { id, target: { project, target: step, configuration: 'local' }, overrides: {}, outputs: [] },
      ]),
    ),
    dependencies: Object.fromEntries(tasks.map(({ id, dependsOn }) => [id, [...dependsOn]])),
  } as unknown as TaskGraph;
  const context = {
    ...{ root: place.folder, cwd: place.folder, isVerbose: false, nxJsonConfiguration: {}, taskGraph: graph },
    projectsConfigurations: { version: 2, projects },
  } as unknown as ExecutorContext;
  const options = Object.fromEntries(tasks.map(({ id, step }) => [id, { step, environment: 'local', allowDirty: true }]));
  const onFake = (request: DataRequest) => dataTasks({ ...request, world: { ...request.world, openHost: async () => fakeHost() } });
  const results: BatchResult[] = [];
  const load = { options: async () => data, perform: async () => onFake };
  for await (const { result } of runSteps(load, graph, options, context)) results.push(result);
  return results;
}

/** The first run has nothing in the audit log to go by and would cut a set: it is told that this release has completed. */
function hasCompleted(): void {
  mkdirSync(join(place.folder, 'state/local'), { recursive: true });
  const release = execFileSync('git', ['-C', place.folder, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  writeFileSync(
    join(place.folder, 'state/local/audit.jsonl'),
    `${JSON.stringify({ time: '2026-01-01T00:00:00.000000Z', run: 'r', who: 'w', release, what: 'deploy', result: 'ok' })}\n`,
  );
}

afterEach(() => rmSync(place.folder, { recursive: true, force: true }));

describe('a deploy that has nothing to do', () => {
  it.each([1, 4, 16])('costs at most 3 round trips for %i containers', async (count) => {
    workspace(count);
    hasCompleted();
    const { results, printed } = await converge();
    expect(
      [...results.values()].every(({ success }) => success),
      printed,
    ).toBe(true);
    expect(results.size).toBe(2 + 3 * count);
    expect(place.trips).toBeLessThanOrEqual(3);
    expect(printed).toContain('local: 0 changes; 3 round trips');
    expect(readFileSync(join(place.folder, 'calls'), 'utf8')).not.toMatch(/^(config|snapshot|create|start)/m);
  });
});

describe('the files of the containers', () => {
  it('are read once and validated once in the process that acts on them', async () => {
    workspace(2);
    hasCompleted();
    vi.spyOn(console, 'log').mockImplementation(() => {});
    const reads = vi.spyOn(fs, 'readFileSync');
    syncBuiltinESMExports();
    const validations = vi.spyOn(containerSchema, 'safeParse');
    const results = await executed();
    const read = reads.mock.calls.map(([path]) => String(path)).filter((path) => path.endsWith('/container.json'));
    reads.mockRestore();
    syncBuiltinESMExports();
    expect(results).toHaveLength(8);
    expect(results).toEqual(Array(8).fill({ success: true, terminalOutput: '' }));
    expect(read.sort()).toEqual(names.map((name) => join(place.folder, 'infra', name, 'container.json')));
    expect(validations).toHaveBeenCalledTimes(names.length);
  });
});

describe('a trial that refuses what is right', () => {
  const TRIAL = `tried: {
    name: 'trial', command: { argv: ['false'], effect: 'read' }, withoutTrial: { argv: ['true'], effect: 'read' },
    parse: (r) => { if (r.code !== 0) throw new Error('refused by the trial'); },
  }, now:`;

  it('keeps plan and configure from it, but for --skip-trial', async () => {
    workspace(1);
    hasCompleted();
    writeFileSync(join(place.folder, 'infra/c00/service.ts'), SERVICE(import.meta.resolve('zod')).replace('now:', TRIAL));
    const flags = { create: [], newHost: [], leaveBehind: [], without: [], adopt: [], failOnChanges: false, json: false, markdown: false };
    const planned = (skipTrial: boolean) =>
      plan({
        ...{
          root: place.folder,
          world: world(),
          environment: 'local',
          projects: ['c00'],
          signal: new AbortController().signal,
          print: () => {},
        },
        ...{ ask: undefined, preview: () => {} },
        options: { ...flags, skipTrial },
      });
    const { success, data } = await planned(false);
    expect([success, data.refused.map(({ error }) => error.message)]).toEqual([false, [expect.stringContaining('refused by the trial')]]);
    expect((await planned(true)).success).toBe(true);
    expect((await converge()).results.get('c00:configure')).toMatchObject({
      success: false,
      output: expect.stringContaining('by the trial'),
    });
    const { results, printed } = await converge({ skipTrial: true });
    expect(results.get('c00:configure')?.success, printed).toBe(true);
  });
});

describe('a restore point that cannot be cut', () => {
  beforeEach(() => workspace(2));

  it('stops everything before anything is touched, and gives every task a result', async () => {
    for (const name of names) writeFileSync(join(place.folder, 'guests', `x-${name}`), 'drifted');
    const { results, printed } = await converge();
    expect(results.get('zfs:snapshot')?.success).toBe(false);
    expect(printed).toContain('no space left on device');
    expect(results.get('c00:configure')).toEqual({ success: false, output: 'c00:configure: not run, because c00:provision failed' });
    expect(results.size).toBe(8);
    expect(readFileSync(join(place.folder, 'guests/x-c00'), 'utf8')).toBe('drifted');
    const audit = readFileSync(join(place.folder, 'state/local/audit.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(audit.map(({ what, result }) => `${what} ${result}`)).toEqual([
      ...['deploy started', 'failure failed', 'place ok', 'place ok', 'deploy failed'],
    ]);
  });
});

describe('a secret that is a word', () => {
  /** A service with a secret, a file that is called like it, and answers that quote what they were given. */
  const SECRET_SERVICE = (schema: string) => `
import { z } from '${schema}';
const path = ({ instance }) => process.env.TEST_FOLDER + '/' + instance;
const health = ({ settings }) => {
  if (process.env.TEST_FAILS) throw new Error('got ' + settings.value.reveal());
  return { version: '1', detail: 'asked as ROOT_USER=' + settings.value.reveal() };
};
export default {
  name: 'file', unit: 'file', settings: z.strictObject({ value: z.any() }),
  stages: [{
    name: 'content',
    facts: ({ context }) => ({ now: { name: 'file', command: { argv: ['cat', path(context)], effect: 'read' }, parse: (r) => r.stdout } }),
    plan: ({ now }, { settings, context }) => now === settings.value.reveal() ? [] : [{
      resource: 'file /etc/' + context.instance + '/c00/root-user', action: 'update', before: now, after: settings.value, impact: 'none',
      because: 'it differs', commands: [{ argv: ['sh', '-c', 'cat > "$1"', 'sh', path(context)], stdin: settings.value, effect: 'write' }],
    }],
  }],
  health: {
    inside: (desired) => ({ name: 'health', command: { argv: ['true'], effect: 'read' }, parse: () => health(desired) }),
    outside: async (desired) => health(desired),
  },
};`;

  beforeEach(() => {
    workspace(1);
    writeFileSync(
      join(place.folder, 'infra/c00/container.json'),
      JSON.stringify({ description: 'c00', service: './service.ts', settings: { value: { secret: 'ROOT_USER' } } }),
    );
    writeFileSync(join(place.folder, 'infra/c00/service.ts'), SECRET_SERVICE(import.meta.resolve('zod')));
    mkdirSync(join(place.folder, '.secrets'));
    // Of such a pool no restore point is cut.
    answer('/1.0/storage-pools?recursion=1', [{ name: 'pool', driver: 'dir', status: 'Created', config: {} }]);
    mkdirSync(join(place.folder, 'state/local'), { recursive: true });
  });

  const told = async (value: string) => {
    writeFileSync(join(place.folder, '.secrets/local.env'), `ROOT_USER='${value}'\n`, { mode: 0o600 });
    return (await converge()).printed;
  };

  it('is hidden as a value; names of things stay; it is warned of once in a deploy', async () => {
    const printed = await told('c00');
    expect(printed).toContain('c00: content: update file /etc/x-c00/c00/root-user: it differs');
    expect(printed).toContain('c00: provision: no changes: x-c00 is there and runs');
    expect(printed).toContain('is healthy (asked as ROOT_USER=(secret), from inside');
    expect(printed.match(/^warning: .*$/gm)).toEqual([
      'warning: ROOT_USER of local cannot be hidden everywhere: it is shorter than 8 characters; a random value can (docs/secrets.md)',
    ]);
    expect(readFileSync(join(place.folder, 'state/local/audit.jsonl'), 'utf8')).toContain('file /etc/x-c00/c00/root-user');
  });

  it('and one that nothing else holds is not warned of', async () => {
    const printed = await told('hunter2-hunter2');
    expect(printed).toContain('is healthy (asked as ROOT_USER=(secret), from inside');
    expect(printed).not.toContain('warning:');
    expect(printed).not.toContain('hunter2');
  });

  it('leaves the JSON of a plan valid, and what a verb throws without it', async () => {
    // As JSON writes a quote, so this ends.
    const value = 'hunter22\\';
    await told(value);
    writeFileSync(join(place.folder, 'guests/x-c00'), 'was hunter22"');
    const options = {
      create: [],
      newHost: [],
      leaveBehind: [],
      without: [],
      adopt: [],
      json: true,
      markdown: false,
      failOnChanges: false,
      skipTrial: false,
      release: undefined,
    };
    const request = {
      root: place.folder,
      world: world(),
      environment: 'local',
      projects: ['c00'],
      signal: new AbortController().signal,
      print: () => {},
    };
    const nobody = { ask: undefined, preview: () => {} };
    const answer = await plan({ ...request, ...nobody, options });
    const { output } = rendered(planReport, answer, options, true);
    expect(JSON.parse(output)).toEqual(JSON.parse(fileContent(planReport, answer)));
    expect(output).toContain('was hunter22\\"');
    vi.stubEnv('TEST_FAILS', 'yes');
    const asked = await verify({ ...request, ...nobody, options: { json: false } });
    expect(rendered(verifyReport, asked, { json: false }, false).output).toContain('got (secret)');
    vi.unstubAllEnvs();
  });
});
