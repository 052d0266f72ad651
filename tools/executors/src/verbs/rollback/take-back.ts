import { MooringError, SafetyError, showError } from '../../engine/errors.ts';
import { nxRun } from '../../engine/nx-command.ts';
import { INSTANCES } from '../../shared/backends.ts';
import { placeOf } from '../../shared/instance-look.ts';
import type { Invocation } from '../../shared/run.ts';
import { failedId, leftBy } from '../../snapshots/choose.ts';
import { shortName } from '../../snapshots/name.ts';
import { entry, keep, type Part } from './begin.ts';
import { isExchangedInPlace } from './in-place.ts';
import { lookForRollback } from './look.ts';
import { Exchange, writeDown } from './perform.ts';
import { type ContainerRollback, planRollback } from './plan.ts';

/** Brings all containers back to where they were, and tells what runs now. @returns the error to end with */
export async function takenBack(run: Invocation, parts: readonly Part[], error: unknown): Promise<MooringError> {
  const failure = error instanceof MooringError ? error : new MooringError(showError(error), {}, error);
  run.progress(`failed: ${failure.message}`);
  run.progress('bringing all containers back to where they were');
  const outcomes = await Promise.all(parts.map((part) => backWhereItWas(run, part)));
  const back = outcomes.every(({ ok, destroyed }) => ok && !destroyed);
  for (const part of parts) {
    const inPlace = part.aim.attempt.goal.kind === 'in-place' ? part.concerned : [];
    const last = inPlace.map(({ target }) => INSTANCES.markRollback(placeOf(target), undefined));
    await writeDown(run, part.view, [entry(run, part, 'failed', run.clean.text(failure.message))], { last }).catch((cause: unknown) =>
      run.progress(String(cause)),
    );
  }
  const mixture = outcomes.flatMap(({ sentences }) => sentences).join('; ');
  const destroyed = outcomes.some((one) => one.destroyed);
  const next = back
    ? [failure.detail.next, 'the old state runs, and nothing is lost'].filter(Boolean).join('; ')
    : destroyed
      ? `current state: ${mixture}. A roll-back in place cannot be undone; run the same command for the other containers alone to finish it`
      : `current state: ${mixture}. Nothing is destroyed: ${nxRun('status', { environment: run.environment.name })} lists what is kept`;
  return new SafetyError(
    `${failure.message}\nThe roll-back failed. ${back ? `The OLD state runs: ${mixture}.` : `It could not be taken back whole: ${mixture}.`}`,
    { ...failure.detail, next },
    failure,
  );
}

/** What became of containers that were to be brought back; `destroyed` where one went in place, and cannot be. */
type Outcome = { readonly ok: boolean; readonly destroyed: boolean };

async function backWhereItWas(run: Invocation, part: Part): Promise<Outcome & { sentences: string[] }> {
  const { attempt, concerned } = part.aim;
  const targets = concerned.map(({ target }) => target);
  const outcomes = await lookForRollback(run, part.view.name, targets, undefined, true)
    .then(async (view) => {
      const set = leftBy(view.points.sets, attempt.runId);
      const undo = { kind: 'undo', run: attempt.runId, set } as const;
      const plans =
        attempt.goal.kind === 'in-place'
          ? view.candidates.map((candidate) => ({ candidate, volumes: [], forget: [], release: undefined }))
          : planRollback(view, view.candidates, {
              ...attempt,
              goal: undo,
              failed: true,
              ...(attempt.goal.kind === 'undo' ? { keptBefore: part.view.kept } : {}),
            });
      return Promise.all(plans.map((plan) => oneBack(run, { ...part, view }, plan)));
    })
    .catch((error: unknown) => [
      { ok: false, destroyed: false, sentence: `${part.view.name}: ${error instanceof Error ? error.message : String(error)}` },
    ]);
  return {
    ok: outcomes.every(({ ok }) => ok),
    destroyed: outcomes.some(({ destroyed }) => destroyed),
    sentences: outcomes.map(({ sentence }) => sentence),
  };
}

/** One container back: what has been exchanged is exchanged again; what has only been stopped is started. */
async function oneBack(run: Invocation, part: Part, plan: ContainerRollback): Promise<Outcome & { sentence: string }> {
  const { target, instance } = plan.candidate;
  const { attempt } = part.aim;
  const destroyed = isExchangedInPlace(part.view, plan.candidate, attempt);
  const state = destroyed && attempt.goal.kind === 'in-place' ? `the state of ${shortName(attempt.goal.set.name)}` : 'the old state';
  const exchange = new Exchange(run, part.view, [plan]);
  try {
    if (plan.volumes.length > 0) {
      await exchange.stop();
      await keep(run, part, [plan], failedId(part.aim.attempt.runId));
      await exchange.exchange();
      await exchange.start();
    } else if (instance.status !== 'Running') await exchange.start();
    else await exchange.settle();
    const [done] = await exchange.verify();
    return { ok: true, destroyed, sentence: `${target.instance} runs on ${state}${done?.drifted ? ' (drifted)' : ''}` };
  } catch (error) {
    const what = plan.volumes.length > 0 ? 'is only partly rolled back' : `has ${state}`;
    return {
      ok: false,
      destroyed,
      sentence: `${target.instance} ${what} and is not healthy (${error instanceof Error ? error.message : String(error)})`,
    };
  }
}
