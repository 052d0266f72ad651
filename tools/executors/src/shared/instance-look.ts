import type { Command, CommandResult } from '../engine/command.ts';
import { HostError, MooringError } from '../engine/errors.ts';
import type { Instance, InstanceFacts, InstancePlace } from '../engine/instance.ts';
import type { Desired, Health } from '../engine/service.ts';
import type { OpenHost } from '../engine/transport.ts';
import { INSTANCES } from './backends.ts';
import { type InstanceAnswers, type InstanceQuestions, inStep, instanceQuestions } from './stages.ts';
import type { PreparedContainer } from './target.ts';

/** What one look at a container gave. */
export type InstanceLook = {
  readonly desired: Desired<unknown>;
  readonly address: string;
  readonly answers: InstanceAnswers;
  /** The probe from the host over the container's address; it never rejects. */
  readonly outside: Promise<Health | MooringError>;
};

/**
 * Looks at one container anew, in one round trip.
 *
 * @param networks as {@link INSTANCES.clientNetworks} gives them, the environment's own first
 * @throws what its host or Incus says
 */
export async function lookAgain(host: OpenHost, target: PreparedContainer, networks: readonly string[]): Promise<InstanceLook> {
  const fact = INSTANCES.instanceFact(target.incus.project, target.instance);
  const desired = target.desired(networks);
  const questions = instanceQuestions(target.service, desired);
  const [instanceResult, inside] = await host.run([fact.command, INSTANCES.bundleInside(placeOf(target), questions.commands)]);
  const instance = fact.parse(instanceResult as CommandResult);
  const address = INSTANCES.addressOf(instance, target.environment.network, networks);
  if (address === undefined)
    throw new MooringError(`${target.instance} has lost its address`, {
      page: 'host',
      instance: target.instance,
      next: `incus list ${target.instance} --project ${target.incus.project}`,
    });
  const answers = questions.answers(INSTANCES.unbundleInside(placeOf(target), inside as CommandResult, questions.commands));
  return { desired, address, answers, outside: probeOutside(host, target, desired, { address, instance }) };
}

/**
 * Asks one container for its health alone, in one round trip: the facts of its stages, some of which start a server beside the live one, would
 * keep one waiting that has just begun.
 */
export function askHealth(host: OpenHost, target: PreparedContainer, networks: readonly string[]): Promise<InstanceLook> {
  return lookAgain(host, { ...target, service: { ...target.service, stages: [] } }, networks);
}

/** Where an instance is, for the functions that run commands in it. */
export function placeOf(target: PreparedContainer): InstancePlace {
  return { instance: target.instance, project: target.incus.project };
}

type Look = {
  target: PreparedContainer;
  command: Command;
  desired: Desired<unknown>;
  address: string;
  questions: InstanceQuestions;
  outside: InstanceLook['outside'];
};

/** An instance and its address on the environment's network. */
type Reached = { readonly address: string; readonly instance: Instance };

/** What a service asks, or its error: that one does not know what to ask must not hide the others of its host. */
export function beginLook(
  host: OpenHost,
  { target, ...reached }: Reached & { readonly target: PreparedContainer },
  clients: readonly string[],
  networks: InstanceFacts['networks'],
): Look | { target: PreparedContainer; error: MooringError } {
  try {
    return startLook(host, target, target.desired(clients), reached, networks);
  } catch (error) {
    return { target, error: inStep(error, 'look').with({ host: target.host, instance: target.instance, page: 'services' }) };
  }
}

function startLook(
  host: OpenHost,
  target: PreparedContainer,
  desired: Desired<unknown>,
  reached: Reached,
  networks: InstanceFacts['networks'],
): Look {
  const questions = instanceQuestions(target.service, desired);
  return {
    target,
    desired,
    address: reached.address,
    questions,
    command: INSTANCES.bundleInside(placeOf(target), questions.commands),
    outside: probeOutside(host, target, desired, reached, networks),
  };
}

export function finishLook(look: Look, result: CommandResult | undefined): InstanceLook | MooringError {
  try {
    const results = INSTANCES.unbundleInside(placeOf(look.target), result as CommandResult, look.questions.commands);
    return {
      desired: look.desired,
      address: look.address,
      outside: look.outside,
      answers: look.questions.answers(results),
    };
  } catch (error) {
    return inStep(error, 'look').with({ host: look.target.host, instance: look.target.instance, page: 'services' });
  }
}

async function probeOutside(
  host: OpenHost,
  target: PreparedContainer,
  desired: Desired<unknown>,
  { address, instance }: Reached,
  networks?: InstanceFacts['networks'],
): Promise<Health | MooringError> {
  try {
    return await target.service.health.outside(desired, (port) => host.connect(address, port));
  } catch (error) {
    const failure = ofService(inStep(error, 'verify').with({ host: host.name, instance: target.instance, page: 'services' }));
    const kind = INSTANCES.unreachableBy(INSTANCES.nicsOn(target.environment.network, instance.expanded_devices), networks);
    if (kind === undefined) return failure;
    return failure.with({
      next: `${target.instance} is there by ${kind}, over which a host cannot reach its own containers: take a bridge`,
    });
  }
}

/** A port of a container that does not answer tells nothing of the host, which has just handed on the question. */
function ofService(error: MooringError): MooringError {
  return error instanceof HostError ? new MooringError(error.message, error.detail, error) : error;
}

/** Whether a look gave an instance's answers, and not the reason why there are none. */
export function isLook(look: InstanceLook | MooringError | undefined): look is InstanceLook {
  return look !== undefined && !(look instanceof MooringError);
}
