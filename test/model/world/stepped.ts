import { incus } from '../../../tools/executors/src/platforms/incus/command.ts';
import { removeDrill } from '../../../tools/executors/src/platforms/incus/drill.ts';
import { cloneForDrill } from '../../../tools/executors/src/platforms/zfs/drill.ts';
import { type Answer, failed, ok, ToolError } from './answer.ts';

/** Runs a command within a script; it is one of the process's commands, after which it may be killed. */
type Step = (...argv: [string, ...string[]]) => Answer;
/** A shell script of the plugin that changes more than one thing: what it runs are commands of their own. */
type Stepped = (parameters: readonly string[], step: Step) => Answer;

/** The script of that text; nothing for one that is done in one step. */
export function steppedScriptOf(text: string | undefined): Stepped | undefined {
  return SCRIPTS.get(text);
}

const clone: Stepped = ([live = '', snapshot = '', dataset = '', name = ''], step) => {
  const refuse = (why: string) => failed(`${dataset} is left alone: ${why}`);
  if (output(step('zfs', 'get', '-H', '-o', 'value', 'origin', dataset)) !== '-') return refuse('it is a clone already');
  if (output(step('zfs', 'list', '-H', '-o', 'name', '-t', 'snapshot', '-d', '1', dataset)) !== '') return refuse('it has snapshots');
  const used = output(step('zfs', 'get', '-Hp', '-o', 'value', 'used', dataset));
  if (!/^\d+$/.test(used) || Number(used) > 8_388_608) return refuse('it is not empty');
  const local = output(step('zfs', 'get', '-Hp', '-s', 'local', '-o', 'property,value', 'all', live))
    .replaceAll('\t', '=')
    .split('\n');
  const given = local.filter(
    (line) => !/^(|.*:.*|(mountpoint|canmount|reservation|refreservation|keylocation)=.*|(ref)?quota=0)$/.test(line),
  );
  const options = ['mountpoint=legacy', 'canmount=noauto', `mooring:drill=${name}`, ...given].flatMap((one) => ['-o', one]);
  must(step('zfs', 'destroy', dataset));
  return step('zfs', 'clone', ...options, `${live}@${snapshot}`, dataset);
};

const remove: Stepped = ([name = '', project = '', run = '', dataset = ''], step) => {
  const refuse = (why: string) => failed(`${name} is left alone: ${why}`);
  const key = (one: string) => step(...incus('config', 'get', name, `user.mooring.${one}`, '--project', project));
  const marked = key('drill-run');
  if (marked.code !== 0) return marked.stderr.includes('not found') ? ok() : refuse(marked.stderr);
  if (output(marked) !== run || output(key('drill-name')) !== name) return refuse('it is not the one that this drill made');
  if (output(key('environment')) !== '') return refuse('it has the marks of a data container');
  if (dataset !== '') {
    const origin = step('zfs', 'get', '-H', '-o', 'value', 'origin', dataset);
    if (origin.code !== 0) {
      if (!origin.stderr.includes('dataset does not exist')) return refuse(origin.stderr);
    } else {
      const own = () => output(step('zfs', 'get', '-H', '-s', 'local', '-o', 'value', 'mooring:drill', dataset)) === name;
      if (output(origin) !== '-' && !own()) return refuse(`${dataset} is a clone of ${output(origin)}, not made by this drill`);
      if (output(step('zfs', 'list', '-H', '-o', 'name', '-t', 'snapshot', '-d', '1', dataset)) !== '')
        return refuse(`${dataset} has snapshots`);
    }
  }
  return step(...incus('delete', '--force', name, '--project', project));
};

/** As `$(…)` gives it; what fails gives nothing. */
function output({ code, stdout }: Answer): string {
  return code === 0 ? stdout.replace(/\n+$/, '') : '';
}

/** What `set -e` ends at. */
function must(answer: Answer): void {
  if (answer.code !== 0) throw new ToolError(answer.stderr.trimEnd(), answer.code);
}

const NAME = 'drill-x-000000';
const SCRIPTS = new Map<string | undefined, Stepped>([
  [cloneForDrill('p/containers/x', `pre-deploy-${'0'.repeat(40)}`, `p/containers/${NAME}`, NAME).argv[2], clone],
  [removeDrill({ name: NAME, run: 'r' }, 'p', undefined).argv[2], remove],
]);
