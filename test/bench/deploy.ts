import { installScript, isPackaged } from './byhand.ts';
import { type Fleet, makeFleet, type ServiceName } from './fleet.ts';
import { overSsh } from './floor.ts';
import { roundTripsOf } from './noop.ts';
import { load, median, timed } from './rounds.ts';

/** Seconds and round trips of a first deploy. */
export type FirstDeploy = { readonly seconds: number; readonly roundTrips: number };

/** One round: everything at once, then each service alone by our command and by hand. */
export type DeployRound = {
  readonly all: FirstDeploy;
  readonly alone: Readonly<Partial<Record<ServiceName, FirstDeploy>>>;
  /** Seconds, without any configuration. */
  readonly byHand: Readonly<Partial<Record<ServiceName, number>>>;
  readonly load: readonly [number, number];
};

/**
 * First deploys, each with containers that do not exist before. All at once comes first: what the mirror's caches have to
 * fetch, they fetch for it.
 *
 * @param names of the Incus projects that are made for it
 * @returns the figures, and the fleet of the deploy of all, which is the caller's to remove
 */
export async function measureDeploy(
  names: { readonly all: string; readonly alone: string },
  services: readonly ServiceName[],
): Promise<{ figures: DeployRound; fleet: Fleet }> {
  const fleet = await makeFleet(names.all, services);
  try {
    const before = load();
    const all = await firstDeploy('the first deploy', () => fleet.workspace.configure());
    const rest = await measureAlone(names.alone, services);
    return { fleet, figures: { all, ...rest, load: [before, load()] } };
  } catch (error) {
    await fleet.workspace.remove();
    throw error;
  }
}

async function measureAlone(name: string, services: readonly ServiceName[]): Promise<Pick<DeployRound, 'alone' | 'byHand'>> {
  const fleet = await makeFleet(name, services);
  const alone: Partial<Record<ServiceName, FirstDeploy>> = {};
  const byHand: Partial<Record<ServiceName, number>> = {};
  try {
    for (const { project, service } of fleet.members) {
      alone[service] = await firstDeploy(`the first deploy of ${project}`, () => fleet.workspace.run(project, 'configure'));
    }
    for (const member of fleet.members.filter(isPackaged)) {
      const script = installScript(fleet, member, `hand-${member.service}`, 'mooring-base');
      byHand[member.service] = (await timed(`installing ${member.service} by hand`, () => overSsh(script))).seconds;
    }
    return { alone, byHand };
  } finally {
    await fleet.workspace.remove();
  }
}

async function firstDeploy(what: string, command: Parameters<typeof timed>[1]): Promise<FirstDeploy> {
  const { seconds, output } = await timed(what, command);
  return { seconds, roundTrips: roundTripsOf(output, '') };
}

/** The median ratio of the deploy of all to the slowest single one. */
export function deployRatio(rounds: readonly DeployRound[], against: 'alone' | 'byHand'): number {
  return median(rounds.map((round) => round.all.seconds / Math.max(...secondsOf(round, against).map(({ seconds }) => seconds))));
}

/** The single services of a round with their seconds. */
export function secondsOf(round: DeployRound, against: 'alone' | 'byHand'): { service: ServiceName; seconds: number }[] {
  return Object.entries(round[against]).map(([service, one]) => ({
    service: service as ServiceName,
    seconds: typeof one === 'number' ? one : one.seconds,
  }));
}
