import { script } from '../../engine/command.ts';
import { MooringError, mustSucceed } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import { HEADER } from '../../services/managed-file.ts';
import { type FoundUnit, unitFrom } from '../../services/managed-unit.ts';
import { shellProgram } from '../../shell/program.ts';
import type { AppSettings } from '../settings.ts';
import { CURRENT } from './paths.ts';
import { CRONTAB, UNIT_FOLDER, unitFiles } from './unit-text.ts';

export type UnitsFound = {
  readonly units: Readonly<Record<string, FoundUnit>>;
  /** Files of the application's name that have our header: unit files and the crontab. */
  readonly ours: readonly string[];
  /** Whether a release is live. */
  readonly live: boolean;
  readonly now: number;
};

/** What systemd knows, and which files there are of ours. */
export function unitsFact(settings: AppSettings): Fact<UnitsFound> {
  const units = unitFiles(settings).map(({ unit }) => unit);
  return {
    name: 'units',
    command: script('read', shellProgram(import.meta.url, 'look-at-units.sh'), [CURRENT, HEADER.trimEnd(), UNIT_FOLDER, CRONTAB, ...units]),
    parse: (result) => parseUnits(mustSucceed(result, 'the units could not be looked at').stdout, units),
  };
}

/** @throws on a line that is not known, and on a unit that is missing */
export function parseUnits(stdout: string, asked: readonly string[]): UnitsFound {
  const ours: string[] = [];
  const values = new Map<string, string>();
  const units: Record<string, FoundUnit> = {};
  let block = new Map<string, string>();
  for (const line of [...stdout.split('\n'), '']) {
    const [, word = '', rest = ''] = /^(now|live|ours) (.+)$/.exec(line) ?? [];
    const [, property, value = ''] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (word === 'ours') ours.push(rest);
    else if (word !== '') values.set(word, rest);
    else if (property !== undefined) block.set(property, value);
    else if (line !== '') throw new MooringError(`unexpected line about units: ${line}`);
    else if (block.size > 0) {
      const id = block.get('Id') ?? '';
      units[id] = unitFrom(id, block);
      block = new Map();
    }
  }
  const missing = asked.find((unit) => units[unit] === undefined);
  const [now, live] = [values.get('now'), values.get('live')];
  if (missing !== undefined || now === undefined || live === undefined)
    throw new MooringError(`systemd says nothing about ${missing ?? 'the time'}`);
  return { units, ours, live: live === 'yes', now: Number(now) };
}
