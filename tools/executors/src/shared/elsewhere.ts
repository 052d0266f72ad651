import type { AuditEntry } from '../audit/audit.ts';
import { MooringError, SafetyError } from '../engine/errors.ts';
import type { Instance, InstanceFacts } from '../engine/instance.ts';
import { deployHistory } from '../snapshots/history.ts';
import { shortRelease } from '../snapshots/name.ts';
import { type HistoryUnknown, namedHosts } from '../workspace/hosts.ts';
import { INSTANCES } from './backends.ts';
import type { Invocation } from './run.ts';
import type { PreparedContainer } from './target.ts';

/** What one look at a host told of where containers are. */
export type HostView = {
  /** By its name in the environment. */
  readonly host: string;
  readonly incus: Pick<InstanceFacts, 'instances' | 'everywhere'>;
  readonly audit: readonly AuditEntry[];
};

/** A host that could not be asked, and why. */
export type UnseenHost = { readonly host: string; readonly because: string };

/** A host of an earlier version of the environment's file, with the newest commit whose version named it. */
export type FormerHost = (HostView | UnseenHost) & { readonly commit: string };

/** Where a container that is absent on its own host may be instead. */
export type Elsewhere = {
  /** The environment's other hosts. */
  readonly others: readonly HostView[];
  readonly unseen: readonly UnseenHost[];
  /** Hosts that the environment's file has named and does not name now; looked for where the logs do not tell where containers were. */
  readonly former: readonly FormerHost[];
  /** Why git does not report them. */
  readonly historyUnknown: HistoryUnknown | undefined;
  /** Instances with the environment's marks that are none of its containers: one may be a container under an earlier prefix. */
  readonly strangers: readonly { readonly host: string; readonly instance: string; readonly service: string | undefined }[];
};

/** Where nothing is absent, nothing is looked for. */
export const NOWHERE: Elsewhere = { others: [], unseen: [], former: [], historyUnknown: undefined, strangers: [] };

/** The flags that let an absent container be created all the same. */
export type CreateFlags = {
  /** Names of instances that may be created although they are known from elsewhere. */
  readonly create: readonly string[];
  /** Hosts whose containers begin empty. */
  readonly newHosts: readonly string[];
};

/** Looks for what is absent on one host: on the environment's other hosts, each in one round trip, and on those that git knows. */
export async function lookElsewhere(
  run: Pick<Invocation, 'environment' | 'targets' | 'leftOut' | 'faulty' | 'without' | 'hostsBefore' | 'progress'>,
  own: HostView,
  look: (host: string) => Promise<HostView>,
): Promise<Elsewhere> {
  const now = namedHosts(run.environment);
  const ask = (host: string) => asked(run, host, look);
  const answers = await Promise.all(now.filter((host) => host !== own.host).map(ask));
  const others = answers.filter((one) => 'incus' in one);
  const before = knowsNothing(own) || !placesAreKnown([own, ...others]) ? await run.hostsBefore() : { hosts: [] };
  const named = 'unknown' in before ? [] : before.hosts.filter(({ host }) => !now.includes(host));
  const former = await Promise.all(named.map(async ({ host, commit }) => ({ ...(await ask(host)), commit })));
  // An alias may lead elsewhere by now: who knows where it should lead can see what was asked.
  for (const one of former)
    if ('audit' in one)
      run.progress(
        `${own.host}: asked host ${one.host} too (${namedBy(run, one)}): ${knowsNothing(one) ? 'no' : 'a'} record of ${run.environment.name}`,
      );
  const names = [...run.targets, ...run.leftOut, ...run.faulty].map(({ instance }) => instance);
  return {
    others,
    unseen: answers.filter((one) => 'because' in one),
    former,
    historyUnknown: 'unknown' in before ? before : undefined,
    strangers: [own, ...others].flatMap(({ host, incus }) =>
      incus.instances
        .filter((instance) => INSTANCES.ownership(instance, run.environment.name).ours && !names.includes(instance.name))
        .map((instance) => ({ host, instance: instance.name, service: INSTANCES.marksOf(instance).service })),
    ),
  };
}

async function asked(
  run: Pick<Invocation, 'without'>,
  host: string,
  look: (host: string) => Promise<HostView>,
): Promise<HostView | UnseenHost> {
  if (run.without.includes(host)) return { host, because: '--without leaves it out' };
  return look(host).catch((error: unknown) => {
    if (error instanceof MooringError) return { host, because: error.message };
    throw error;
  });
}

/** Whether a host's log has nothing to go by: of no container that was there, and of no deploy that completed. */
function knowsNothing({ host, audit }: Pick<HostView, 'host' | 'audit'>): boolean {
  return lastDeploy(audit) === undefined && !audit.some((entry) => (entry.what === 'place' ? entry.host === host : isProof(entry)));
}

/**
 * Whether logs tell where all containers were: one of them has a deploy that completed on all hosts and was made by a release that writes
 * down places. One that was deployed by an earlier release alone may be in no log but that of its own host.
 */
