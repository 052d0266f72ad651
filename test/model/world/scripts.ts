import { appendAudit, readAudit } from '../../../tools/executors/src/audit/audit.ts';
import type { Command } from '../../../tools/executors/src/engine/command.ts';
import { acquireLease, releaseLease, renewLease } from '../../../tools/executors/src/lease/lease.ts';
import { failedUnits, waitForSystemd } from '../../../tools/executors/src/platforms/incus/drill.ts';
import type { IncusFacts, Instance } from '../../../tools/executors/src/platforms/incus/facts.ts';
import { planInstance } from '../../../tools/executors/src/platforms/incus/provision.ts';
import { mustBeUnmounted } from '../../../tools/executors/src/platforms/zfs/swap.ts';
import { type Answer, failed, ok } from './answer.ts';
import type { Files } from './files.ts';
import { addressAt } from './incus-command.ts';
import type { World } from './world.ts';

/** A shell script of the plugin, done by the model. */
type Script = (world: World, parameters: readonly string[], stdin: string) => Answer;

/** The script of that text; nothing for one that the plugin does not write. */
export function scriptOf(text: string): Script | undefined {
  return SCRIPTS.get(text);
}

const acquire: Script = ({ files, seconds }, [folder = '', run = '', start = '', take = '', valid = '']) => {
  const entered = enter(files, folder);
  if ('code' in entered) return entered;
  const { old } = entered;
  const now = Math.floor(seconds());
  let since = now;
  let state = 'granted';
  if (old !== '') {
    const lease = understood(old);
    if (lease === undefined) return failed(`not a lease: ${old}`, 65);
    if (isOf(old, run)) [state, since] = ['renewed', lease.since];
    else if (lease.expires <= now) state = 'expired';
    else if (isOf(old, take)) state = 'taken';
    else return { code: 75, stdout: `held ${now}\n${old}\n`, stderr: '' };
  }
  const made = `${start},"since":${since},"expires":${now + Number(valid)}}`;
  files.write(`${folder}/lease`, `${made}\n`);
  return ok(`${state} ${now}\n${made}\n${old}\n`);
};

const renew: Script = ({ files, seconds }, [folder = '', run = '', valid = '']) => {
  const entered = enter(files, folder);
  if ('code' in entered) return entered;
  const { old } = entered;
  if (old === '') return ok('gone\n');
  if (!isOf(old, run)) return ok(`lost\n${old}\n`);
  if (understood(old) === undefined) return failed(`not a lease: ${old}`, 65);
  const expires = Math.floor(seconds()) + Number(valid);
  files.write(`${folder}/lease`, `${old.slice(0, old.lastIndexOf(',"expires":'))},"expires":${expires}}\n`);
  return ok('renewed\n');
};

const release: Script = ({ files }, [folder = '', run = '']) => {
  const entered = enter(files, folder);
  if ('code' in entered) return entered;
  if (isOf(entered.old, run)) files.remove(`${folder}/lease`);
  return ok();
};

const append: Script = (world, [folder = ''], stdin) => {
  const { files } = world;
  const entered = enter(files, folder);
  if ('code' in entered) return entered;
  const log = `${folder}/audit.jsonl`;
  const old = files.read(log) ?? '';
  const stamp = `{"time":"${new Date(world.seconds() * 1000).toISOString().replace('Z', '000Z')}",`;
  const lines = stdin.replaceAll(/^\{/gm, stamp);
  files.write(log, `${old}${old !== '' && !old.endsWith('\n') ? '\n' : ''}${lines}`);
  if (stdin.includes('"what":"deploy","result":"ok"')) world.deployCompleted();
  return ok();
};

const readLog: Script = ({ files }, [file = '', limit = '']) => {
  const folder = file.slice(0, file.lastIndexOf('/'));
  if (files.exists(folder) && files.read(folder) !== undefined) return failed(`stat: cannot statx '${file}': Not a directory`);
  const text = files.read(file);
  if (text === undefined) return ok('absent\n');
  const lines = text.split(/(?<=\n)/);
  return ok(`present\n${lines.slice(-Number(limit)).join('')}`);
};

const waitUntilUp: Script = (world, [name = '', project = '', seconds = '']) => {
  const instance = world.incus.instances.get(`${project}/${name}`);
  world.pass(3);
  if (instance !== undefined && addressAt(instance, world.seconds()) !== undefined) return ok();
  world.pass(Number(seconds));
  return failed(`after ${seconds} s systemd says 'nothing' and the address is 'none'`);
};

const waitForBoot: Script = (world, [name = '', project = '', seconds = '']) => {
  const instance = world.incus.instances.get(`${project}/${name}`);
  world.pass(2);
  if (instance?.status === 'Running') return ok();
  world.pass(Number(seconds));
  return failed(`after ${seconds} s systemd says 'nothing'`);
};

const waitInside: Script = (world, parameters, stdin) => {
  const wait = WAITS.get(parameters.at(-1));
  if (wait === undefined) throw new Error(`a wait that the model does not know: ${parameters.at(-1)}`);
  return wait(world, parameters, stdin);
};

const refuseMounted: Script = ({ incus, zfs }, [dataset = '']) => {
  zfs.dataset(dataset);
  const used = [...incus.instances.values()].some((one) => one.status === 'Running' && incus.datasetOf(one) === dataset);
  return used ? failed(`${dataset} is in use: something has started its instance again`) : ok();
};

const setKeys: Script = (world, [name = '', project = '', uuid = '', ...pairs]) => {
  const now = world.incus.get(name, project).config['volatile.uuid'] ?? '';
  if (now !== uuid) return failed(`the instance has changed hands: its volatile.uuid is ${now}, it was ${uuid}`);
  world.incus.setConfig(
    name,
    project,
    Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)])),
  );
  return ok();
};

