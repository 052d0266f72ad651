import { type AuditEntry, readDecisive } from '../audit/audit.ts';
import { bundle, unbundle } from '../engine/bundle.ts';
import type { Command, CommandResult } from '../engine/command.ts';
import { MooringError, SafetyError } from '../engine/errors.ts';
import { factCommands, parseFacts } from '../engine/fact.ts';
import type { InstanceFacts } from '../engine/instance.ts';
import { reasonOf } from '../engine/stopped.ts';
import type { OpenHost } from '../engine/transport.ts';
import { INSTANCES } from './backends.ts';
import type { Invocation } from './run.ts';

/** A command that must come before everything else in the first round trip, and what its answer means. */
export type Opening = { readonly command: Command; check(result: CommandResult): void };

/** How long Incus may take for what it is doing, in milliseconds: the longest is a stop in good order. */
const PATIENCE_MS = (INSTANCES.stopSeconds + 30) * 1000;

type First = InstanceFacts & { audit: AuditEntry[] };

/**
 * The first round trip: what Incus says of itself and its instances, and the audit log. Asked again while Incus cannot tell
 * what one of the environment's instances is, so that none is taken for absent.
 *
 * @param waits whether to wait also for starts, stops and restores that are under way: a run that was killed may have left them
 * @throws SafetyError when that does not end
 */
export async function askFirst(
  run: Invocation,
  host: OpenHost,
  opening: Opening | undefined,
  waits = opening !== undefined,
): Promise<First> {
  const { project } = run.environment.incus;
  const names = [...run.targets, ...run.faulty].map(({ instance }) => instance);
  const end = performance.now() + PATIENCE_MS;
  for (let said = ''; ; ) {
    const seen = await askOnce(run, host, opening);
    const unclear = [
      ...INSTANCES.unreadable(seen.instances, names),
      ...(waits ? INSTANCES.underWay(seen.operations, project, names) : []),
    ].join(', ');
    if (unclear === '') return seen;
    if (performance.now() > end)
      throw new SafetyError(`what Incus tells cannot be relied on yet: ${unclear}`, {
        host: host.name,
        next: `incus operation list --project ${project}, on the host; run the same command again when that is over`,
      });
    if (unclear !== said) run.progress(`${host.name}: waiting for Incus: ${unclear}`);
    said = unclear;
    // A roll-back that takes itself back has no opening, and must not be stopped half way.
    if (opening !== undefined && run.signal.aborted) throw new MooringError(`stopped: ${reasonOf(run.signal)}`);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

async function askOnce(run: Invocation, host: OpenHost, opening: Opening | undefined): Promise<First> {
  const facts = { ...INSTANCES.hostFacts(run.environment.incus.project), audit: readDecisive(run.environment.name) };
  const commands = factCommands(facts);
  try {
    if (opening === undefined) return parseFacts(facts, await host.run(commands));
    const [first, rest] = await host.run([opening.command, bundle(commands)], 'sequence');
    opening.check(first as CommandResult);
    return parseFacts(facts, unbundle(rest as CommandResult, commands, host.name));
  } catch (error) {
    throw error instanceof MooringError ? error.with({ host: host.name }) : error;
  }
}
