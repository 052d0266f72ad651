import { type Answer, failed, NotModelled, ok } from './answer.ts';
import type { InstanceRecord } from './instance.ts';
import { FAILED_UNITS } from './scripts.ts';
import type { World } from './world.ts';

/** What a program of the model's one service answers inside an instance: `model get|set|flush|health|count`. */
export function insideCommand(world: World, instance: InstanceRecord, argv: readonly string[]): Answer {
  const [program, verb, key = '', value = ''] = argv;
  const content = world.incus.contentOf(instance);
  const alive = content.has('package') && content.get('value') !== 'broken';
  if (argv.join(' ') === 'systemctl is-active model') return alive ? ok('active\n') : { code: 3, stdout: 'failed\n', stderr: '' };
  if (program === 'systemctl' && verb === 'list-units') return ok(alive ? 'model.service loaded active running\n' : '');
  if (program === 'journalctl') return ok();
  if (argv[2] === FAILED_UNITS) return ok(alive ? '' : 'model\n');
  if (program !== 'model') throw new NotModelled(`in ${instance.name}: ${argv.join(' ')}`);
  switch (verb) {
    case 'get':
      return content.has(key) ? ok(`present\n${content.get(key)}`) : ok('absent\n');
    case 'set':
      world.aboutToChange(instance);
      world.incus.write(instance, new Map(content).set(key, value));
      return ok();
    case 'flush':
      return ok();
    case 'health':
      return alive ? ok(`facts ${content.size}\n`) : failed('the service does not answer');
    case 'count':
      return ok(`${[...content.keys()].filter((one) => one.startsWith('fact ')).length}\n`);
    default:
      throw new NotModelled(`in ${instance.name}: ${argv.join(' ')}`);
  }
}
