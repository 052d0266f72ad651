import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { showError } from '../../tools/executors/src/engine/errors.ts';
import type { GuestFlags, ProvisionPlan } from '../../tools/executors/src/engine/guest-platform.ts';
import { showChange } from '../../tools/executors/src/engine/show-change.ts';
import { readGuest } from '../../tools/executors/src/platforms/proxmox/config.ts';
import { type AppInvocation, openAppRun } from '../../tools/executors/src/shared/app/run.ts';
import { worldOf } from '../../tools/executors/src/world/index.ts';
import { KEY, pote } from '../app-files.ts';
import { TEMPLATE } from './double/state.ts';
import { type Running, running, TOKEN_ID, TOKEN_SECRET } from './testing.ts';

/* Provisioning against the double, its guests in memory: everything but the way into the guest. Documentation addresses: nobody has them. */

/** Address of the guest that is to be made. */
export const IP = '203.0.113.10';
/** Its number. */
export const VMID = 201;
/** Whose key lets in to the guest. */
const NO_FLAGS = { allowRestart: false, allowIpConflicts: false };

type Given = { guest?: Record<string, unknown>; proxmox?: Record<string, unknown>; adopt?: string[] };

/** A run on a workspace with one application, until the test's end. */
export async function runOf(double: Running, given: Given = {}, told: string[] = []): Promise<AppInvocation> {
  const root = mkdtempSync(join(tmpdir(), 'mooring-provision-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const put = (file: string, content: unknown, mode = 0o644) => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), typeof content === 'string' ? content : JSON.stringify(content), { mode });
  };
  const { url, fingerprint } = double.connection;
  put('nx.json', {});
  put('.secrets/dev.env', `TOKEN=${TOKEN_SECRET}\nKEY=key\n`, 0o600);
  put('infra/environments/dev.json', {
    proxmox: {
      ...{ url, fingerprint, tokenId: TOKEN_ID, tokenSecret: { secret: 'TOKEN' }, authorizedKeys: [KEY] },
      ...{ template: `local:vztmpl/${TEMPLATE}`, ...given.proxmox },
    },
  });
  put('infra/apps/pote/app.json', {
    ...pote,
    deployKey: { secret: 'KEY' },
    environments: { dev: { name: 'pote-dev', vmid: VMID, ip: `${IP}/24`, gateway: '203.0.113.1', branch: 'main', ...given.guest } },
  });
  execFileSync('git', ['init', '-q', root]);
  const signal = new AbortController().signal;
  const request = {
    root,
    world: worldOf(root),
    environment: 'dev',
    runId: 'test',
    signal,
    print: (line: string) => void told.push(line),
    projects: ['pote'],
  };
  const run = await openAppRun({ ...request, adopt: given.adopt ?? [] });
  onTestFinished(() => run.close());
  return run;
}

/** A double, until the test's end. */
export async function doubleOf(given: Parameters<typeof running>[0] = {}): Promise<Running> {
  const double = await running(given);
  onTestFinished(() => double.close());
  return double;
}

/** What is to be done to the run's one guest. */
export async function plan(run: AppInvocation, flags: Partial<GuestFlags> = {}): Promise<ProvisionPlan> {
  const [target] = run.targets;
  if (target === undefined) return expect.fail();
  return run.platform.plan(target, { ...NO_FLAGS, adopt: run.adopts(target), ...flags });
}

/** Why a plan cannot be done, as it is told. */
export const problems = ({ problems: all }: ProvisionPlan) => all.map(showError).join('\n');

/** Does what is planned, in which nothing is wrong. @returns what was planned, and the guest as it is then */
export async function provision(double: Running, run: AppInvocation, flags: Partial<GuestFlags> = {}) {
  const made = await plan(run, flags);
  expect(problems(made)).toBe('');
  const { drift } = await made.apply();
  expect(drift()).toEqual([]);
  const guest = (await readGuest(double.client, { node: 'pve', vmid: VMID })) ?? expect.fail();
  return { changes: made.changes.map(showChange), guest };
}
