import { describe, expect, it } from 'vitest';
import { type Change, leaving } from '../engine/change.ts';
import { read } from '../engine/command.ts';
import { defineService, defineStage } from '../engine/service.ts';
import { leavingChanges, leavingWarnings, refuseLeaving, refuseUnknownLeft } from './leave-behind.ts';

const harmless: Change = { resource: 'policy', action: 'update', ...leaving([]), because: 'another bucket', commands: [] };
const change: Change = {
  ...harmless,
  ...leaving([{ kind: 'bucket', name: 'veza-old', loss: 'its objects stay, and the application loses its access to them' }]),
};
const other: Change = { ...change, resource: 'vhost', ...leaving([{ kind: 'vhost', name: '/old', loss: 'its messages stay' }]) };

describe('what would be left behind', () => {
  it('is refused, each by its name, unless the flag names it', () => {
    expect(() => refuseLeaving('minio', [change], [])).toThrow(
      'minio: bucket veza-old would be left behind: its objects stay, and the application loses its access to them',
    );
    expect(() => refuseLeaving('minio', [change], ['minio:bucket:veza-old'])).not.toThrow();
    expect(() => refuseLeaving('files', [change], ['minio:bucket:veza-old'])).toThrow('files: bucket veza-old');
    expect(() => refuseLeaving('minio', [change], ['minio:bucket:veza'])).toThrow('bucket veza-old');
  });

  it('says what to type, with what is named already', () => {
    expect(() => refuseLeaving('x', [change, other], ['x:bucket:veza-old'])).toThrow(
      expect.objectContaining({
        detail: expect.objectContaining({ next: expect.stringMatching(/: --leave-behind=x:bucket:veza-old,x:vhost:\/old$/) }),
      }),
    );
  });

  it('is a warning of the plan, which names the flag until it is given', () => {
    expect(leavingWarnings('minio', change, [])).toEqual([
      'bucket veza-old would be left behind: its objects stay, and the application loses its access to them; configure does it only with --leave-behind=minio:bucket:veza-old',
    ]);
    expect(leavingWarnings('minio', change, ['minio:bucket:veza-old'])[0]).not.toContain('--leave-behind');
    expect(leavingWarnings('minio', harmless, [])).toEqual([]);
  });

  it('is found in stages that another one has to go before, as far as their answers tell', () => {
    const stage = (name: string, plan: () => Change[]) =>
      defineStage<unknown, { a: string }>({ name, facts: () => ({ a: { name, command: read(['true']), parse: () => '' } }), plan });
    const service = defineService({
      stages: [
        stage('config', () => [harmless]),
        stage('objects', () => [change]),
        stage('later', () => {
          throw new Error('not known yet');
        }),
      ],
    } as never);
    const results = [{ command: read(['true']), code: 0, stdout: '', stderr: '' }];
    const stages = service.stages.map((one) => ({ facts: one.facts({} as never), results }));
    expect(leavingChanges(service, {} as never, { stages, probe: {} as never })).toEqual([change]);
  });

  it('belongs to a container of the environment', () => {
    expect(() => refuseUnknownLeft(['minoi:bucket:veza-old'], 'prod', ['minio'])).toThrow(
      '--leave-behind=minoi:bucket:veza-old: prod has no such container',
    );
    expect(() => refuseUnknownLeft(['minio:bucket:veza-old'], 'prod', ['minio'])).not.toThrow();
  });
});
