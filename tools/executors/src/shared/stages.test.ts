import { expect, it } from 'vitest';
import { type CommandResult, read } from '../engine/command.ts';
import { Secret } from '../engine/secret.ts';
import type { Desired, Service } from '../engine/service.ts';
import { instanceQuestions } from './stages.ts';

/** Its text is another one each time that it is asked for, as that of a request which is signed with the time. */
class Changing extends Secret {
  static #count = 0;

  override reveal(): string {
    Changing.#count += 1;
    return String(Changing.#count);
  }
}

const fact = (name: string, stdin?: Secret) => ({
  name,
  command: read(['ask', name], stdin ? { stdin } : {}),
  parse: (result: CommandResult) => result.stdout,
});

const service = {
  name: 'test',
  stages: [
    { name: 'one', facts: () => ({ same: fact('same'), signed: fact('signed', new Changing('')) }), plan: () => [] },
    { name: 'two', facts: () => ({ same: fact('same') }), plan: () => [] },
  ],
  health: { inside: () => fact('probe', new Changing('')) },
} as unknown as Service<unknown>;

const desired = { settings: {}, context: {} } as unknown as Desired<unknown>;
const answer = (command: CommandResult['command']): CommandResult => ({ command, code: 0, stdout: String(command.argv[1]), stderr: '' });

it('asks for no trial with --skip-trial, and for everything else', () => {
  const tried = { ...fact('trial'), withoutTrial: read(['ask', 'nothing']) };
  const stages = [{ name: 'one', facts: () => ({ tried, same: fact('same') }), plan: () => [] }];
  const asked = (skipTrial: boolean) =>
    instanceQuestions(
      { ...service, stages } as Service<unknown>,
      { settings: {}, context: { skipTrial } } as Desired<unknown>,
    ).commands.map(({ argv }) => argv[1]);
  expect(asked(false)).toEqual(['trial', 'same', 'probe']);
  expect(asked(true)).toEqual(['nothing', 'same', 'probe']);
});

it('asks what several stages ask in the same words only once, and sorts the answers back, also when words change with time', () => {
  const { commands, answers } = instanceQuestions(service, desired);
  expect(commands.map(({ argv }) => argv[1])).toEqual(['same', 'signed', 'probe']);
  const { stages, probe } = answers(commands.map(answer));
  expect(stages.map(({ results }) => results.map(({ stdout }) => stdout))).toEqual([['same', 'signed'], ['same']]);
  expect(probe.result.stdout).toBe('probe');
  expect(() => answers(commands.slice(1).map(answer))).toThrow('less than it was asked');
});
