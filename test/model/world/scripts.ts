import { type AuditEntry, appendAudit } from '../../../tools/executors/src/audit/audit.ts';
import type { Command } from '../../../tools/executors/src/engine/command.ts';
import type { Instance, InstanceFacts } from '../../../tools/executors/src/engine/instance.ts';
import { acquireLease } from '../../../tools/executors/src/lease/lease.ts';
import { failedUnits, waitForSystemd } from '../../../tools/executors/src/platforms/incus/drill.ts';
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

const append: Script = (world, [folder = '', kept = ''], stdin) => {
  const { files } = world;
  const entered = enter(files, folder);
  if ('code' in entered) return entered;
  const log = `${folder}/audit.jsonl`;
  const old = files.read(log) ?? '';
  const stamp = `{"time":"${new Date(world.seconds() * 1000).toISOString().replace('Z', '000Z')}",`;
  const lines = stdin.replaceAll(/^\{/gm, stamp);
  files.write(log, `${old}${old !== '' && !old.endsWith('\n') ? '\n' : ''}${lines}`);
  const known = digested(files, folder, Number(kept));
  const body = known.map((line) => `${line}\n`).join('');
  files.write(`${folder}/index`, `${sizeOf(files, log)} ${Buffer.byteLength(body)}\n${body}`);
  if (stdin.includes('"what":"deploy","result":"ok"')) world.deployCompleted();
  return ok();
};

const readLog: Script = ({ files }, [folder = '', limit = '']) => {
  const file = `${folder}/audit.jsonl`;
  const refused = notThere(files, file);
  if (refused !== undefined) return refused;
  const lines = (files.read(file) as string).split(/(?<=\n)/);
  return ok(`present\n${lines.slice(-Number(limit)).join('')}`);
};

const readIndex: Script = ({ files }, [folder = '', kept = '']) => {
  const refused = notThere(files, `${folder}/audit.jsonl`);
  if (refused !== undefined && (refused.code !== 0 || !files.exists(`${folder}/index`))) return refused;
  return ok(`${['present', ...digested(files, folder, Number(kept))].join('\n')}\n`);
};

/** The answer about a file that cannot be read. */
function notThere(files: Files, file: string): Answer | undefined {
  const folder = file.slice(0, file.lastIndexOf('/'));
  if (files.exists(folder) && files.read(folder) !== undefined) return failed(`stat: cannot statx '${file}': Not a directory`);
  return files.exists(file) ? undefined : ok('absent\n');
}

/** What decisions need of a log and its index; see `digest` of the plugin. */
function digested(files: Files, folder: string, kept: number): string[] {
  const log = `${folder}/audit.jsonl`;
  const [, bytes = '0', rest, body = ''] = /^(\d+) (\d+)\n(.*)$/s.exec(files.read(`${folder}/index`) ?? '') ?? [];
  const torn = Number(rest) !== Buffer.byteLength(body);
  const from = torn || Number(bytes) > sizeOf(files, log) ? 0 : Number(bytes);
  const more = Buffer.from(files.read(log) ?? '')
    .subarray(from)
    .toString()
    .replaceAll('\0', '?')
    .split('\n');
  const lines = new Map<string, string>();
  const seen = new Set<string>();
  const rings = new Map<string, number>();
  for (const line of [...(torn ? '' : body).split('\n'), ...more].filter(Boolean)) {
    const [kind, short] = kindOf(line);
    if (kind === undefined || seen.has(short)) continue;
    seen.add(short);
    const turn = rings.get(kind) ?? 0;
    rings.set(kind, turn + 1);
    const key = kind.includes(' ') ? kind : `${kind}/${turn % kept}`;
    // A map keeps the order in which its keys came in.
    lines.delete(key);
    lines.set(key, short);
  }
  return [...lines.values()];
}

/** Which line of an index a line of a log takes the place of, and how it stands there; those of a kind with a blank in it stand alone. */
function kindOf(line: string): [string | undefined, string] {
  if (!/["\]]\}$/.test(line)) return ['rest', line.slice(0, 160)];
  const { what, result, set, container, changes } = JSON.parse(line) as AuditEntry;
  if (what === 'prune') return [result === 'started' ? 'rest' : undefined, line];
  const short = changes === undefined ? line : `${line.slice(0, line.indexOf(',"changes":['))}}`;
  if (['provision', 'configure', 'adopt'].includes(what) && container !== undefined) return [`known ${container}`, short];
  if (what === 'place' && container !== undefined) return [`place ${container}`, short];
  if (!['deploy', 'rollback', 'undo'].includes(what)) return [undefined, short];
  if (what === 'deploy' ? result !== 'ok' : result === 'failed') return ['rest', short];
  return [set === undefined ? 'end' : 'over', short];
}

function sizeOf(files: Files, path: string): number {
  return Buffer.byteLength(files.read(path) ?? '');
}

const waitUntilUp: Script = (world, [name = '', project = '', seconds = '', _, ...nics]) => {
  if (nics.join() !== 'eth0=') throw new Error(`${name} is waited for by ${nics.join(' ') || 'no interface'}, and Incus gave it eth0`);
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
  const wait = WAITS.get(parameters[3]);
  if (wait === undefined) throw new Error(`a wait that the model does not know: ${parameters[3]}`);
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

/** A script of several verbs, by its first parameter. */
function verbs(known: Readonly<Record<string, Script>>): Script {
  return (world, [verb = '', ...parameters], stdin) => {
    const script = known[verb];
    if (script === undefined) throw new Error(`a verb that the model does not know: ${verb}`);
    return script(world, parameters, stdin);
  };
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
  const facts = { instances: [instance as unknown as Instance], everywhere: [], pools: [] } as unknown as InstanceFacts;
  const spec = {
    instance: 'x',
    project: 'p',
    profiles: [],
    image: 'i',
    limits: {},
    devices: {},
    network: 'net',
    hostOnNetwork: false,
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
/** What an instance is asked, again and again: the fourth parameter of that script. */
const WAITS = new Map<string | undefined, Script>([
  [PROVISION.wait.argv[7], waitUntilUp],
  [waitForSystemd(DRILL, 'p', 1).argv[7], waitForBoot],
]);
/** A script inside an instance. */
export const FAILED_UNITS = failedUnits('u').argv[2];
const SCRIPTS = new Map<string | undefined, Script>([
  [acquireLease(LEASE).command.argv[2], verbs({ acquire, renew, release })],
  [appendAudit('e', []).argv[2], verbs({ append, last: readLog, decisive: readIndex })],
  [PROVISION.wait.argv[2], waitInside],
  [mustBeUnmounted('x').argv[2], refuseMounted],
  [PROVISION.keys.argv[2], setKeys],
]);
