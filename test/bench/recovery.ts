import { table } from '../../tools/executors/src/report/table.ts';
import { discard, makeDistantWorkspace } from '../acceptance/environment.ts';
import { machine } from '../acceptance/machine.ts';
import type { Workspace } from '../e2e/workspace.ts';

/** Bytes of data in all four containers together. */
const SIZES = { '10 MB': 10_000_000, '2 GB': 2_000_000_000 } as const;
/** Where each service has its data; the filler lies beside it, on the same dataset. */
const CONTAINERS = ['minio', 'postgres', 'rabbitmq', 'redis'] as const;

type Figures = { readonly data: string; readonly seconds: number; readonly down: Readonly<Record<string, number>> };

async function measure(): Promise<Figures[]> {
  const figures: Figures[] = [];
  const began = performance.now();
  const say = (line: string) => console.error(`bench: ${Math.round((performance.now() - began) / 1000)} s: ${line}`);
  let workspace: Workspace | undefined;
  try {
    say('four services, from nothing');
    await machine.reset('ready');
    workspace = await makeDistantWorkspace();
    await workspace.commit('release A');
    await succeed(workspace, 'configure');
    for (const [data, size] of Object.entries(SIZES)) {
      say(`${data} of data`);
      await fill(workspace, Math.round(size / CONTAINERS.length));
      const release = await workspace.commit(`over ${data}`);
      await succeed(workspace, 'configure');
      say(`back to before it`);
      figures.push(await rollBack(workspace, data, release));
    }
    return figures;
  } finally {
    await discard(workspace);
    machine.hangUp();
  }
}

/** Files of random bytes, which ZFS cannot make smaller, on the disk when it returns. */
async function fill(workspace: Workspace, size: number): Promise<void> {
  for (const container of CONTAINERS) {
    const script = `head -c ${size} /dev/urandom >/var/filler; sync /var/filler`;
    await machine.run('incus', ['exec', workspace.instance(container), '--project', 'veza-acceptance', '-T', '--', 'sh', '-euc', script]);
  }
}

async function succeed(workspace: Workspace, target: string): Promise<void> {
  const { code, output } = await workspace.nx(['run-many', '-t', target, '-c', workspace.environment, '--output-style=static']);
  if (code !== 0) throw new Error(`${target} failed:\n${output}`);
}

/** The whole command, from its start to four services that answer. */
async function rollBack(workspace: Workspace, data: string, release: string): Promise<Figures> {
  const began = performance.now();
  const { code, output } = await workspace.run('zfs', 'rollback', `--before=${release}`, '--yes');
  const seconds = (performance.now() - began) / 1000;
  if (code !== 0) throw new Error(`the roll-back failed:\n${output}`);
  const down = Object.fromEntries([...output.matchAll(/^(\S+): down for ([\d.]+) s/gm)].map(([, name, time]) => [name, Number(time)]));
  if (CONTAINERS.some((name) => !(name in down))) throw new Error(`the roll-back did not tell how long each was down:\n${output}`);
  return { data, seconds, down };
}

function report(figures: readonly Figures[]): string {
  const rows = figures.map(({ data, seconds, down }) => [data, `${seconds.toFixed(1)} s`, ...CONTAINERS.map((name) => `${down[name]} s`)]);
  const [few, much] = figures;
  if (few === undefined || much === undefined) throw new Error('nothing was measured');
  const ratio = (much.seconds / few.seconds).toFixed(2);
  return [
    'zfs:rollback --before, on the emulated machine of the acceptance tests: times are ten times those of a machine, ratios are not',
    table(['data', 'whole command', ...CONTAINERS.map((name) => `${name} down`)], rows),
    `${much.data} against ${few.data}: ${ratio} times`,
  ].join('\n');
}

const figures = await measure();
console.log(process.argv.includes('--json') ? JSON.stringify(figures, null, 2) : report(figures));
