import type { AuditEntry } from '../audit/audit.ts';
import { MooringError, SafetyError } from '../engine/errors.ts';
import type { IncusFacts, Instance } from '../platforms/incus/facts.ts';
import { mark, ownership } from '../platforms/incus/marks.ts';
import { deployHistory } from '../snapshots/history.ts';
import { shortRelease } from '../snapshots/name.ts';
import { type HostsBefore, namedHosts } from '../workspace/hosts.ts';
import type { Run, Target } from './run.ts';

/** What one look at a host told of where containers are. */
export type HostView = {
  /** By its name in the environment. */
  readonly host: string;
  readonly incus: Pick<IncusFacts, 'instances' | 'everywhere'>;
  readonly audit: readonly AuditEntry[];
};

/** Where a container that is absent on its own host may be instead. */
export type Elsewhere = {
  /** The environment's other hosts. */
  readonly others: readonly HostView[];
  /** Those that were not looked at, and why. */
  readonly unseen: readonly { readonly host: string; readonly because: string }[];
  /** The hosts that the environment's file has ever named; asked where the container's own host knows nothing. */
  readonly before: HostsBefore | undefined;
  /** Instances with the environment's marks that are none of its containers: one may be a container under an earlier prefix. */
  readonly strangers: readonly { readonly host: string; readonly instance: string; readonly service: string | undefined }[];
};

/** Where nothing is absent, nothing is looked for. */
export const NOWHERE: Elsewhere = { others: [], unseen: [], before: undefined, strangers: [] };

/** The flags that let an absent container be created all the same. */
export type CreateFlags = {
  /** Names of instances that may be created although they are known from elsewhere. */
  readonly create: readonly string[];
  /** Hosts whose containers begin empty. */
  readonly newHosts: readonly string[];
};

/** Looks for what is absent on one host: on the environment's other hosts, each in one round trip, and in git. An environment of one host asks none. */
export async function lookElsewhere(
  run: Pick<Run, 'environment' | 'targets' | 'leftOut' | 'without' | 'hostsBefore'>,
  own: HostView,
  look: (host: string) => Promise<HostView>,
): Promise<Elsewhere> {
  const answers = await Promise.all(
    namedHosts(run.environment)
      .filter((host) => host !== own.host)
      .map(async (host) => {
        if (run.without.includes(host)) return { host, because: '--without leaves it out' };
        return look(host).catch((error: unknown) => {
          if (error instanceof MooringError) return { host, because: error.message };
          throw error;
        });
      }),
  );
  const others = answers.filter((one) => 'incus' in one);
  const names = [...run.targets, ...run.leftOut].map(({ instance }) => instance);
  return {
    others,
    unseen: answers.filter((one) => 'because' in one),
    before: knowsNothing(own) ? await run.hostsBefore() : undefined,
    strangers: [own, ...others].flatMap(({ host, incus }) =>
      incus.instances
        .filter((instance) => ownership(instance, run.environment.name).ours && !names.includes(instance.name))
        .map(({ name, config }) => ({ host, instance: name, service: config[mark.service] })),
    ),
  };
}

/** Whether a host's log has nothing to go by: of no container that was there, and of no deploy that completed. */
function knowsNothing({ host, audit }: Pick<HostView, 'host' | 'audit'>): boolean {
  return lastDeploy(audit) === undefined && !audit.some((entry) => (entry.what === 'place' ? entry.host === host : isProof(entry)));
}

/** What is written only on the host of a container that is there. */
function isProof({ what }: AuditEntry): boolean {
  return what === 'provision' || what === 'configure' || what === 'adopt';
}

/**
 * Where else an absent container is known: what Incus, the logs of all hosts and the marks say, one phrase each. Pure.
 *
 * @throws SafetyError when it is on another host, or when its own host is not known to be one of the environment's and no flag names it
 */
