import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectConverged } from './expectations.ts';
import { makeWorkspace } from './make-workspace.ts';
import { RunningNx } from './running.ts';
import type { Workspace } from './workspace.ts';

const ENVIRONMENT = 'e2e-killed';
/** Each cycle is a deploy, a roll-back and an undo, killed once each. */
const CYCLES = 7;
const SEED = Number(process.env.MOORING_SEED ?? Math.floor(Math.random() * 2 ** 31));

let workspace: Workspace;
const random = generator(SEED);
const release = (cycle: number) => (cycle + 1).toString(16).padStart(40, 'a');
/** How long each of them takes when nobody kills it, in milliseconds. */
const usual: Record<string, number> = {};

beforeAll(async () => {
  console.log(`killed at random points: MOORING_SEED=${SEED}`);
  workspace = await makeWorkspace({ environment: ENVIRONMENT, containers: ['redis'] });
  await expectConverged(workspace.configure(`--release=${release(-1)}`));
  await write('first');
});
afterAll(() => workspace.remove());

const redis = (command: string) =>
  workspace.guest('redis', `REDISCLI_AUTH=redis-password-of-${ENVIRONMENT} redis-cli -e ${command}`).then((answer) => answer.trim());
const write = (key: string) => redis(`set ${key} 1`);
const keys = async () => (await redis('keys "*"')).split('\n').sort();
const points = async (cycle: number) =>
  (await workspace.incus('snapshot', 'list', workspace.instance('redis'), '--format=csv', '--columns=n'))
    .split('\n')
    .filter((name) => name.startsWith(`pre-deploy-${release(cycle)}`));

/** Numbers in [0, 1) that a seed gives again (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function command(what: string, cycle: number): string[] {
  const common = ['-c', ENVIRONMENT, '--output-style=static'];
  if (what === 'deploy') return ['run', 'redis:configure', ...common, `--release=${release(cycle)}`];
  return ['run', 'zfs:rollback', ...common, '--yes', ...(what === 'undo' ? ['--undo'] : [`--before=${release(cycle)}`])];
}

/** Runs a command and kills it, with everything that it started on this machine, at a random point; then runs it again. */
async function killedAndRunAgain(what: string, cycle: number): Promise<void> {
  const args = command(what, cycle);
  if (cycle === 0) {
    const began = performance.now();
    await expectConverged(workspace.nx(args));
    usual[what] = performance.now() - began;
    return;
  }
  const after = Math.round(random() * (usual[what] as number));
  const run = new RunningNx(workspace, args);
  await Promise.race([run.ended, new Promise((resolve) => setTimeout(resolve, after))]);
  await killAndRunAgain(run, args, `${what} of cycle ${cycle}, killed after ${after} ms`);
}

async function killAndRunAgain(run: RunningNx, args: readonly string[], what: string): Promise<void> {
  if (!run.over) run.killAll();
  await run.ended;
  const lease = `/var/lib/mooring/${ENVIRONMENT}/lease`;
  const holder = existsSync(lease) ? (JSON.parse(readFileSync(lease, 'utf8')) as { runId: string }).runId : undefined;
  const again = await workspace.nx([...args, ...(holder === undefined ? [] : [`--lease-take=${holder}`])]);
  // What was killed may have asked for the lease a moment ago: then it is there after we looked, and the message says what to type.
  const [late] = /--lease-take=[\w-]+/.exec(again.code === 0 ? '' : again.output) ?? [];
  const { code, output } = late === undefined ? again : await workspace.nx([...args, late]);
  expect(code, `${what} having said:\n${run.output}\nand again:\n${output}`).toBe(0);
  expect(existsSync(lease)).toBe(false);
}

for (let cycle = 0; cycle <= CYCLES; cycle++) {
  it(`deploy, roll-back and undo, ${cycle === 0 ? 'not killed' : `killed (${cycle} of ${CYCLES})`}: the second run converges and nothing is lost`, async () => {
    const before = await keys();
    await killedAndRunAgain('deploy', cycle);
    expect(await keys()).toEqual(before);
    expect(await points(cycle)).toHaveLength(1);
    await write(`of-${cycle}`);
    await killedAndRunAgain('rollback', cycle);
    expect(await keys()).toEqual(before);
    await killedAndRunAgain('undo', cycle);
    expect(await keys()).toEqual([...before, `of-${cycle}`].sort());
  });
}

/** Waits until Incus is doing this in the test's project, for at most 600 questions. */
async function untilIncusSays(description: string): Promise<void> {
  for (let asked = 0; asked < 600; asked++) {
    if ((await workspace.incus('operation', 'list', '--format=csv')).includes(`${description},RUNNING`)) return;
  }
  throw new Error(`Incus never said "${description}"`);
}

it.each([
  ['Stopping instance', CYCLES + 1],
  ['Starting instance', CYCLES + 2],
])(
  'a roll-back killed while Incus says "%s": the second run waits for that, converges, and nothing is lost',
  async (description, cycle) => {
    const before = await keys();
    await expectConverged(workspace.nx(command('deploy', cycle)));
    await write(`of-${cycle}`);
    const args = command('rollback', cycle);
    const run = new RunningNx(workspace, args);
    await untilIncusSays(description);
    await killAndRunAgain(run, args, `a roll-back killed while Incus said "${description}"`);
    expect(await keys()).toEqual(before);
    await expectConverged(workspace.nx(command('undo', cycle)));
    expect(await keys()).toEqual([...before, `of-${cycle}`].sort());
  },
);
