import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Change } from '../engine/change.ts';
import { Secret } from '../engine/secret.ts';
import { resolveReferences } from '../secrets/reference.ts';
import { services } from './index.ts';

type Case = {
  stage: string;
  settings: unknown;
  context?: object;
  facts: unknown;
  changes?: Partial<Change>[];
  commands?: unknown[];
  refuses?: string;
};

const here = import.meta.dirname;

// Each planner's decisions, one file a case: {stage, settings, facts} in, {changes, commands} or {refuses} out.
describe.each(Object.keys(services))('%s', async (name) => {
  const service = await services[name]?.();
  const files = readdirSync(join(here, name, 'cases')).filter((file) => file.endsWith('.json'));

  it.each(files)('%s', (file) => {
    if (service === undefined) throw new Error(`no service ${name}`);
    const given: Case = JSON.parse(readFileSync(join(here, name, 'cases', file), 'utf8'));
    const stage = service.stages.find((candidate) => candidate.name === given.stage);
    if (stage === undefined) throw new Error(`${file}: no stage ${given.stage}`);
    const settings = service.settings.parse(resolveReferences(given.settings, (secret) => new Secret(`value-of-${secret}`)));
    const context = {
      environment: 'local',
      instance: `veza-local-${name}`,
      clientNetworks: ['10.77.0.0/24'],
      artifacts: service.artifacts?.(settings) ?? {},
      ...given.context,
    };
    const plan = () => stage.plan(structuredClone(given.facts), { settings, context });
    if (given.refuses !== undefined) {
      expect(plan).toThrow(given.refuses);
      return;
    }
    const changes = plan();
    expect(changes.map(({ commands: _, because: __, ...change }) => JSON.parse(JSON.stringify(change)))).toEqual(given.changes);
    const commands = changes.flatMap((change) => change.commands).map((command) => ('argv' in command ? command.argv : command));
    if (given.commands !== undefined) expect(commands).toEqual(given.commands);
    const visible = JSON.stringify([changes, commands]);
    expect(visible).not.toContain('value-of-');
    expect(visible).not.toContain(Buffer.from('value-of-').toString('base64').slice(0, -1));
    for (const change of changes) expect(change.because, `${change.resource} gives its reason`).toMatch(/\w/);
  });

  it('has the cases that every service must have', () => {
    for (const kind of ['empty', 'no-op', 'drift', 'dangerous', 'secret']) {
      expect(
        files.some((file) => file.includes(kind)),
        `a case named *${kind}*.json`,
      ).toBe(true);
    }
  });
});
