import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { caseSettings, checkCase, type PlannerCase, unfed } from '../../../../test/cases.ts';
import { services } from './index.ts';

const here = import.meta.dirname;

// Each planner's decisions, one file a case.
describe.each(Object.keys(services))('%s', async (name) => {
  const service = await services[name]?.();
  const files = readdirSync(join(here, name, 'cases')).filter((file) => file.endsWith('.json'));

  const read = (file: string) => {
    if (service === undefined) throw new Error(`no service ${name}`);
    const given: PlannerCase = JSON.parse(readFileSync(join(here, name, 'cases', file), 'utf8'));
    const settings = service.settings.parse(caseSettings(given.settings));
    const context = {
      environment: 'local',
      instance: `veza-local-${name}`,
      clientNetworks: ['10.77.0.0/24'],
      artifacts: service.artifacts?.(settings) ?? {},
      ...given.context,
    };
    return { given, service, desired: { settings, context } };
  };

  it.each(files)('%s', (file) => {
    const { given, service, desired } = read(file);
    checkCase(service, given, desired);
  });

  it("has a case for each parser, with the tools' own answer", () => {
    expect(unfed(files.map(read))).toEqual([]);
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
