import { incus } from '../../../tools/executors/src/platforms/incus/command.ts';
import { type Answer, answered, NotModelled, ok, ToolError } from './answer.ts';
import { frame, readBundle } from './bundle.ts';
import { incusCommand } from './incus-command.ts';
import { insideCommand } from './inside.ts';
import { type InstanceRecord, STOP_LASTS } from './instance.ts';
import { scriptOf } from './scripts.ts';
import { steppedScriptOf } from './stepped.ts';
import type { World } from './world.ts';
import { zfsCommand, zpoolCommand } from './zfs-command.ts';

/** Who watches the commands of a process, each one for itself however deep it is bundled. */
export type Watch = {
  /** Before a command: an answer given here stands in place of the command. */
  before(argv: readonly string[], stdin?: string): Answer | undefined;
  /** After it. What it throws ends everything that the process has asked for. */
  after(): void;
};

/** Runs a command on the host of the model; what is bundled in it is taken apart, and each of its commands is watched. */
export function runOnHost(
  world: World,
  given: readonly string[],
  stdin: string | undefined,
  watch: Watch,
  inside?: InstanceRecord,
): Answer {
  const argv = inside === undefined ? aimed(given) : given;
  if (argv[0] === 'sh' && argv[1] === '-s') {
    const { calls, order } = readBundle(stdin ?? '');
    const answers: Answer[] = [];
    for (const call of calls) {
      const answer = runOnHost(world, call.argv, call.stdin, watch, inside);
      answers.push(answer);
      if (order === 'sequence' && answer.code !== 0) break;
    }
    return frame(answers);
  }
  if (inside === undefined && argv[0] === 'incus' && argv[1] === 'exec') return inInstance(world, argv, stdin, watch);
  const stepped = inside === undefined && argv[0] === 'sh' && argv[1] === '-euc' ? steppedScriptOf(argv[2]) : undefined;
  if (stepped !== undefined) return answered(() => stepped(argv.slice(4), (...inner) => runOnHost(world, inner, undefined, watch)));
  if (inside === undefined && !isLook(argv)) world.writeEverywhere();
  const answer =
    watch.before(argv, stdin) ??
    answered(() => (inside === undefined ? single(world, argv, stdin ?? '') : insideCommand(world, current(world, inside), argv)));
  world.pass(0.02);
  watch.after();
  if (argv[0] === 'incus' && argv[1] === 'stop') world.pass(STOP_LASTS);
  return answer;
}

/** A command with what makes `incus` mean this very host taken off. @throws NotModelled for one that may go to another server */
function aimed(argv: readonly string[]): readonly string[] {
  const local = incus();
  if (local.every((word, i) => argv[i] === word)) return ['incus', ...argv.slice(local.length)];
  if (argv[0] === 'incus' || argv[0] === 'env') throw new NotModelled(`a command that does not say where it goes: ${argv.join(' ')}`);
  return argv;
}

/** Whether a command only looks: what it finds, users may write after it all the same, before the next that does more. */
function isLook([program, verb]: readonly string[]): boolean {
  return program === 'sh' || program === 'zpool' || verb === 'get' || verb === 'list' || verb === 'query';
}

/** `incus exec <instance> --project <project> -T -- …` */
function inInstance(world: World, argv: readonly string[], stdin: string | undefined, watch: Watch): Answer {
  const [, , name = '', flag, project = '', terminal, end, ...inner] = argv;
  if (flag !== '--project' || terminal !== '-T' || end !== '--') throw new NotModelled(argv.join(' '));
  return answered(() => {
    const instance = world.incus.get(name, project);
    if (instance.status !== 'Running') throw new ToolError('Error: Instance is not running');
    return runOnHost(world, inner, stdin, watch, instance);
  });
}

function current(world: World, { name, project }: InstanceRecord): InstanceRecord {
  return world.incus.get(name, project);
}

function single(world: World, argv: readonly string[], stdin: string): Answer {
  const [program, ...rest] = argv;
  switch (program) {
    case 'true':
      return ok();
    case 'incus':
      return world.destroying(victimsOf(argv), () => incusCommand(world.incus, world.seconds(), rest, stdin));
    case 'zfs':
      world.aboutToRun(rest);
      return world.destroying(victimsOf(argv), () => zfsCommand(world.zfs, rest));
    case 'zpool':
      return zpoolCommand(world.zfs, rest);
    case 'sh': {
      const script = rest[0] === '-euc' && rest[2] === 'sh' ? scriptOf(rest[1] ?? '') : undefined;
      if (script === undefined) throw new NotModelled(argv.join(' '));
      return script(world, rest.slice(3), stdin);
    }
    default:
      throw new NotModelled(argv.join(' '));
  }
}

/** What a command destroys, by the names that flags have for it. */
function victimsOf([program, verb, ...rest]: readonly string[]): string[] {
  if (program === 'zfs' && verb === 'rollback') return ['present'];
  if (program === 'zfs' && verb === 'destroy') return rest.at(-1)?.split('@').at(-1)?.split(',') ?? [];
  if (program === 'incus' && verb === 'snapshot' && rest[0] === 'delete') return [rest[2] ?? ''];
  return [];
}
