import { relative } from 'node:path';
import { artifactKey } from '../artifacts/content.ts';
import { obtain } from '../artifacts/store.ts';
import { readAudit } from '../audit/audit.ts';
import { explainedBy, MooringError, showError } from '../engine/errors.ts';
import { nxRun } from '../engine/nx-command.ts';
import { CleanText } from '../engine/redactor.ts';
import { showKept } from '../report/kept.ts';
import { showLog } from '../report/log.ts';
import { markdownPlan } from '../report/markdown.ts';
import { countChanges, jsonPlan, type Plan, showPlan } from '../report/plan.ts';
import { showStatus } from '../report/status.ts';
import { planContainer, planEach, planEnd } from '../shared/plan-container.ts';
import { keptStates } from '../shared/preserved-states.ts';
import type { ProvisionFlags } from '../shared/provision.ts';
import { currentRelease } from '../shared/release.ts';
import type { VerbRequest, VerbResult } from '../shared/request.ts';
import { foreseeRestorePoint } from '../shared/restore-point.ts';
import { hostsOf, type Target } from '../shared/run.ts';
import { isLook } from '../shared/survey.ts';
import { askLiving, hostsAsked, lacking, surveyLiving, surveyOf, withLook } from '../shared/verb-run.ts';
import { verified } from '../shared/verified.ts';
import { containersOf, loadWorkspace } from '../workspace/load.ts';
import { writeOut } from '../workspace/out-file.ts';
import type { ArtifactRequest } from './artifact/options.ts';
import { inventoryOf } from './inventory/ansible-containers.ts';
import type { InventoryOptions } from './inventory/options.ts';
import type { LogOptions } from './log/options.ts';
import type { PlanOptions } from './plan/options.ts';
import type { StatusOptions } from './status/options.ts';
import { failsOn, faultyStatus, statusOf, unseenStatus } from './status/rows.ts';
import { type Verified, verifyEach, verifyResult } from './verify/each.ts';
import type { VerifyOptions } from './verify/options.ts';

const NO_FLAGS: ProvisionFlags = { create: [], adopt: [], newHosts: [], startSeconds: 0 };

/** Shows what configure would change; changes nothing. One container that is refused does not hide the plans of the others. */
export function plan(request: VerbRequest<PlanOptions>): Promise<VerbResult> {
  return withLook(request, async (run, { targets, faulty }) => {
    const { release: flag, create, adopt, newHost, out, failOnChanges, markdown } = request.options;
    const named = (names: readonly string[]) => names.map((name) => run.targets.find(({ project }) => project === name)?.instance ?? name);
    const flags = { ...NO_FLAGS, create: named(create), adopt: named(adopt), newHosts: newHost };
    const [release, { answers: surveys, dead }] = await Promise.all([
      currentRelease(run, flag, true),
      surveyLiving(run, hostsOf(targets), targets),
    ]);
    const { planned, refused } = await planEach(targets, (target) => {
      const unreached = dead.get(target.host);
      if (unreached !== undefined) throw ofTarget(unreached, target);
      return planContainer(target, surveyOf(surveys, target), flags, run.leaveBehind);
    });
    const mistaken = faulty.map(({ project, error }) => ({ container: project, error }));
    const changes = countChanges(planned);
    const points = await planEach(
      [...surveys].map(([host, seen]) => ({ project: `restore point on ${host}`, seen })),
      ({ seen }) => foreseeRestorePoint(run, seen, release, changes > 0),
    );
    const made: Plan = {
      environment: run.environment.name,
      release,
      restorePoint: points.planned.flat().join('; '),
      containers: planned,
      refused: [...refused, ...mistaken, ...points.refused],
    };
    const json = run.clean.json(jsonPlan(made), 2);
    if (out !== undefined && !markdown) await writeOut(out, `${json.text}\n`, 0o600);
    const output = request.options.json ? json : markdown ? markdownPlan(made) : showPlan(made);
    const all = points.refused.length > 0 || (failOnChanges && changes > 0);
    return { ...planEnd(made.refused, all), output };
  });
}

/** Asks the services by their own protocols, from inside and over their addresses; changes nothing. */
export function verify(request: VerbRequest<VerifyOptions>): Promise<VerbResult> {
  return withLook(request, async (run, { targets, faulty }) => {
    const { answers: surveys, dead } = await surveyLiving(run, hostsOf(targets), targets);
    const verifiedAll = await verifyEach(targets, async (target) => {
      const unreached = dead.get(target.host);
      if (unreached !== undefined) return ofTarget(unreached, target);
      const look = surveyOf(surveys, target).guests.get(target.instance);
      if (look instanceof MooringError) return look;
      if (!isLook(look))
        return new MooringError(`${target.instance} is absent, not ours or not running: there is nothing to ask`, {
          host: target.host,
          instance: target.instance,
          step: 'verify',
          page: 'containers',
          next: nxRun('plan', { project: target.project, environment: run.environment.name }),
        });
      const health = await verified(target, look);
      return { instance: target.instance, what: `${target.service.name} ${health.version}`, address: look.address, health };
    });
    const mistaken = faulty.map(({ project, error }): Verified => ({ project, health: 'unknown', error }));
    return verifyResult(run.environment.name, run.clean, [...verifiedAll, ...mistaken], request.options.json);
  });
}

