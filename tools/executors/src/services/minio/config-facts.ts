import type { FoundFile } from '../../engine/command.ts';
import { mustSucceed } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import { joinSecret } from '../../engine/secret.ts';
import { shellProgram } from '../../shell/program.ts';
import { type Access, type Found, refuseOtherKind } from '../managed-file.ts';
import { kindOf, mustBeFile } from '../managed-look.ts';
import { type FoundUnit, isNewer, unitFrom } from '../managed-unit.ts';
import { bash } from './bash.ts';
import { BINARY } from './binaries.ts';
import type { MinioSettings } from './settings.ts';
import { ENV_PATH, SECRET_FILES, UNIT, UNIT_PATH, USER } from './unit.ts';

/** What the config stage knows of the container; `null` is absent. */
export type FoundConfig = {
  readonly user: boolean;
  readonly data: Found;
  /** Compared where it is: its content never leaves the container. */
  readonly rootUser: Found;
  readonly rootPassword: Found;
  readonly environment: FoundFile | null;
  readonly unit: FoundFile | null;
  readonly service: Pick<FoundUnit, 'active' | 'enabled' | 'needsReload'>;
  /** Files that the server reads at its start only, and that have changed since. */
  readonly newerThanProcess: readonly string[];
};

/** Separates the credentials on stdin: `rootUser` cannot hold it. */
const SEPARATOR = '\x01';

/** The config stage's one fact. */
export function configFact(settings: MinioSettings): Fact<FoundConfig> {
  const paths = [ENV_PATH, UNIT_PATH, SECRET_FILES.rootUser, SECRET_FILES.rootPassword];
  return {
    name: 'configuration of MinIO',
    command: bash('read', shellProgram(import.meta.url, 'look-at-config.sh'), [UNIT, USER, ...paths, settings.dataDir, BINARY], {
      stdin: joinSecret([settings.rootUser, SEPARATOR, settings.rootPassword]),
      timeoutMs: 10_000,
    }),
    parse: (result) => parseConfig(mustSucceed(result, 'the configuration of MinIO could not be read').stdout, settings.dataDir),
  };
}

/** @throws on a line that the script does not write, and on a missing one */
export function parseConfig(stdout: string, dataDir: string): FoundConfig {
  const lines = stdout.replace(/\n$/, '').split('\n');
  const files = new Map<string, Access & { letter: string; mtime: number }>();
  const texts = new Map<string, string>();
  const compared = new Map<string, boolean>();
  const values = new Map<string, string>();
  for (const line of lines) {
    const [, word = '', rest = ''] = /^(user|now|file|text|same|differs) (.*)$/.exec(line) ?? [];
    const [, property, value = ''] = /^(\w+)=(.*)$/.exec(line) ?? [];
    const parts = rest.split(' ');
    const [path = '', mode = '', owner = '', mtime = '', letter = ''] = parts;
    if (word === 'file' && parts.length === 5) files.set(path, { mode, owner, letter, mtime: Number(mtime) });
    else if (word === 'text') texts.set(path, `${texts.get(path) ?? ''}${rest.slice(path.length + 1)}\n`);
    else if (word === 'same' || word === 'differs') compared.set(path, word === 'same');
    else if (word === 'user' || word === 'now') values.set(word, rest);
    else if (property !== undefined) values.set(property, value);
    else throw new Error(`unexpected line ${JSON.stringify(line)}`);
  }
  const value = (name: string, pattern: RegExp) => {
    const found = values.get(name);
    if (found === undefined || !pattern.test(found)) throw new Error(`unexpected ${name}: ${JSON.stringify(found)}`);
    return found;
  };
  const now = Number(value('now', /^\d+$/));
  const { started, ...service } = unitFrom(UNIT, values);
  const file = (path: string): Access | undefined => {
    const seen = files.get(path);
    if (seen !== undefined) mustBeFile(path, seen.letter);
    return seen && { mode: seen.mode, owner: seen.owner };
  };
  const text = (path: string): FoundFile | null => {
    const access = file(path);
    return access === undefined ? null : { text: texts.get(path) ?? '', ...access };
  };
  const secret = (path: string): Found => {
    const access = file(path);
    return access === undefined ? null : { kind: 'file', same: compared.get(path) === true, ...access };
  };
  const data = files.get(dataDir);
  if (data !== undefined) refuseOtherKind({ path: dataDir, kind: 'folder' }, kindOf(data.letter));
  return {
    user: value('user', /^(yes|no)$/) === 'yes',
    data: data === undefined ? null : { kind: 'folder', mode: data.mode, owner: data.owner },
    rootUser: secret(SECRET_FILES.rootUser),
    rootPassword: secret(SECRET_FILES.rootPassword),
    environment: text(ENV_PATH),
    unit: text(UNIT_PATH),
    service,
    newerThanProcess: [BINARY, ...Object.values(SECRET_FILES), ENV_PATH, UNIT_PATH].filter((path) =>
      isNewer(files.get(path)?.mtime ?? 0, { started }, now),
    ),
  };
}
