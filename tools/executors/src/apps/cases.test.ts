import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { settings as appSettings, type baseSettings } from '../../../../test/app-settings.ts';
import { checkCase, type PlannerCase } from '../../../../test/cases.ts';
import { appService } from './service.ts';

const folder = join(import.meta.dirname, 'cases');
const files = readdirSync(folder).filter((file) => file.endsWith('.json'));

// Each planner's decisions, one file a case; `base` names the kind of application, `settings` are merged over it.
it.each(files)('%s', (file) => {
  const given: PlannerCase & { base: keyof typeof baseSettings } = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  const settings = appSettings(given.base, given.settings as Record<string, unknown>);
  const context = { environment: 'dev', instance: 'notes-dev', clientNetworks: [], artifacts: {} };
  checkCase(appService(settings), given, { settings, context });
});

it('has the cases that each stage must have', () => {
  for (const stage of ['packages', 'user', 'hardening', 'firewall', 'layout', 'units'])
    for (const kind of ['empty', 'no-op', 'drift'])
      expect(
        files.some((file) => file.startsWith(`${stage}-${kind}`)),
        `a case named ${stage}-${kind}*.json`,
      ).toBe(true);
});
