import { expect, it } from 'vitest';
import { MooringError } from '../engine/errors.ts';
import { redactor } from '../engine/redactor.ts';
import { Secret } from '../engine/secret.ts';
import type { AppsRolledBack } from '../verbs/rollback/app.ts';
import type { RollbackAnswer } from '../verbs/rollback/data.ts';
import type { RollbackPlan } from '../verbs/rollback/describe.ts';
import type { RollbackOptions } from '../verbs/rollback/options.ts';
import type { RolledBack } from '../verbs/rollback/perform.ts';
import { rollbackAppsReport, rollbackReport } from './rollback.ts';

const clean = redactor([new Secret('hunter2-hunter2')]);
const options = {} as RollbackOptions;
const container = { container: 'redis', instance: 'prod-redis', writtenSince: 1536, present: ['kept as tank/kept'], newer: [] };
const plan: RollbackPlan = { environment: 'prod', to: 'back to pre-deploy-aaaaaaaaaaaa', containers: [container], notes: [] };
const done: RolledBack = { container: 'redis', instance: 'prod-redis', downSeconds: 3, notes: ['healthy'], drifted: true };
const next = 'nx run-many -t configure -p redis -c prod';
const leftOut = ['left out by --without: host two'];

it.each<[RollbackAnswer, unknown, string]>([
  [{ state: 'nothing to do', done: ['one: it is there'], leftOut }, { done: ['one: it is there'] }, 'one: it is there'],
  [{ state: 'declined', leftOut }, { declined: true }, 'nothing was changed'],
  [{ state: 'planned', plan, leftOut }, plan, `${rollbackReport.preview?.(plan)}\ndry run: nothing was changed`],
  [
    { state: 'rolled back', plan, done: [done], next, leftOut },
    { ...plan, done: [done] },
    `prod: back to pre-deploy-aaaaaaaaaaaa: done\nredis: down for 3 s; healthy\nThe new state runs, with the settings of that time.\nnext: ${next}`,
  ],
])('tells $state, with the hosts that were left out below the text', (answer, json, text) => {
  expect(JSON.parse(rollbackReport.json(answer, clean).text)).toEqual(json);
  expect(rollbackReport.text(answer, options, clean)).toBe(`${text}\n${leftOut}`);
});

it('tells of an application that could not go back what it can, without secrets', () => {
  const apps: AppsRolledBack['apps'] = [{ project: 'notes', error: new MooringError('hunter2-hunter2 was refused') }];
  for (const given of [
    rollbackAppsReport.text({ dryRun: false, apps }, options, clean),
    rollbackAppsReport.json({ dryRun: false, apps }, clean),
  ])
    expect(clean.text(given)).toContain('(secret) was refused');
});
