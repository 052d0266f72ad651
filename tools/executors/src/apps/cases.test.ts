import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { settings as appSettings, type baseSettings } from '../../../../test/app-settings.ts';
import { checkCase, type PlannerCase, unfed } from '../../../../test/cases.ts';
import { appService } from './service.ts';

const folder = join(import.meta.dirname, 'cases');
const files = readdirSync(folder).filter((file) => file.endsWith('.json'));

function read(file: string) {
  const given: PlannerCase & { base: keyof typeof baseSettings } = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  const settings = appSettings(given.base, given.settings as Record<string, unknown>);
  const context = { environment: 'dev', instance: 'notes-dev', clientNetworks: [], artifacts: {} };
  return { given, service: appService(settings), desired: { settings, context } };
}

// Each planner's decisions, one file a case; `base` names the kind of application, `settings` are merged over it.
it.each(files)('%s', (file) => {
  const { given, service, desired } = read(file);
  checkCase(service, given, desired);
});

it("has a case for each parser, with the tools' own answer", () => {
  expect(unfed(files.map(read))).toEqual([]);
});

it('has the cases that each stage must have', () => {
  for (const stage of ['packages', 'user', 'hardening', 'firewall', 'layout', 'units'])
    for (const kind of ['empty', 'no-op', 'drift'])
      expect(
        files.some((file) => file.startsWith(`${stage}-${kind}`)),
        `a case named ${stage}-${kind}*.json`,
      ).toBe(true);
});