/** What a host said that did not answer, of one of its containers. */
function ofTarget(error: MooringError, { instance }: Target): MooringError {
  return new MooringError(error.message, { ...error.detail, instance }, error);
}

/** The table of an environment with the states that roll-backs kept, or one container's row and states. */
export function status(request: VerbRequest<StatusOptions>): Promise<VerbResult> {
  return withLook(request, async (run, { targets, faulty }) => {
    const environment = run.environment.name;
    const { answers: surveys, dead } = await surveyLiving(run, hostsOf(targets), targets);
    const seen = await Promise.all(
      targets.map(async (target) => {
        const error = dead.get(target.host);
        return error === undefined ? statusOf(run, target, surveyOf(surveys, target)) : unseenStatus(target, error);
      }),
    );
    const rows = [...seen, ...faulty.map(faultyStatus)];
    const whole = targets.length === run.targets.length;
    const all = (await Promise.all([...surveys.values()].map((seen) => keptStates(seen, environment)))).flat();
    const kept = all.filter(({ mark }) => whole || targets.some(({ instance }) => instance === mark.instance));
    const healths = rows.map(({ health }) => health);
    const errors = [...dead.values(), ...faulty.map(({ error }) => error)];
    const success = errors.length === 0 && !failsOn(request.options.failOn, healths);
    const output = request.options.json
      ? run.clean.json({ environment, containers: rows, kept }, 2)
      : [showStatus(rows), showKept(kept), ...errors.map(showError)].filter(Boolean).join('\n\n');
    return { success, output };
  });
}

/** The data containers as an Ansible inventory, as far as their hosts answer. */
export function inventory(request: VerbRequest<InventoryOptions>): Promise<VerbResult> {
  return withLook(request, async (run, { targets, faulty }) => {
    const { answers, dead } = await surveyLiving(run, hostsOf(targets));
    const known = targets.filter(({ host }) => answers.has(host));
    const output = run.clean.json(
      inventoryOf(run.environment, known, (target) => surveyOf(answers, target).incus),
      2,
    );
    if (request.options.out !== undefined) await writeOut(request.options.out, `${output.text}\n`);
    const absent = new Map([...dead, ...faulty.map(({ project, error }) => [project, error] as const)]);
    return lacking(run, { success: true, output }, absent, true);
  });
}

/** The audit log of an environment, newest last, as far as its hosts answer. */
export function log(request: VerbRequest<LogOptions>): Promise<VerbResult> {
  return withLook(request, async (run, asked) => {
    const fact = readAudit(run.environment.name, request.options.limit);
    const { answers, dead } = await askLiving(hostsAsked(asked), async (name) => {
      const host = await run.host(name);
      const [result] = await host.run([fact.command]);
      return result === undefined ? [] : fact.parse(result);
    });
    const entries = [...answers.values()].flat().sort((a, b) => (a.time < b.time ? -1 : 1));
    const lines = () => new CleanText(entries.map((entry) => run.clean.json(entry).text).join('\n'));
    const { json } = request.options;
    return lacking(run, { success: true, output: json ? lines() : showLog(entries) }, dead, json);
  });
}

/** Obtains the binaries of a container's service, for every environment, into the workspace's store. Asks no host. */
export async function artifact({ root, projects, options, signal, print }: ArtifactRequest): Promise<VerbResult> {
  const workspace = await loadWorkspace(root);
  const targets = [...workspace.environments.keys()]
    .flatMap((name) => containersOf(workspace, name))
    .filter(({ project }) => projects.includes(project));
  const specs = targets.flatMap(({ service, settings }) => Object.values(service.artifacts?.(service.settings.parse(settings)) ?? {}));
  const artifacts: { version: string; path: string; sha256: string }[] = [];
  for (const spec of new Map(specs.map((one) => [artifactKey(one), one])).values()) {
    const { version, path, sha256 } = await obtain(spec, { root, progress: print, signal }).catch(explainedBy('binaries'));
    artifacts.push({ version, path: relative(root, path), sha256 });
  }
  if (options.json) return { success: true, output: JSON.stringify({ artifacts }, null, 2) };
  return { success: true, output: artifacts.map(({ version, path, sha256 }) => `${version}: ${path}, sha256 ${sha256}`).join('\n') };
}
