import { appendAudit } from '../../../tools/executors/src/audit/audit.ts';
import type { Command } from '../../../tools/executors/src/engine/command.ts';
import type { Instance, InstanceFacts } from '../../../tools/executors/src/engine/instance.ts';
import { acquireLease } from '../../../tools/executors/src/lease/lease.ts';
import { failedUnits, waitForSystemd } from '../../../tools/executors/src/platforms/incus/drill.ts';
import { planInstance } from '../../../tools/executors/src/platforms/incus/provision.ts';
import { mustBeUnmounted } from '../../../tools/executors/src/platforms/zfs/swap.ts';
import { failed, ok } from './answer.ts';
import { addressAt } from './incus-command.ts';
import { auditScripts, leaseScripts, type Script } from './state-scripts.ts';

/** The script of that text; nothing for one that the plugin does not write. */
export function scriptOf(text: string): Script | undefined {
  return SCRIPTS.get(text);
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
  [acquireLease(LEASE).command.argv[2], verbs(leaseScripts)],
  [appendAudit('e', []).argv[2], verbs(auditScripts)],
  [PROVISION.wait.argv[2], waitInside],
  [mustBeUnmounted('x').argv[2], refuseMounted],
  [PROVISION.keys.argv[2], setKeys],
]);
