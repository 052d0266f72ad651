import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Application } from './application.ts';
import { converge, expectConverged, expectRefused } from './expectations.ts';
import { makeWorkspace } from './make-workspace.ts';
import { REPOSITORY, type Workspace } from './workspace.ts';

const ENVIRONMENT = 'e2e-input';
const MISTYPED = 'e2e-inptu';
const PASSWORD = 'the-password-of-e2e-input';

let workspace: Workspace;

beforeAll(async () => {
  workspace = await makeWorkspace({ environment: ENVIRONMENT, containers: ['redis'], secrets: { REDIS_PASSWORD: PASSWORD } });
});
afterAll(() => workspace.remove());

const running = ['redis'];

describe('environment mistyped: refused, whatever the form; spelled right, the same form converges', () => {
  it.each<[string, (environment: string) => string[]]>([
    ['run-many --configuration=x', (name) => ['run-many', '-t', 'configure', `--configuration=${name}`]],
    ['run-many -c x', (name) => ['run-many', '-t', 'configure', '-c', name]],
    ['run p:t -c x', (name) => ['run', 'redis:configure', '-c', name]],
    ['run p:t -c=x', (name) => ['run', 'redis:configure', `-c=${name}`]],
    ['run p:t --configuration x', (name) => ['run', 'redis:configure', '--configuration', name]],
    ['run p:t:x', (name) => ['run', `redis:configure:${name}`]],
    ['nx configure p -c x', (name) => ['configure', 'redis', '-c', name]],
    ['affected -c x', (name) => ['affected', '-t', 'configure', '-c', name, '--files=infra/redis/container.json']],
  ])('%s', async (_, form) => {
    // Before the first form there is no container at all: then nothing may be created.
    const exists = (await workspace.incus('list', '--format=csv')) !== '';
    await expectRefused(workspace, () => workspace.nx(form(MISTYPED)), {
      says: [
        `There is no environment "${MISTYPED}". Known environments: ${ENVIRONMENT}. Did you mean ${ENVIRONMENT}?`,
        `next:    --configuration=${ENVIRONMENT}`,
      ],
      containers: exists ? running : [],
    });
    expect(await expectConverged(workspace.nx(form(ENVIRONMENT)))).toContain('redis: configure: ');
  });
});

describe('environment: none given: refused', () => {
  it.each([
    ['run-many', ['run-many', '-t', 'configure']],
    ['run p:t', ['run', 'redis:configure']],
    ['nx configure p', ['configure', 'redis']],
  ])('%s', async (_, command) => {
    await expectRefused(workspace, () => workspace.nx(command), {
      says: [`configure: no environment given. Known environments: ${ENVIRONMENT}.`, 'next:    --configuration=<environment>'],
      containers: running,
    });
  });
});

describe('settings', () => {
  it('with an unknown field, a wrong type and the identifier `veza; drop`: refused, all told at once; fixed, it converges', async () => {
    const database = join(workspace.root, 'infra/postgres');
    await cp(join(REPOSITORY, 'infra/postgres'), database, { recursive: true });
    await workspace.edit('infra/postgres/container.json', (file) => Object.assign(file.settings as object, { database: 'veza; drop' }));
    await workspace.edit('infra/redis/container.json', (file) => Object.assign(file.settings as object, { maxmemry: '1gb', port: '6379' }));
    await expectRefused(workspace, () => workspace.configure('--allow-dirty'), {
      says: [
        'infra/redis/container.json: settings.maxmemry: unknown field; did you mean maxmemory?',
        'infra/redis/container.json: settings.port: found "6379" (string); expected ',
        'infra/postgres/container.json: settings.database: found "veza; drop" (string); expected ',
      ],
      containers: running,
    });
    await rm(database, { recursive: true });
    await cp(join(REPOSITORY, 'infra/redis'), join(workspace.root, 'infra/redis'), { recursive: true });
    expect(await converge(workspace)).toContain(`${ENVIRONMENT}: 0 changes`);
  });
});

describe('secret', () => {
  const own = `.secrets/${ENVIRONMENT}.env`;
  const restore = () => workspace.secrets({ REDIS_PASSWORD: PASSWORD });
  const refused = (says: string[]) => expectRefused(workspace, () => workspace.configure('--allow-dirty'), { says, containers: running });

  it('missing: refused, with the command that adds it; there again, it converges', async () => {
    await workspace.secrets({ OTHER: 'x' });
    await refused([
      `REDIS_PASSWORD is missing in ${own}, and MOORING_E2E_INPUT_REDIS_PASSWORD is not set`,
      `printf '\\nREDIS_PASSWORD=%s\\n'`,
    ]);
    await restore();
    expect(await converge(workspace)).toContain(`${ENVIRONMENT}: 0 changes`);
  });

  it('empty: refused; with its value, it converges', async () => {
    await workspace.secrets({ REDIS_PASSWORD: '' });
    await refused([`REDIS_PASSWORD is empty in ${own}`, `next:    write its value behind REDIS_PASSWORD= in ${own}`]);
    await restore();
    expect(await converge(workspace)).toContain(`${ENVIRONMENT}: 0 changes`);
  });

  it("key only in local's file with `-c staging` (here: -c e2e-input): refused, it never serves another; in its own, it converges", async () => {
    await cp(join(workspace.root, own), join(workspace.root, '.secrets/local.env'));
    await workspace.secrets({ OTHER: 'x' });
    const output = await refused([
      `REDIS_PASSWORD is missing in ${own}`,
      ".secrets/local.env has it, but one environment's secret never serves another",
      `or write the value that it has already into ${own}`,
    ]);
    expect(output).not.toContain(PASSWORD);
    await restore();
    await rm(join(workspace.root, '.secrets/local.env'));
    expect(await converge(workspace)).toContain(`${ENVIRONMENT}: 0 changes`);
  });
});

describe('works as Redis password, and the one before it does not any more:', () => {
  let before = PASSWORD;

  it.each([
    ['secret with quotes', `it's "quoted" \`so\` \\ and 'so'`],
    ['secret with a newline', 'first line\nsecond line'],
    ['secret with $() and a semicolon', '$(touch /tmp/mooring-pwned); reboot'],
    ['secret with $HOME', '$HOME/${HOME}'],
    ['secret of 500 characters', 'x7Kq-'.repeat(100)],
    ['secret with non-ASCII letters', 'pässwörd-Пароль-密码-🔑'],
  ])('%s', async (_, value) => {
    const application = new Application(workspace, ['redis']);
    await workspace.secrets({ REDIS_PASSWORD: value });
    const output = await converge(workspace);
    expect(output).toContain('healthy');
    for (const line of value.split('\n')) expect(output).not.toContain(line);
    expect(await application.attempt({ REDIS_PASSWORD: value })).toEqual({ redis: 'let in' });
    expect((await application.attempt({ REDIS_PASSWORD: before })).redis).toContain('WRONGPASS');
    before = value;
  });

  it('and the second run does nothing', async () => {
    expect(await converge(workspace)).toContain(`${ENVIRONMENT}: 0 changes; 3 round trips`);
    expect(await workspace.guest('redis', 'ls /tmp')).not.toContain('pwned');
  });
});
