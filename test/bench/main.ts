import { rm } from 'node:fs/promises';
import { type DeployRound, measureDeploy } from './deploy.ts';
import { makeEmptyWorkspace } from './empty.ts';
import { type Fleet, growFleet, SERVICES, type ServiceName } from './fleet.ts';
import { measureNoop, type NoopFigures } from './noop.ts';
import { asJson, asText, type Figures } from './report.ts';
import { listenForInterruption, timed } from './rounds.ts';

/** What `bench.mjs` hands over. */
type Options = { readonly runs: number; readonly deploys: number; readonly quick: boolean; readonly json: boolean };

/** How many containers of each service the larger fleet has: with all four services sixteen containers. */
const TIMES = 4;

const say = (line: string) => console.error(`bench: ${line}`);

async function measure({ runs, deploys, quick }: Options): Promise<Figures> {
  const services: readonly ServiceName[] = quick ? ['redis'] : SERVICES;
  const rounds: DeployRound[] = [];
  let fleet: Fleet | undefined;
  try {
    for (let round = 1; round <= deploys; round++) {
      say(`first deploys, round ${round} of ${deploys}`);
      await fleet?.workspace.remove();
      fleet = undefined;
      const measured = await measureDeploy({ all: 'bench', alone: 'bench-alone' }, services);
      fleet = measured.fleet;
      rounds.push(measured.figures);
    }
    if (fleet === undefined) throw new Error('no first deploy');
    const few = await noop(fleet, runs);
    const grown = await growFleet(fleet, TIMES);
    say(`${grown.members.length} containers: deploying the others`);
    await timed('the deploy of more containers', () => grown.workspace.configure());
    return { noops: [few, await noop(grown, runs)], deploys: rounds };
  } finally {
    await fleet?.workspace.remove();
  }
}

async function noop(fleet: Fleet, runs: number): Promise<NoopFigures> {
  say(`no-op of ${fleet.members.length} containers, ${runs} runs in turn with the script by hand and an empty nx batch`);
  const empty = await makeEmptyWorkspace(
    fleet.workspace.environment,
    fleet.members.map(({ project }) => project),
  );
  try {
    return await measureNoop(fleet, empty, runs);
  } finally {
    await rm(empty.root, { recursive: true, force: true });
  }
}

listenForInterruption();
try {
  const options = JSON.parse(process.argv[2] ?? '') as Options;
  const figures = await measure(options);
  console.log(options.json ? JSON.stringify(asJson(figures), null, 2) : asText(figures));
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
