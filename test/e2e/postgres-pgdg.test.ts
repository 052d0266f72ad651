import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Application } from './application.ts';
import { type AptRepository, MARK, makeAptRepository } from './apt-repository.ts';
import { converge, expectConverged } from './expectations.ts';
import { makeWorkspace } from './make-workspace.ts';
import { seenFromOutside } from './outside.ts';
import type { Workspace } from './workspace.ts';

/** PostgreSQL from a signed apt repository that is not Debian's, as PGDG is one: the key is pinned by its fingerprint. */

const ENVIRONMENT = 'e2e-pgdg';
const PASSWORD = 'the-password-of-e2e-pgdg';
const OTHER_FINGERPRINT = '0123456789ABCDEF0123456789ABCDEF01234567';

let workspace: Workspace;
let repository: AptRepository;

beforeAll(async () => {
  workspace = await makeWorkspace({
    environment: ENVIRONMENT,
    containers: ['postgres'],
    secrets: { POSTGRES_PASSWORD: PASSWORD },
    over: { containers: {} },
  });
  const { incus, network } = JSON.parse(await readFile(join(workspace.root, workspace.environmentFile), 'utf8'));
  repository = await makeAptRepository(workspace, incus.image, network);
});
afterAll(async () => {
  await repository?.close();
  await workspace?.remove();
});

/** Settings that take the server from the test's repository. */
async function takeFrom(suite: string, fingerprint: string, url = repository.url): Promise<void> {
  const { major } = repository;
  await workspace.edit('infra/postgres/container.json', (content) => {
    Object.assign(content.settings as object, { version: major, apt: { url, suite, keyUrl: `${url}/good.asc`, fingerprint } });
  });
}

/** What came of apt's sources, keys and packages. */
function installed(): Promise<string> {
  return workspace.guest(
    'postgres',
    `for folder in /etc/apt/sources.list.d /etc/apt/keyrings; do if [ -e "$folder" ]; then ls "$folder"; fi; done
packages=$(dpkg-query -W -f '\${Package} \${Version}\\n')
sed -n /^postgresql/p <<<"$packages"`,
  );
}

it('a repository that cannot be reached from the host is a warning before a container is there', async () => {
  await takeFrom('good', repository.fingerprint, 'http://127.0.0.1:9');
  const { code, output } = await workspace.configure('--dry-run', '--allow-dirty');
  expect(code, output).toBe(0);
  expect(output).toContain('WARNING: postgres: the apt repository http://127.0.0.1:9 cannot be reached from local, and');
  expect(output).toContain('WARNING: postgres: the key of the apt repository http://127.0.0.1:9/good.asc cannot be reached');
});

it('a key whose fingerprint is not the pinned one is refused: no key, no source, no package', async () => {
  await takeFrom('good', OTHER_FINGERPRINT);
  const { code, output } = await workspace.configure('--allow-dirty');
  expect(code, output).toBe(1);
  expect(output).toContain(`has the fingerprint ${repository.fingerprint}; pinned is ${OTHER_FINGERPRINT}`);
  expect(output).toMatch(/^ *next: {4}\S/m);
  expect(await installed()).not.toMatch(/mooring|^postgresql/m);
});

it('a repository that cannot be reached from the container is an error before anything is touched', async () => {
  await takeFrom('good', repository.fingerprint, 'http://127.0.0.1:9');
  const { code, output } = await workspace.configure('--allow-dirty');
  expect(code, output).toBe(1);
  expect(output).toContain(`the apt repository http://127.0.0.1:9 cannot be reached from ${ENVIRONMENT}-postgres`);
  expect(output).toContain('nothing was touched');
});

it('a repository that is signed by another key than the pinned one is refused: no source, no package', async () => {
  await takeFrom('forged', repository.fingerprint);
  const { code, output } = await workspace.configure('--allow-dirty');
  expect(code, output).toBe(1);
  expect(output).toMatch(/forged.*(not signed|signature)/i);
  expect(output).toMatch(/^ *next: {4}\S/m);
  expect(await installed()).not.toMatch(/\.sources$|^postgresql/m);
});

it('with the pinned key it converges, with the repository’s package, and a second run does nothing', async () => {
  await takeFrom('good', repository.fingerprint);
  await converge(workspace);
  expect(await installed()).toMatch(new RegExp(`^postgresql-${repository.major} \\S+\\${MARK}$`, 'm'));
  const application = new Application(workspace, ['postgres']);
  await application.write({ POSTGRES_PASSWORD: PASSWORD }, 'word');
  const before = await seenFromOutside(workspace, ['postgres']);
  expect(await expectConverged(workspace.configure('--allow-dirty'))).toContain('0 changes; 3 round trips');
  expect(await seenFromOutside(workspace, ['postgres'])).toEqual(before);
});
