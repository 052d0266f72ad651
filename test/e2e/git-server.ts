import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startSshd, type TestSshd } from '../contract/sshd.ts';
import { REPOSITORY, run } from './workspace.ts';

/** Bare repositories of applications, served over an sshd of their own that lets a deploy key read and nothing else. */
export type GitServer = {
  /** Private key that may read. */
  readonly deployKey: string;
  /** The server's host key, as in its .pub file. */
  readonly hostKey: string;
  /** Makes a repository of an application's sources, with one commit on `main`. */
  repository(application: string): Promise<GitRepository>;
  stop(): Promise<void>;
};

export type GitRepository = {
  readonly url: string;
  /** Writes files (nothing takes one away), commits and pushes. @returns the new commit */
  commit(message: string, files: Readonly<Record<string, string | undefined>>, branch?: string): Promise<string>;
  /** A file as it is now. */
  read(file: string): Promise<string>;
};

/** @param address of this machine, where guests reach it */
export async function startGitServer(address: string): Promise<GitServer> {
  const sshd: TestSshd = await startSshd(`ListenAddress ${address}`);
  const folder = await mkdtemp(join(tmpdir(), 'mooring-git-'));
  const publicKey = (await readFile(join(sshd.folder, 'id.pub'), 'utf8')).trim();
  const only = `restrict,command="git-shell -c \\"$SSH_ORIGINAL_COMMAND\\""`;
  await writeFile(join(sshd.folder, 'authorized'), `${only} ${publicKey}\n`);
  return {
    deployKey: await readFile(join(sshd.folder, 'id'), 'utf8'),
    hostKey: (await readFile(join(sshd.folder, 'host.pub'), 'utf8')).trim(),
    async repository(application) {
      const bare = join(folder, `${application}.git`);
      const work = join(folder, application);
      await run('git', ['init', '-q', '--bare', '-b', 'main', bare]);
      await run('git', ['clone', '-q', bare, work]);
      await cp(join(REPOSITORY, 'infra/apps', application, 'sample'), work, { recursive: true });
      const repository = repositoryAt(work, `ssh://root@${address}:${sshd.port}${bare}`);
      await repository.commit('first', {});
      return repository;
    },
    async stop() {
      await sshd.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function repositoryAt(work: string, url: string): GitRepository {
  const git = (...args: string[]) => run('git', ['-C', work, '-c', 'user.name=test', '-c', 'user.email=test@localhost', ...args]);
  return {
    url,
    async commit(message, files, branch = 'main') {
      await git('checkout', '-q', '-B', branch);
      for (const [file, text] of Object.entries(files)) {
        const path = join(work, file);
        await mkdir(dirname(path), { recursive: true });
        if (text === undefined) await rm(path);
        else await writeFile(path, text);
      }
      await git('add', '-A');
      await git('commit', '-q', '--allow-empty', '-m', message);
      await git('push', '-q', '--force', 'origin', branch);
      return (await git('rev-parse', 'HEAD')).trim();
    },
    read: (file) => readFile(join(work, file), 'utf8'),
  };
}