/** The common beginning of all that touch an environment's folder. */
function enter(files: Files, folder: string): Answer | { old: string } {
  if (!files.makeFolder(folder)) return failed(`mkdir: cannot create directory '${folder}': File exists`);
  return { old: (files.read(`${folder}/lease`) ?? '').replace(/\n+$/, '') };
}

function isOf(lease: string, run: string): boolean {
  return run !== '' && lease.startsWith(`{"runId":"${run}",`);
}

function understood(lease: string): { since: number; expires: number } | undefined {
  const [, since] = /^.*"since":(\d+),/s.exec(lease) ?? [];
  const [, expires] = /"expires":(\d+)\}$/.exec(lease) ?? [];
  return since === undefined || expires === undefined ? undefined : { since: Number(since), expires: Number(expires) };
}

/** The two scripts of the Incus platform, from the plans that they are part of. */
function provisionScripts(): { wait: Command; keys: Command } {
  const instance = {
    name: 'x',
    project: 'p',
    status: 'Running',
    config: { 'volatile.uuid': 'u' },
    expanded_config: {},
    devices: {},
    expanded_devices: {},
    state: null,
  };
  const facts = { instances: [instance as unknown as Instance], everywhere: [], pools: [] } as unknown as IncusFacts;
  const spec = {
    instance: 'x',
    project: 'p',
    profiles: [],
    image: 'i',
    limits: {},
    devices: {},
    environment: 'e',
    container: 'x',
    service: 's',
    tool: 't',
  };
  const changes = planInstance(facts, spec, [], { create: [], adopt: ['x'], uuid: 'u', startSeconds: 1 });
  const scripts = new Map(changes.flatMap(({ commands }) => commands).map((command) => [(command as Command).argv[2], command as Command]));
  const [keys, wait, ...more] = scripts.values();
  if (keys === undefined || wait === undefined || more.length > 0)
    throw new Error('the scripts of platforms/incus/provision.ts are not the two that the model knows');
  return { wait, keys };
}

const LEASE = { environment: 'e', runId: 'r', who: 'w', from: 'f', release: '' };
const PROVISION = provisionScripts();
const DRILL = 'drill-x-000000';
/** What an instance is asked, again and again. */
const WAITS = new Map<string | undefined, Script>([
  [PROVISION.wait.argv.at(-1), waitUntilUp],
  [waitForSystemd(DRILL, 'p', 1).argv.at(-1), waitForBoot],
]);
/** A script inside an instance. */
export const FAILED_UNITS = failedUnits('u').argv[2];
const SCRIPTS = new Map<string | undefined, Script>([
  [acquireLease(LEASE).command.argv[2], acquire],
  [renewLease('e', 'r').command.argv[2], renew],
  [releaseLease('e', 'r').argv[2], release],
  [appendAudit('e', []).argv[2], append],
  [readAudit('e', 1).command.argv[2], readLog],
  [PROVISION.wait.argv[2], waitInside],
  [mustBeUnmounted('x').argv[2], refuseMounted],
  [PROVISION.keys.argv[2], setKeys],
]);
