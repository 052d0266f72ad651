import type { Change } from '../../engine/change.ts';
import { type Command, write } from '../../engine/command.ts';
import { InputError, SafetyError } from '../../engine/errors.ts';
import { type Devices, findInstance, type Instance, type InstanceFacts } from '../../engine/instance.ts';
import type { InstanceSpec, KnownElsewhere, Nic, ProvisionOptions } from '../../engine/instance-platform.ts';
import { nxRun } from '../../engine/nx-command.ts';
import { incus } from './command.ts';
import { inProject, marks, setKeys, wantedConfig } from './instance-spec.ts';
import { mark, ownership } from './marks.ts';
import { subnetsOf } from './networks.ts';
import { addressOf, nicsOn, unreachableBy } from './nic.ts';
import { planConfig, planDevices } from './reconcile.ts';
import { startInstance, waitUntilUp } from './start.ts';

/**
 * What must be done so that the instance is there, runs and has the limits and devices that the settings name.
 * Pure. Never plans a re-creation or a deletion. An instance that is there runs, is stopped or is frozen: a look waits for that.
 *
 * @throws SafetyError when the instance is not ours, is frozen, or is absent here but known elsewhere
 */
export function planInstance(facts: InstanceFacts, spec: InstanceSpec, elsewhere: KnownElsewhere, options: ProvisionOptions): Change[] {
  const present = findInstance(facts, spec);
  if (present === undefined) return [planCreation(facts, spec, elsewhere, options)];
  const owner = ownership(present, spec.environment);
  const adoption = owner.ours ? [] : planAdoption(present, spec, owner.because, options);
  if (present.status === 'Frozen') {
    throw new SafetyError(`${spec.instance} is frozen: nothing in it can be asked or changed`, {
      instance: spec.instance,
      next: `find out who froze it, then: incus resume ${spec.instance} --project ${spec.project}`,
    });
  }
  const nics = nicsOf(facts, spec, present.expanded_devices);
  return [...adoption, ...planConfig(present, spec), ...planDevices(present, spec), ...planStart(facts, present, spec, nics, options)];
}

/**
 * The NICs on the environment's network that the instance has or will have.
 *
 * @throws InputError where there is none: nobody could reach it. That the network itself is not there is told once, for all instances.
 */
function nicsOf(facts: InstanceFacts, spec: InstanceSpec, devices: Devices): Nic[] {
  const all = {
    ...devices,
    ...Object.fromEntries(Object.entries(spec.devices).map(([name, own]) => [name, { ...devices[name], ...own }])),
  };
  const nics = nicsOn(spec.network, all);
  if (nics.length > 0 || !facts.networks?.some(({ name }) => name === spec.network)) return nics;
  const others = Object.entries(all).flatMap(([name, { type, network, parent }]) =>
    type === 'nic' ? [`${name} is on ${network ?? parent ?? 'none'}`] : [],
  );
  throw new InputError(
    `${spec.instance} has no network interface on ${spec.network}, the environment's network (${others.join(', ') || 'it has none at all'})`,
    {
      instance: spec.instance,
      next: `fix network or incus.profiles in infra/environments/${spec.environment}.json; what a profile has: incus profile show ${spec.profiles.at(-1) ?? 'default'} --project ${spec.project}`,
    },
  );
}

/** Before it is made: a service that its host cannot reach would be taken for one that does not answer, for ever. */
function refuseUnreachable(facts: InstanceFacts, spec: InstanceSpec, nics: readonly Nic[]): void {
  const kind = spec.hostOnNetwork ? undefined : unreachableBy(nics, facts.networks);
  if (kind === undefined) return;
  throw new InputError(
    `${spec.instance} would be attached to ${spec.network} through ${kind}, and a host cannot reach its own ${kind} containers`,
    {
      instance: spec.instance,
      next: `take a bridge (nictype=bridged) in ${spec.profiles.join(', ')}; or give the host a ${kind} interface there too, and write "hostOnNetwork": true in infra/environments/${spec.environment}.json`,
    },
  );
}

function planCreation(facts: InstanceFacts, spec: InstanceSpec, elsewhere: KnownElsewhere, options: ProvisionOptions): Change {
  const places = [...placesHere(facts, spec), ...elsewhere];
  refuseKnownElsewhere(spec, places, options);
  const fingerprint = imageOf(facts, spec);
  const inherited = devicesOfProfiles(facts, spec);
  const nics = nicsOf(facts, spec, inherited);
  refuseUnreachable(facts, spec, nics);
  return {
    resource: `instance ${spec.instance}`,
    action: 'create',
    after: {
      image: `${spec.image} (${fingerprint.slice(0, 12)})`,
      profiles: spec.profiles,
      ...wantedConfig(spec),
      ...(Object.keys(spec.devices).length > 0 ? { devices: spec.devices } : {}),
    },
    impact: 'none',
    because:
      places.length === 0
        ? 'it is in no project of this host and nothing knows its name'
        : `--create names it, although ${places.join('; ')}`,
    commands: [createCommand(spec, fingerprint, inherited, options.uuid), ...startInstance(spec, options.startSeconds, nics)],
  };
}

