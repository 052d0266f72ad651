import { describe, expect, it } from 'vitest';
import type { Command } from '../../engine/command.ts';
import { reveal, Secret } from '../../engine/secret.ts';
import type { Desired } from '../../engine/service.ts';
import { liveChange, switchLive } from './changes.ts';
import service from './service.ts';
import type { RedisSettings } from './settings.ts';
import { COMMANDS } from './words.ts';

const settings = service.settings.parse({ password: new Secret('pencil'), maxmemoryPolicy: 'noeviction' });
const desired = { settings, context: {} } as Desired<RedisSettings>;
const change = liveChange([['port', '1']], [['port', '2']], { admin: settings.password, ports: [1, 2], restarts: false });

/** Everything that is sent to a running server. */
const sent: Command[] = [
  ...service.stages.flatMap((stage) => Object.values(stage.facts(desired)).map(({ command }) => command)),
  service.health.inside(desired).command,
  ...(service.census === undefined ? [] : [service.census(desired).command]),
  ...(service.quiesce?.before(desired) ?? []),
  ...switchLive(1, 2, settings.password, [['port', '1']]),
  ...(change.commands as Command[]),
  ...(change.undo ?? []),
  ...(change.afterUndo ?? []),
].filter(({ argv }) => argv.join(' ').includes('redis-cli'));

/** Words in capitals that stand where a command does: at the start of a line, of a quoted text, or behind the program's options. */
function commandsIn({ argv, stdin }: Command): string[] {
  const text = [...argv, stdin === undefined ? '' : reveal(stdin)].join('\n');
  return [...text.matchAll(/(?:^|["']|redis-cli -p "\$1" )([A-Z]{3,})(?=[ \n\r"'\\]|$)/gm)].map(([, word]) => String(word));
}

/** What a server says, and a trap of the shell: scripts have them too. */
const ANSWERS = ['PONG', 'EXIT', 'FATAL'];

describe('commands', () => {
  it('that are sent are all known, and all that are known are sent', () => {
    const words = new Set(sent.flatMap(commandsIn).filter((word) => !ANSWERS.includes(word)));
    expect([...words].sort()).toEqual([...COMMANDS].sort());
  });

  it('that are sent hold no password where others can see it', () => {
    for (const { argv } of sent) expect(argv.join(' ')).not.toContain('pencil');
  });
});
