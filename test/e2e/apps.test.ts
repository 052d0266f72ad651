import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AppsLab, makeAppsLab } from './apps-lab.ts';

/** The last number of the guest's address. */
const NOTES = 221;

describe('an application in a guest of its own', () => {
  let lab: AppsLab;
  beforeAll(async () => {
    lab = await makeAppsLab('appsone', [{ app: 'notes', guests: { appsone: NOTES } }]);
  });
  afterAll(() => lab?.remove());

  const get = async (port: number, path: string) => {
    const response = await fetch(`http://${lab.address(NOTES)}:${port}${path}`);
    return { status: response.status, text: await response.text() };
  };
  const deploy = (...flags: string[]) =>
    lab.workspace.nx(['run-many', '-t', 'deploy', `--configuration=${lab.workspace.environment}`, '--output-style=static', ...flags]);

  it('is provisioned, configured and deployed by one command', async () => {
    const { code, output } = await deploy('--accept-host-key');
    expect(output).toContain('host key of');
    expect({ code, output }).toMatchObject({ code: 0 });
    expect((await get(3001, '/health')).status).toBe(200);
    expect((await get(3000, '/')).status).toBe(200);
  });

  it('has nothing to change in a second run', async () => {
    const { code, output } = await deploy();
    expect(output).toContain('appsone: 0 changes');
    expect({ code, output }).toMatchObject({ code: 0 });
  });
});
