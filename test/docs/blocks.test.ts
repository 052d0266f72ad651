import { spawnSync } from 'node:child_process';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { services } from '../../tools/executors/src/services/index.ts';
import { appSchema } from '../../tools/executors/src/workspace/app.ts';
import { containerSchema } from '../../tools/executors/src/workspace/container.ts';
import { appEnvironmentSchema, environmentSchema } from '../../tools/executors/src/workspace/environment.ts';
import { storageSchema } from '../../tools/executors/src/workspace/storage.ts';
import { documents } from './documents.ts';

/** The blocks of some languages, each with where it stands. */
function blocksOf(...languages: string[]): [string, string][] {
  return documents.flatMap(({ file, blocks }) =>
    blocks.filter(({ language }) => languages.includes(language)).map(({ text, line }): [string, string] => [`${file}:${line}`, text]),
  );
}

describe('shell', () => {
  it.each(blocksOf('sh', 'bash'))('%s', (_, text) => {
    // <sha> is what the reader fills in, and would be a redirection.
    const { status, stderr } = spawnSync('bash', ['-n'], { input: text.replaceAll(/<[\w -]+>/g, 'x'), encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

describe('TypeScript', () => {
  it.each(blocksOf('ts', 'js'))('%s', (_, text) => {
    const { diagnostics } = ts.transpileModule(text, { reportDiagnostics: true, compilerOptions: { target: ts.ScriptTarget.ESNext } });
    expect(diagnostics?.map(({ messageText }) => messageText)).toEqual([]);
  });
});

const FILES = [environmentSchema, appEnvironmentSchema, containerSchema, storageSchema, appSchema];

/** A field that a file of npm or nx has, and none of ours. */
const OTHERS = ['scripts', 'dependencies', 'devDependencies', 'plugins', 'targets', 'targetDefaults', 'namedInputs'];

/**
 * What is wrong with some fields, or a whole file, of those that the plugin reads; nothing when one of its schemas takes them. JSON
 * that has no field of ours, or one of {@link OTHERS}, is of another tool.
 */
async function problemsOf(value: Record<string, unknown>, whole: boolean): Promise<string[]> {
  const ours = FILES.map((schema) => ({ schema, fields: Object.keys(value).filter((key) => key in schema.shape).length }));
  const most = Math.max(...ours.map(({ fields }) => fields));
  if (most === 0 || OTHERS.some((field) => field in value)) return [];
  const candidates = ours.filter(({ fields }) => fields === most).map(({ schema }) => schema);
  const results = candidates.map((schema) => wrong(whole ? schema : z.strictObject(schema.shape).partial(), value));
  if (results.every((problems) => problems.length > 0)) return results.flat();
  const service = whole && 'service' in value ? await services[String(value.service)]?.() : undefined;
  return service === undefined ? [] : wrong(service.settings, value.settings);
}

/** What a schema does not take, but for values that the document leaves out (`…`). */
function wrong(schema: z.ZodType, value: unknown): string[] {
  const at = (path: readonly PropertyKey[]) => path.reduce<unknown>((outer, key) => (outer as Record<PropertyKey, unknown>)?.[key], value);
  return (schema.safeParse(value).error?.issues ?? [])
    .filter(({ path }) => !String(at(path)).includes('…'))
    .map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('JSON: settings are valid by the schemas that read them', () => {
  it.each(blocksOf('json'))('%s', async (_, text) => {
    const whole = text.trimStart().startsWith('{');
    expect(await problemsOf(JSON.parse(whole ? text : `{${text}}`), whole)).toEqual([]);
  });
});