function placesAreKnown(logs: readonly Pick<HostView, 'audit'>[]): boolean {
  return logs.some(({ audit }) => {
    const first = audit.findIndex(({ what }) => what === 'place');
    return first >= 0 && deployHistory(audit.slice(first)).some(({ result, without }) => result === 'ok' && without === undefined);
  });
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
  target: PreparedContainer,
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
function placesOf(target: PreparedContainer, logs: readonly Pick<HostView, 'host' | 'audit'>[], known: boolean): string[] {
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

function isOn({ project, instance, host, environment }: PreparedContainer, found: Found): SafetyError {
  return new SafetyError(`${instance} is not on host ${host}: it is on host ${found.host} (${found.status}). No second one is created.`, {
    next: `say so in infra/environments/${environment.name}.json: "containers": { "${project}": { "host": "${found.host}" } }; or move it with its data first (incus move), and run the same command again. If an empty one beside it is truly wanted: --create=${project}`,
  });
}

/**
 * A host that knows nothing is the first of an environment, or was installed anew, or is another one than before. And what the logs do not
 * tell of a container's place has to be proved by the hosts where it may have been.
 */
function refuseUnknownHost(target: PreparedContainer, audit: readonly AuditEntry[], elsewhere: Elsewhere, { newHosts }: CreateFlags): void {
  const { host, environment, project } = target;
  const { others, historyUnknown } = elsewhere;
  const isNew = knowsNothing({ host, audit });
  if (newHosts.includes(host) || (!isNew && placesAreKnown([{ audit }, ...others]))) return;
  const reasons = [
    ...(isNew ? others.flatMap(deployOn) : []),
    ...elsewhere.former.flatMap((one) => formerly(target, one, isNew).map((what) => `${what} (${namedBy(target, one)})`)),
    ...(historyUnknown === undefined ? [] : [`which hosts ${fileOf(target)} has named before is not known: ${historyUnknown.unknown}`]),
  ];
  if (reasons.length === 0) return;
  const first = historyUnknown?.next === undefined ? '' : `${historyUnknown.next}, and run the same command again; if it is refused then: `;
  if (isNew)
    throw new SafetyError(`host ${host} has no record of ${environment.name}, but ${reasons.join('; ')}. No container is created there.`, {
      next: `${first}check that ${host} leads to the right machine, and that it was not installed anew; if its containers are to begin empty: --new-host=${host}`,
    });
  throw new SafetyError(
    `no log of ${environment.name} tells where ${project} was, and ${reasons.join('; ')}. No container is created on host ${host}.`,
    {
      next: `${first}if it is there, move it with its data first (incus move), or let ${fileOf(target)} name its host again; if it is to begin empty: --new-host=${host}`,
    },
  );
}

function fileOf({ environment }: Pick<Invocation, 'environment'>): string {
  return `infra/environments/${environment.name}.json`;
}

/** Why a former host is asked. */
function namedBy(of: Pick<Invocation, 'environment'>, { commit }: FormerHost): string {
  return `${fileOf(of)} of commit ${shortRelease(commit)} names that host`;
}

/** What speaks against a container on a new host in what a former one told; nothing where that was never deployed. */
function formerly(target: PreparedContainer, former: FormerHost, isNew: boolean): string[] {
  if ('because' in former) return [`it may have been deployed on host ${former.host}, which cannot be asked: ${former.because}`];
  const { instance, project } = target;
  const there = isThere(target, former);
  const known = former.audit.findLast((entry) => entry.container === instance || entry.project === project)?.container;
  const found = [
    ...(there !== undefined
      ? [`${there} is on host ${former.host}`]
      : known !== undefined
        ? [`the audit log of host ${former.host} knows ${known}`]
        : []),
    ...(isNew ? deployOn(former) : []),
  ];
  // Whoever deployed it before may have done so on another machine.
  if (found.length === 0 && former.host === 'local') return ['it may have been deployed on host local, which is whatever machine runs nx'];
  return found;
}

/** The name of an instance that is a container, or may be it: in another Incus project, or under another prefix. */
function isThere({ instance, project, service, environment }: PreparedContainer, { incus }: HostView): string | undefined {
  const mayBe = (one: Instance) =>
    INSTANCES.ownership(one, environment.name).ours && INSTANCES.marksOf(one).service === service.name && one.name.endsWith(project);
  const other = incus.everywhere.find(({ name }) => name === instance);
  return incus.instances.find((one) => one.name === instance || mayBe(one))?.name ?? other?.name;
}

function deployOn({ host, audit }: HostView): string[] {
  const last = lastDeploy(audit);
  return last === undefined ? [] : [`a deploy of ${shortRelease(last.release)} completed on host ${host} on ${last.at}`];
}

/** The last deploy that completed, whatever was rolled back since. */
function lastDeploy(audit: readonly AuditEntry[]) {
  return deployHistory(audit).findLast(({ result }) => result === 'ok');
}
