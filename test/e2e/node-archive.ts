import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { REPOSITORY, run } from './workspace.ts';

/** An archive of Node as nodejs.org has them, made from this repository's own Node and this machine's npm. */
export type NodeArchive = { readonly path: string; readonly sha256: string; readonly version: string; remove(): Promise<void> };

export async function makeNodeArchive(): Promise<NodeArchive> {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-node-'));
  const root = join(folder, 'node');
  const node = join(REPOSITORY, 'node_modules/.bin/node');
  await mkdir(join(root, 'bin'), { recursive: true });
  await mkdir(join(root, 'lib/node_modules'), { recursive: true });
  await cp(node, join(root, 'bin/node'), { dereference: true });
  // Not `npm root -g`: that is a folder beside the first node on PATH, which may be another's.
  const cli = (await run('npm', ['exec', '-c', 'echo $npm_execpath'])).trim();
  await cp(dirname(dirname(cli)), join(root, 'lib/node_modules/npm'), { recursive: true, dereference: true });
  for (const name of ['npm', 'npx']) await symlink(`../lib/node_modules/npm/bin/${name}-cli.js`, join(root, 'bin', name));
  const path = join(folder, 'node.tar');
  await run('tar', ['-C', dirname(root), '-cf', path, 'node']);
  const sha256 = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  const version = (await run(node, ['-p', 'process.versions.node'])).trim();
  return { path, sha256, version, remove: () => rm(folder, { recursive: true }) };
}

/** That archive as a server on loopback has it, in the words of app.json's `node`: Debian's npm is 400 packages, and takes a minute to unpack. */
export type ServedNode = {
  readonly settings: { version: number; archive: { url: string; sha256: string; version: string } };
  stop(): Promise<void>;
};

export async function serveNode(): Promise<ServedNode> {
  const { path, sha256, version, remove } = await makeNodeArchive();
  const server = createServer((_, response) => createReadStream(path).pipe(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/node.tar`;
  return {
    settings: { version: Number(version.split('.')[0]), archive: { url, sha256, version } },
    async stop() {
      await new Promise((resolve) => server.close(resolve));
      await remove();
    },
  };
}
