import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseCommandLine } from '../../tools/executors/src/plugin/command-line.ts';
import { guard } from '../../tools/executors/src/plugin/guard.ts';
import { inferProjects } from '../../tools/executors/src/plugin/infer.ts';
import { hostTargets } from '../../tools/executors/src/plugin/targets.ts';
import { executorSchemas } from '../../tools/executors/src/schemas.ts';
import { DEFAULT_INFRA, environmentName, findFiles } from '../../tools/executors/src/workspace/files.ts';
import { REPOSITORY } from '../e2e/workspace.ts';

const FOLDER = join(REPOSITORY, 'docs/ci');
const files = findFiles(REPOSITORY, DEFAULT_INFRA);
const environments = files.environments.map(environmentName);
const nodes = await inferProjects(Object.values(files).flat(), undefined, { workspaceRoot: REPOSITORY, nxJsonConfiguration: {} });
const projects = nodes.flatMap(([, { projects: found = {} }]) => Object.values(found));
const schemas = executorSchemas() as Record<string, { properties: Record<string, unknown> }>;

/** Every text of a YAML file that a shell runs: all texts, as keys differ from product to product. */
function texts(node: unknown): string[] {
  if (typeof node === 'string') return [node];
  return typeof node === 'object' && node !== null ? Object.values(node).flatMap(texts) : [];
}

/** The words after `nx` of each nx command in a script. */
function nxCommands(script: string): string[][] {
  return [...script.matchAll(/\bnpx nx ([^|)\n;&]+)/g)].map(([, words = '']) => words.trim().split(/\s+/));
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** What an executor takes on the command line. */
function flagsOf(executor: string): string[] {
  const schema = schemas[`src/executors/${executor.replace('nx-mooring:', '')}/schema.json`];
  expect(schema, executor).toBeDefined();
  return Object.keys(schema?.properties ?? {}).map(kebab);
}

describe.each(readdirSync(FOLDER).filter((file) => file.endsWith('.yml')))('docs/ci/%s', (file) => {
  const content = parse(readFileSync(join(FOLDER, file), 'utf8'), { strict: true, uniqueKeys: true });
  const commands = texts(content).flatMap(nxCommands);

  it('runs nx, and only with targets, environments and flags that there are', () => {
    expect(commands).not.toEqual([]);
    for (const words of commands) {
      const command = parseCommandLine(words);
      if (command === undefined) throw new Error(`runs no target: nx ${words.join(' ')}`);
      const names = () => projects.map(({ name = '' }) => name);
      guard(command, {
        environments,
        projects: names,
        hostTargets: hostTargets({ apps: true }),
        allTargets: () => new Set(),
        keepsGraph: true,
        isProject: () => true,
        unreadable: () => undefined,
      });
      for (const target of command.targets) {
        const having = projects.filter(
          ({ name = '', targets }) => targets?.[target] && (command.projects.length === 0 || command.projects.includes(name)),
        );
        expect(having, words.join(' ')).not.toEqual([]);
        const taken = having.map(({ targets }) => flagsOf(targets?.[target]?.executor ?? ''));
        for (const flag of command.flags.map((one) => one.replace(/=.*/, ''))) for (const flags of taken) expect(flags).toContain(flag);
      }
    }
  });

  it('has the whole history, for nx affected and for the release that is the base', () => {
    expect(readFileSync(join(FOLDER, file), 'utf8')).toMatch(/fetch-depth: 0|GIT_DEPTH: '0'/);
  });
});

it('the recipes deploy, plan and look for drift', () => {
  const all = readdirSync(FOLDER).flatMap((file) => texts(parse(readFileSync(join(FOLDER, file), 'utf8'))).flatMap(nxCommands));
  const lines = all.map((words) => words.join(' '));
  for (const part of [
    '-t plan -c staging --base',
    '--markdown --out=plan.md',
    '--fail-on-changes',
    '-t configure -c prod',
    'zfs:status -c staging --completed-release',
  ])
    expect(lines.filter((line) => line.includes(part)).length, part).toBeGreaterThanOrEqual(2);
});
