import type { Workspace } from '../e2e/workspace.ts';
import type { Fleet } from './fleet.ts';
import { floorScript, overSsh } from './floor.ts';
import { inTurn, load, median, timed } from './rounds.ts';

/** The no-op of one fleet and what it is compared with, in seconds, a record a round. */
export type NoopFigures = {
  readonly containers: number;
  readonly rounds: readonly { readonly command: number; readonly floor: number; readonly empty: number }[];
  readonly roundTrips: number;
  /** Load of the machine before and after. */
  readonly load: readonly [number, number];
};

/** Times the no-op of a converged fleet, the floor and the empty batch in turn, after one of each that is not counted. */
export async function measureNoop(fleet: Fleet, empty: Workspace, runs: number): Promise<NoopFigures> {
  const script = floorScript(fleet);
  let roundTrips = 0;
  const work = {
    command: async () => {
      const { seconds, output } = await timed('the no-op', () => fleet.workspace.configure());
      roundTrips = Math.max(roundTrips, roundTripsOf(output, '0 changes'));
      return seconds;
    },
    floor: async () => {
      const { seconds, output } = await timed('the script by hand', () => overSsh(script));
      const up = output.split('\n').filter((line) => line.startsWith('up ')).length;
      if (up !== fleet.members.length) throw new Error(`the script by hand found ${up} of ${fleet.members.length} services up:\n${output}`);
      return seconds;
    },
    empty: async () => (await timed('the empty batch', () => empty.configure())).seconds,
  };
  await inTurn(1, work);
  const before = load();
  const rounds = await inTurn(runs, work);
  return { containers: fleet.members.length, rounds, roundTrips, load: [before, load()] };
}

/** How many times as long as the floor and an empty batch together: the median of the rounds' own ratios. */
export function noopRatio({ rounds }: NoopFigures): number {
  return median(rounds.map(({ command, floor, empty }) => command / (floor + empty)));
}

/** What one more container adds, in seconds. */
export function marginal(few: NoopFigures, many: NoopFigures, what: 'command' | 'floor' | 'empty'): number {
  const at = ({ rounds }: NoopFigures) => median(rounds.map((round) => round[what]));
  return (at(many) - at(few)) / (many.containers - few.containers);
}

/** The round trips that a deploy says it took. @throws Error when it does not say so, or changed something else than expected */
export function roundTripsOf(output: string, changes: string): number {
  const [, said, count] = /: (\d+ changes?)[^;\n]*; (\d+) round trips/.exec(output) ?? [];
  if (said === undefined || (changes !== '' && said !== changes)) {
    throw new Error(`expected "${changes || 'n changes'}; n round trips":\n${output.trim().split('\n').slice(-30).join('\n')}`);
  }
  return Number(count);
}
