import type { Change } from '../../engine/change.ts';
import { CommandError, SafetyError } from '../../engine/errors.ts';
import { type Desired, defineStage } from '../../engine/service.ts';
import { refuseTakenPorts } from '../listeners.ts';
import { bringChange, enableChange } from '../managed-unit.ts';
import { judged, type Trial } from '../trial.ts';
import { confTrial } from './conf-trial.ts';
import { planCookie } from './cookie.ts';
import { desiredFiles, fingerprint, paths, UNIT } from './files.ts';
import { resources } from './health.ts';
import { refuseBlocking } from './limits.ts';
import { type NodeFacts, nodeFact } from './node.ts';
import { wantedPorts } from './ports.ts';
import type { Look } from './resources.ts';
import type { RabbitmqSettings } from './settings.ts';
import { startNode } from './start.ts';
import { planEpmd, planFiles } from './written-files.ts';

type Facts = {
  readonly node: NodeFacts;
  readonly trial: Trial;
  /** `null`: the node does not say it. */
  readonly look: Look | null;
};

/** The node: its name, files and cookie, that it runs, and that it runs with them. */
export const config = defineStage<RabbitmqSettings, Facts>({
  name: 'config',
  facts: (desired) => ({
    node: nodeFact(desired.settings.erlangCookie !== undefined),
    trial: confTrial(desiredFiles(desired.settings)),
    look: resources(desired),
  }),
  plan: planConfig,
});

function planConfig({ node, trial, look }: Facts, { settings }: Desired<RabbitmqSettings>): Change[] {
  refuseOtherData(node, settings.nodeName);
  const warnings = judged(trial, 'RabbitMQ');
  refuseTakenPorts(trial.listeners, wantedPorts(settings), UNIT);
  refuseBlocking(trial, look);
  const files = desiredFiles(settings);
  const cookie = planCookie(node, settings.erlangCookie);
  if (node.running === 'unreachable' && cookie.length === 0) {
    throw new CommandError(`${UNIT} is active, but its node does not answer: nothing is known of what is in it`, {
      next: `look at /var/log/rabbitmq; if the node hangs, or was started with another cookie: systemctl restart ${UNIT}`,
    });
  }
  // A first start, of a node that has no file yet, tells by itself.
  const isFirst = node.files.conf === null && node.running === 'down';
  const written = planFiles(node, files, isFirst ? [] : warnings);
  return [
    ...written,
    ...planEpmd(node, files.epmd),
    ...cookie,
    ...planUnit(node, fingerprint(files), { stopped: cookie.some(({ impact }) => impact === 'restart'), knowsFormer: written.length > 0 }),
  ];
}

/** A node finds its data by its name: another name, and it begins empty, beside the data. */
function refuseOtherData({ data, files, running }: NodeFacts, nodeName: string): void {
  const [, fileName] = /^\s*(?:export\s+)?(?:RABBITMQ_)?NODENAME=["']?([^\s"']+)/m.exec(files.env?.text ?? '') ?? [];
  const about = typeof running === 'string' ? undefined : running;
  const others = data.filter((name) => name !== nodeName);
  const isUsed = data.includes(nodeName) && (about?.name ?? fileName) === nodeName;
  if ((about !== undefined && about.name !== nodeName) || (others.length > 0 && !isUsed)) {
    const names = [...new Set([...(about ? [about.name] : []), ...others])];
    const why = `there is data of ${names.join(', ')}: a node of another name would begin empty beside it`;
    throw new SafetyError(`the settings name the node ${nodeName}, but ${why}`, {
      next: `set "nodeName": "${names[0]}" in container.json, or move that data out of ${paths.data}`,
    });
  }
  const elsewhere = about !== undefined && about.data !== `${paths.data}/${nodeName}` ? about.data : undefined;
  if (elsewhere !== undefined || /^\s*(export\s+)?(RABBITMQ_)?MNESIA_(BASE|DIR)=/m.test(files.env?.text ?? '')) {
    const where = elsewhere ?? `a place that ${paths.env} names`;
    throw new SafetyError(`RabbitMQ keeps its data in ${where}: with this service it would begin empty in ${paths.data}`, {
      next: `move the data to ${paths.data}/${nodeName} and take MNESIA_BASE and MNESIA_DIR out of ${paths.env}`,
    });
  }
}

/** What the plan of the unit depends on beside the node itself. */
type Around = {
  /** The cookie's change leaves the node stopped. */
  readonly stopped: boolean;
  /** Whether the files that the node runs with are known, so that they can be put back. They are not after a run that was killed in between. */
  readonly knowsFormer: boolean;
};

function planUnit({ active, enabled, running }: NodeFacts, wanted: string, { stopped, knowsFormer }: Around): Change[] {
  const state = { active: stopped ? 'stopped' : active, enabled };
  const start = (verb: 'start' | 'restart', because: string): Change =>
    bringChange({ unit: UNIT, state, bring: startNode, back: startNode(verb) }, verb, because);
  if (stopped) return [start('start', 'it was stopped for the cookie')];
  if (typeof running === 'string') return [start('start', 'the node is not running')];
  if (!running.app) return [start('restart', 'RabbitMQ is stopped inside the node (rabbitmqctl stop_app)')];
  if (running.startedWith === wanted) return enableChange(UNIT, state);
  const { undo, afterUndo, ...restart } = start('restart', 'the node was started with other files');
  return [knowsFormer ? { ...restart, undo, afterUndo } : restart];
}
