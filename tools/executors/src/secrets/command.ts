import { stripVTControlCharacters } from 'node:util';
import { showCommand } from '../engine/command.ts';
import { CommandError, type ErrorDetail, InputError, lastLines, type MooringError } from '../engine/errors.ts';
import { hideEverywhere } from '../engine/redactor.ts';
import { parseSecrets, parseSecretsBytes } from './format.ts';
import { type Ended, runForSecrets } from './run-command.ts';
import type { CommandSettings } from './settings.ts';
import type { SecretSource, SecretsContent, SourceContext } from './types.ts';

/**
 * What a program prints, such as `sops -d …`: the same lines as in `.secrets/<environment>.env`. It is run in the workspace, with
 * nothing on its stdin. What it prints stands in no message; of its stderr the end does, after a failure.
 */
export function commandSource(environment: string, settings: CommandSettings, { root, variables, signal }: SourceContext): SecretSource {
  const shown = showCommand({ argv: settings.argv, effect: 'read' });
  const name = `the output of ${shown}`;
  const given = settings.variables.flatMap((variable) => {
    const value = variables[variable];
    return value === undefined ? [] : [[variable, value]];
  });
  return {
    name,
    async read() {
      const ended = await runForSecrets(settings.argv, {
        cwd: root,
        variables: Object.fromEntries(given),
        timeoutMs: settings.timeoutSeconds * 1000,
        signal,
      });
      const problem = problemOf(ended, environment, settings, { command: shown, next: `run it by hand: ${shown}` });
      if (problem !== undefined) return { values: new Map(), problems: [problem] };
      return contentOf(ended.stdout, name, shown);
    },
    howToSet: (secret) => `give ${secret} a value where ${shown} reads it`,
  };
}

function contentOf(stdout: Buffer, name: string, shown: string): SecretsContent {
  if (stdout.toString('latin1').trim() === '')
    return {
      values: new Map(),
      problems: [new InputError(`${name} is empty, although it succeeded`, { next: `run it by hand: ${shown}` })],
    };
  return parseSecretsBytes(stdout, name);
}

/** Why the output is not to be used; nothing when the program succeeded. */
function problemOf(ended: Ended, environment: string, settings: CommandSettings, detail: ErrorDetail): MooringError | undefined {
  const { argv, timeoutSeconds, variables } = settings;
  const what = `the command for the secrets of ${environment}`;
  const told = { ...detail, ...saidOnStderr(ended) };
  switch (ended.how) {
    case 'not started':
      return new InputError(
        `${what}: ${argv[0]} ${ended.why === 'ENOENT' ? 'is not installed on this machine' : `could not be started: ${ended.why}`}`,
        {
          ...detail,
          next: `install ${argv[0]}, or change "secrets" in the environment's file`,
        },
      );
    case 'too long':
      return new CommandError(`${what} did not end within ${timeoutSeconds} seconds and was ended`, {
        ...told,
        next: `${detail.next}; if it asks for something, log in first. "timeoutSeconds" gives it longer`,
      });
    case 'too much':
      return new CommandError(`${what} printed more than 1 MiB and was ended: this is too much for secrets`, told);
    case 'interrupted':
      return new CommandError(`${what} was ended: the run was interrupted`, detail);
    case 'killed':
      return new CommandError(`${what} was killed by ${ended.why}`, told);
    case 'exited': {
      if (ended.code === 0) return undefined;
      const unset = variables.filter((variable) => !ended.given.includes(variable));
      const hint = unset.length === 0 ? '' : `; not set, and so not given to it: ${unset.join(', ')}`;
      return new CommandError(`${what} failed`, { ...told, code: ended.code, next: `${detail.next}${hint}` });
    }
  }
}

/** Of a program that prints more than this the secrets are not searched for in its stderr, which is not shown then. In bytes. */
const SEARCHED = 64 * 1024;
/** Shorter ones stand in every text. In characters. */
const SEARCHED_LENGTH = 4;

/** The end of what the program said on stderr, without what it said on stdout and without codes that a terminal would follow. */
function saidOnStderr({ stdout, stderr }: Ended): Pick<ErrorDetail, 'stderr'> {
  if (stdout.length > SEARCHED || stderr.length > SEARCHED) return {};
  const text = stdout.toString('utf8');
  const values = [...parseSecrets(text, '').values.values()].map((secret) => secret.reveal());
  // Line by line too: a program may tell of one line of a private key.
  const lines = [text, ...values].flatMap((one) => one.split('\n'));
  const clean = hideEverywhere([...values, ...lines].map((one) => one.trim()).filter(({ length }) => length >= SEARCHED_LENGTH))(
    stderr.toString('utf8'),
  );
  const said = lastLines(stripVTControlCharacters(clean).replaceAll(/[^\P{Cc}\n\t]/gu, '')).slice(-2000);
  return said.trim() === '' ? {} : { stderr: said };
}