export function knownElsewhere(
  target: Target,
  { audit, elsewhere }: { readonly audit: readonly AuditEntry[]; readonly elsewhere: Elsewhere },
  flags: CreateFlags,
): string[] {
  const { instance, host } = target;
  const [found] = elsewhere.others.flatMap((other) => other.incus.instances.filter(({ name }) => name === instance).map(on(other.host)));
  if (found !== undefined && !flags.create.includes(instance)) throw isOn(target, found);
  refuseUnknownHost(target, audit, elsewhere, flags);
  const isOfIt = (entry: AuditEntry) => entry.container === instance && isProof(entry);
  const own = audit.findLast(isOfIt);
  return [
    ...(found === undefined ? [] : [`it is on host ${found.host}`]),
    ...(own === undefined ? [] : [`the audit log says that it was there on ${own.time} (${own.what} by ${own.who})`]),
    ...elsewhere.others.flatMap((other) => [
      ...other.incus.everywhere
        .filter(({ name, project }) => name === instance && project !== target.incus.project)
        .map(({ project }) => `on host ${other.host} an instance of that name is in the Incus project ${project}`),
      ...[other.audit.findLast(isOfIt)].flatMap((entry) =>
        entry === undefined
          ? []
          : [`the audit log of host ${other.host} says that it was there on ${entry.time} (${entry.what} by ${entry.who})`],
      ),
    ]),
    ...placesOf(target, [...elsewhere.others, { host, audit }], own !== undefined),
    ...elsewhere.strangers
      .filter((one) => one.service === target.service.name && one.instance.endsWith(target.project))
      .map((one) => `${one.instance} on host ${one.host} has this environment's marks and may be it, under another prefix`),
    ...elsewhere.unseen.map((one) => `whether it is on host ${one.host} is not known: ${one.because}`),
  ];
}

/** What the logs say of where a project's container was last, each place once; not what its own log's entry says already. */
function placesOf(target: Target, logs: readonly Pick<HostView, 'host' | 'audit'>[], known: boolean): string[] {
  const places = logs.flatMap(({ host, audit }) => {
    const last = audit.findLast(({ what, project }) => what === 'place' && project === target.project);
    return last === undefined || (known && last.container === target.instance && last.host === target.host) ? [] : [{ log: host, ...last }];
  });
  const each = new Map(places.map((place) => [`${place.container} ${place.host}`, place]));
  return [...each.values()].map(
    ({ log, container, host, time }) => `the audit log of host ${log} says that ${container} was on host ${host} on ${time}`,
  );
}

type Found = { readonly host: string; readonly status: string };

function on(host: string): (instance: Instance) => Found {
  return ({ status }) => ({ host, status: status.toLowerCase() });
}

function isOn({ project, instance, host, environment }: Target, found: Found): SafetyError {
  return new SafetyError(`${instance} is not on host ${host}: it is on host ${found.host} (${found.status}). No second one is created.`, {
    next: `say so in infra/environments/${environment.name}.json: "containers": { "${project}": { "host": "${found.host}" } }; or move it with its data first (incus move), and run the same command again. If an empty one beside it is truly wanted: --create=${project}`,
  });
}

/** A host that knows nothing is the first of an environment, or was installed anew, or is another one than before. */
function refuseUnknownHost(target: Target, audit: readonly AuditEntry[], { others, before }: Elsewhere, { newHosts }: CreateFlags): void {
  const { host, environment } = target;
  if (!knowsNothing({ host, audit }) || newHosts.includes(host)) return;
  const file = `infra/environments/${environment.name}.json`;
  const reasons = [
    ...others.flatMap((other) => {
      const last = lastDeploy(other.audit);
      return last === undefined ? [] : [`a deploy of ${shortRelease(last.release)} completed on host ${other.host} on ${last.at}`];
    }),
    ...namedOnlyBefore(environment, before).map(
      (one) => `git knows that ${file} named host ${one.host} (commit ${shortRelease(one.commit)}), where it may have been deployed`,
    ),
    ...(before !== undefined && 'unknown' in before ? [`which hosts ${file} has named before is not known: ${before.unknown}`] : []),
  ];
  if (reasons.length === 0) return;
  throw new SafetyError(`host ${host} knows nothing of ${environment.name}, but ${reasons.join('; ')}. No container is created there.`, {
    next: `check that ${host} leads to the right machine, and that it was not installed anew; if its containers are to begin empty: --new-host=${host}`,
  });
}

function namedOnlyBefore(environment: Target['environment'], before: HostsBefore | undefined) {
  if (before === undefined || 'unknown' in before) return [];
  const now = namedHosts(environment);
  return before.hosts.filter(({ host }) => !now.includes(host));
}

/** The last deploy that completed, whatever was rolled back since. */
function lastDeploy(audit: readonly AuditEntry[]) {
  return deployHistory(audit).findLast(({ result }) => result === 'ok');
}
