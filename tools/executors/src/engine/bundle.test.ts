import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bundle, unbundle } from './bundle.ts';
import { type Command, type CommandResult, read, script } from './command.ts';
import { reveal, Secret } from './secret.ts';

/** Runs a command here. */
function exec(command: Command): CommandResult {
  const [program, ...args] = command.argv;
  const { status, stdout, stderr } = spawnSync(program, args, {
    input: command.stdin === undefined ? '' : reveal(command.stdin),
    encoding: 'utf8',
  });
  return { command, code: status ?? 255, stdout, stderr };
}

const answer = (commands: readonly Command[], order?: 'parallel' | 'sequence') => unbundle(exec(bundle(commands, order)), commands, 'here');

it('gives each command its own exit code, stdout and stderr, in their order', () => {
  const commands = [read(['printf', 'a\n']), script('read', 'echo "$1" >&2; exit 3', ['b c']), read(['cat'], { stdin: new Secret('d') })];
  expect(answer(commands).map(({ code, stdout, stderr }) => [code, stdout, stderr])).toEqual([
    [0, 'a\n', ''],
    [3, '', 'b c\n'],
    [0, 'd', ''],
  ]);
});

it('a sequence ends with the first that fails', () => {
  const commands = [read(['true']), read(['false']), read(['true'])];
  expect(answer(commands, 'sequence').map(({ code }) => code)).toEqual([0, 1]);
});

it('nests', () => {
  const inner = [read(['echo', 'deep']), read(['false'])];
  const [outer] = answer([bundle(inner)]);
  expect(unbundle(outer as CommandResult, inner, 'deep').map(({ code, stdout }) => [code, stdout])).toEqual([
    [0, 'deep\n'],
    [1, ''],
  ]);
});

it('any argument and any input arrive as they were', () => {
  const text = fc.string({ unit: 'binary', maxLength: 40 }).map((value) => value.replaceAll('\0', '').toWellFormed());
  fc.assert(
    fc.property(fc.array(text, { maxLength: 4 }), text, (args, stdin) => {
      const commands = [read(['printf', '%s\\n', ...args, '.']), read(['cat'], { stdin })];
      const [printed, echoed] = answer(commands);
      expect(printed?.stdout).toBe([...args, '.'].map((arg) => `${arg}\n`).join(''));
      expect(echoed?.stdout).toBe(stdin);
    }),
    { numRuns: 60 },
  );
});

it('an answer that was cut is no answer', () => {
  const commands = [read(['echo', 'whole'])];
  const whole = exec(bundle(commands));
  expect(() => unbundle({ ...whole, stdout: whole.stdout.slice(0, -8) }, commands, 'here')).toThrow('unknown whether');
  expect(() => unbundle({ ...whole, stdout: '' }, commands, 'here')).toThrow('unknown whether');
  expect(() => unbundle({ ...whole, code: 255 }, commands, 'here')).toThrow('unknown whether');
});

it('shows no secret when it is printed', () => {
  const command = bundle([read(['cat'], { stdin: new Secret('hunter2-hunter2') })]);
  const seen = JSON.stringify(command) + String(command.stdin);
  expect(seen).not.toContain('hunter2');
  expect(seen).not.toContain(Buffer.from('hunter2-hunter2').toString('base64'));
});