/** What this host tells of an instance that is not in its project: where else it may be. */
function placesHere(facts: InstanceFacts, { instance }: InstanceSpec): string[] {
  return [
    ...facts.everywhere
      .filter(({ name }) => name === instance)
      .map(({ project }) => `an instance of that name is in the Incus project ${project}`),
    ...facts.pools
      .filter(({ status }) => status !== 'Created')
      .map(({ name, status }) => `pool ${name} is ${status}: what is on it cannot be seen`),
  ];
}

function refuseKnownElsewhere({ instance, project }: InstanceSpec, places: readonly string[], { create }: ProvisionOptions): void {
  if (places.length === 0 || create.includes(instance)) return;
  throw new SafetyError(
    `${instance} is not in the Incus project ${project}, but it is known: ${places.join('; ')}. It is not created anew.`,
    {
      instance,
      next: `check the environment's incus.project and prefix; if an empty ${instance} is truly wanted: --create=${instance}`,
    },
  );
}

/** The fingerprint that the image's alias leads to now: an alias can change under us. @throws SafetyError when there is none */
function imageOf(facts: InstanceFacts, { image, project, instance }: InstanceSpec): string {
  const fingerprint = facts.aliases?.find(({ name }) => name === image)?.target;
  if (fingerprint !== undefined) return fingerprint;
  throw new SafetyError(`the image ${image} is not in the Incus project ${project}`, {
    instance,
    next: `incus image list --project ${project}`,
  });
}

function devicesOfProfiles(facts: InstanceFacts, { profiles }: InstanceSpec): Devices {
  return Object.fromEntries(profiles.flatMap((name) => Object.entries(facts.profiles?.find((one) => one.name === name)?.devices ?? {})));
}

/** `--device` only overrides what a profile has ("Device not found in profile devices", 6.0.4); the others come as YAML on stdin. */
function createCommand(spec: InstanceSpec, fingerprint: string, inherited: Devices, uuid: string): Command {
  const config = { ...wantedConfig(spec), ...marks(spec, uuid), 'volatile.uuid': uuid, [mark.image]: fingerprint };
  const overriding = Object.entries(spec.devices).filter(([name]) => name in inherited);
  const own = Object.entries(spec.devices).filter(([name]) => !(name in inherited));
  return write(
    incus(
      'create',
      fingerprint,
      spec.instance,
      ...inProject(spec),
      ...spec.profiles.flatMap((profile) => ['--profile', profile]),
      ...Object.entries(config).flatMap(([key, value]) => ['--config', `${key}=${value}`]),
      ...overriding.flatMap(([name, device]) => Object.entries(device).flatMap(([key, value]) => ['--device', `${name},${key}=${value}`])),
    ),
    own.length === 0 ? {} : { stdin: `${JSON.stringify({ devices: Object.fromEntries(own) })}\n` },
  );
}

function planAdoption(present: Instance, spec: InstanceSpec, because: string, options: ProvisionOptions): Change[] {
  if (!options.adopt.includes(spec.instance)) {
    throw new SafetyError(`${spec.instance} exists, but it is not ours: ${because}. It is left alone.`, {
      instance: spec.instance,
      next: `if it is to be taken over with its data (a restore point is made first): --adopt=${spec.instance}, and see the plan first: ${nxRun('plan', { project: spec.container, environment: spec.environment }, `--adopt=${spec.instance}`)}`,
    });
  }
  const uuid = present.config['volatile.uuid'];
  if (uuid === undefined)
    throw new SafetyError(`${spec.instance} has no volatile.uuid, so it cannot be told from a copy`, { instance: spec.instance });
  return [
    {
      resource: `instance ${spec.instance}`,
      action: 'update',
      before: 'not ours',
      after: 'adopted',
      impact: 'none',
      because: `--adopt names it; ${because}`,
      commands: [setKeys(spec, present, marks(spec, uuid))],
    },
  ];
}

function planStart(facts: InstanceFacts, present: Instance, spec: InstanceSpec, nics: readonly Nic[], options: ProvisionOptions): Change[] {
  if (present.status === 'Stopped') {
    return [
      {
        resource: `instance ${spec.instance}`,
        action: 'update',
        before: 'stopped',
        after: 'running',
        impact: 'none',
        because: 'it is stopped',
        commands: startInstance(spec, options.startSeconds, nics),
      },
    ];
  }
  if (addressOf(present, spec.network, subnetsOf(facts, spec.network)) !== undefined) return [];
  return [
    {
      resource: `instance ${spec.instance}`,
      action: 'update',
      before: 'no address',
      after: 'an address',
      impact: 'none',
      because: 'it has only just been started',
      commands: [waitUntilUp(spec, options.startSeconds, nics)],
    },
  ];
}
