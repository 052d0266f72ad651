import { createReadStream, readFileSync } from 'node:fs';
import { copyFile, cp, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { obtain } from '../../tools/executors/src/artifacts/store.ts';
import minio from '../../tools/executors/src/services/minio/service.ts';
import { freePort, knownLine, startSshd, type TestSshd } from '../contract/sshd.ts';
import { converge, expectRefused } from './expectations.ts';
import { makeWorkspace } from './make-workspace.ts';
import { REPOSITORY, run, type Workspace } from './workspace.ts';

const ENVIRONMENT = 'e2e-host';
const NOTHING = `${ENVIRONMENT}: 0 changes; 3 round trips`;

let workspace: Workspace;

beforeAll(async () => {
  workspace = await makeWorkspace({ environment: ENVIRONMENT, containers: ['redis'] });
});
afterAll(() => workspace.remove());

type EnvironmentFile = { incus: { image: string; profiles: string[]; project: string }; network: string; host: string; sshConfig?: string };

/** Changes the environment file until the returned function is called. */
async function changed(change: (file: EnvironmentFile) => void): Promise<() => Promise<void>> {
  let before: Record<string, unknown> = {};
  await workspace.edit(workspace.environmentFile, (file) => {
    before = structuredClone(file);
    change(file as EnvironmentFile);
  });
  return () =>
    workspace.edit(workspace.environmentFile, (file) => {
      for (const key of Object.keys(file)) delete file[key];
      Object.assign(file, before);
    });
}

describe('missing on the host: refused before anything is created; named right, it converges', () => {
  it.each<[string, (file: EnvironmentFile) => void, string[]]>([
    [
      'image',
      ({ incus }) => (incus.image = 'no-such-image'),
      ['there is no image no-such-image in', 'incus image list --project e2e-host'],
    ],
    [
      'profile',
      ({ incus }) => incus.profiles.push('veza-dta'),
      ['there is no profile veza-dta in', 'incus profile create veza-dta --project e2e-host'],
    ],
    [
      'project',
      ({ incus }) => (incus.project = 'e2e-hots'),
      ['there is no Incus project e2e-hots (known: ', 'incus project create e2e-hots'],
    ],
    ['network', (file) => (file.network = 'veza-net9'), ['there is no network veza-net9', 'incus network list']],
  ])('%s missing', async (_, change, says) => {
    const exists = (await workspace.incus('list', '--format=csv')) !== '';
    const restore = await changed(change);
    try {
      await expectRefused(workspace, () => workspace.configure('--allow-dirty'), {
        says: [...says, `in infra/environments/${ENVIRONMENT}.json`],
        containers: exists ? ['redis'] : [],
      });
    } finally {
      await restore();
    }
    expect(await converge(workspace)).toContain(exists ? NOTHING : 'redis: provision: 1 change');
  });
});

describe('over SSH', () => {
  /** Every program of this machine but incus. */
  let programs: string;
  let sshd: TestSshd;
  let right: string;
  let restore: () => Promise<void>;

  beforeAll(async () => {
    programs = join(workspace.root, '.lab/programs');
    await mkdir(programs, { recursive: true });
    const names = (await readdir('/usr/bin')).filter((name) => name !== 'incus');
    await Promise.all(names.map((name) => symlink(join('/usr/bin', name), join(programs, name))));
    sshd = await startSshd(`ForceCommand env PATH=${programs} sh -c "$SSH_ORIGINAL_COMMAND"`);
    right = readFileSync(sshd.knownHosts, 'utf8');
    await copyFile(sshd.config, join(workspace.root, '.lab/ssh_config'));
    restore = await changed((file) => Object.assign(file, { host: 'contract', sshConfig: '.lab/ssh_config' }));
  });
  afterAll(async () => {
    await restore();
    await sshd.stop();
  });

  const refused = (...says: (string | RegExp)[]) =>
    expectRefused(workspace, () => workspace.configure('--allow-dirty'), { says, containers: ['redis'] });

  it('no incus: refused, and its package is named; with incus there, it converges', async () => {
    await refused(
      'no incus on this host',
      'where:   host contract',
      'stderr:  env: ',
      'next:    install Incus on the host (Debian: apt-get install incus)',
    );
    await symlink('/usr/bin/incus', join(programs, 'incus'));
    expect(await converge(workspace)).toContain(NOTHING);
  });

  it('host unreachable: refused; reachable again, it converges', async () => {
    const config = join(workspace.root, '.lab/ssh_config');
    const port = await freePort();
    await writeFile(config, readFileSync(sshd.config, 'utf8').replace(`Port ${sshd.port}`, `Port ${port}`));
    await refused(`contract (127.0.0.1:${port}) refuses the connection`, 'next:    is sshd running there').finally(() =>
      copyFile(sshd.config, config),
    );
    expect(await converge(workspace)).toContain(NOTHING);
  });

  it('unknown host key: refused, with the command that adds it; once it is added, it converges', async () => {
    await writeFile(sshd.knownHosts, '');
    const output = await refused(
      /the host key of contract .* is unknown: it offers ssh-ed25519 SHA256:/,
      'next:    compare the fingerprint',
      `ssh-keyscan -t ed25519 -p ${sshd.port} 127.0.0.1 >> '${sshd.knownHosts}'`,
    );
    await run('sh', ['-euc', /, then: (ssh-keyscan .*)$/m.exec(output)?.[1] as string]);
    expect(await converge(workspace)).toContain(NOTHING);
  });

  it('changed host key: refused, with file and line; with the right one, it converges', async () => {
    await writeFile(sshd.knownHosts, knownLine(sshd.port, join(sshd.folder, 'other.pub')));
    await refused(
      /the host key of contract .* has changed: /,
      `${sshd.knownHosts}:1 has ssh-ed25519`,
      'next:    find out why',
      `ssh-keygen -R '[127.0.0.1]:${sshd.port}'`,
    ).finally(() => writeFile(sshd.knownHosts, right));
    expect(await converge(workspace)).toContain(NOTHING);
  });
});

describe('from a URL', () => {
  it('wrong sha256 of MinIO: refused before anything is created; with the right one, it converges', async () => {
    const built = await artifact();
    const server = createServer((request, response) => {
      if (request.method === 'HEAD') response.end();
      else createReadStream(built.path).pipe(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/minio`;
    const wrong = built.sha256.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
    const ask = (sha256: string) =>
      workspace.edit('infra/minio/container.json', (file) => Object.assign(file.settings as object, { binary: { url, sha256 } }));
    try {
      await ask(wrong);
      await expectRefused(workspace, () => workspace.configure('--allow-dirty'), {
        says: [
          `${url} is not what the settings ask for: its sha256 is ${built.sha256}, the settings say ${wrong}`,
          'next:    compare both with the sha256 its publisher names',
        ],
        containers: ['redis'],
      });
      await ask(built.sha256);
      expect(await converge(workspace)).toContain('minio: configure: ');
      expect(await workspace.guest('minio', 'sha256sum /usr/local/bin/minio')).toContain(built.sha256);
    } finally {
      server.close();
    }
    // What is in place is needed neither from the store nor from the server.
    await rm(join(workspace.root, '.mooring'), { recursive: true });
    expect(await converge(workspace)).toContain(NOTHING);
  });

  /** The binary of the pinned release, as the store has it. */
  async function artifact(): Promise<{ path: string; sha256: string }> {
    await cp(join(REPOSITORY, 'infra/minio'), join(workspace.root, 'infra/minio'), { recursive: true });
    const { settings } = JSON.parse(readFileSync(join(workspace.root, 'infra/minio/container.json'), 'utf8')) as { settings: object };
    const spec = minio.artifacts?.(minio.settings.parse({ ...settings, bucket: 'any' })).minio;
    if (spec === undefined) throw new Error('the service minio has no artifact of that name');
    const { path, sha256 } = await obtain(spec, { root: REPOSITORY });
    // A store of its own, or the binary would not be downloaded at all.
    const store = join(workspace.root, '.mooring');
    await rm(store);
    await mkdir(store);
    return { path, sha256 };
  }
});
