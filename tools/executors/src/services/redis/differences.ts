import { reveal } from '../../engine/secret.ts';
import type { Trial } from '../trial.ts';
import { sameWords, splitWords } from './compare.ts';
import { type Parameters, parseConf, renderConf } from './conf.ts';
import type { Live } from './live.ts';
import { ruleOf } from './parameters.ts';
import { spelled } from './trial.ts';

/** The running server, when it answers. */
export type Answers = Extract<Live, { state: 'answers' }>;

type Lines = Parameters[number][1];

/** A parameter whose value in the running server is not the desired one; without a value, one that can only be left out and restarted. */
type Differing = { readonly name: string; readonly value: string | undefined };

/**
 * The parameters of the settings that the running server has otherwise. Where the file was tried, by how Redis itself spells what the file
 * says; else by what it means.
 */
export function differingOf(parameters: Parameters, { values }: Answers, trial: Trial): Differing[] {
  const spelling = spellingOf(trial);
  return parameters.flatMap(([name, lines]) => {
    const { live, tried } = ruleOf(name);
    const now = values[name];
    if (live === false || now === undefined) return [];
    const exact = tried === false ? undefined : spelling[name];
    const same = exact === undefined ? means(name, lines, now) : exact === now;
    return same ? [] : [{ name, value: exact ?? countingWords(name, lines).join(' ') }];
  });
}

/** The parameters of the former file that the settings do not have: they go back to their defaults, as far as Redis told them. */
export function removed(before: ReadonlyMap<string, readonly string[]>, parameters: Parameters, live: Answers, trial: Trial): Differing[] {
  const spelling = spellingOf(trial);
  const kept = new Set(parameters.map(([name]) => name));
  return [...before.keys()].flatMap((name): Differing[] => {
    const now = live.values[name];
    const rule = ruleOf(name);
    if (kept.has(name) || now === undefined || rule.live === false) return [];
    // What the trial leaves out it tells no default of.
    if (rule.tried === false) return now === '' ? [] : [{ name, value: undefined }];
    const value = spelling[name];
    return value === undefined || value === now ? [] : [{ name, value }];
  });
}

/** The lines of the file that differ and that `CONFIG GET` does not know: only a start reads them. */
export function directives(before: ReadonlyMap<string, readonly string[]>, parameters: Parameters, { values }: Answers): string[] {
  const after = parseConf(renderConf(parameters).reveal());
  return [...new Set([...before.keys(), ...after.keys()])].filter(
    (name) => values[name] === undefined && ruleOf(name).live !== false && before.get(name)?.join('\n') !== after.get(name)?.join('\n'),
  );
}

export function spellingOf(trial: Trial): Readonly<Record<string, string>> {
  return trial.state === 'taken' ? spelled(trial.said) : {};
}

/** Whether the lines of a parameter mean what Redis prints. */
export function means(name: string, lines: Lines, printed: string): boolean {
  const { compare = sameWords } = ruleOf(name);
  return compare(countingWords(name, lines), printed);
}

function countingWords(name: string, lines: Lines): string[] {
  return wordsOf(ruleOf(name).addsUp ? lines : lines.slice(-1));
}

export function wordsOf(lines: Lines): string[] {
  return lines.map(reveal).flatMap((line) => splitWords(line) ?? [line]);
}
