import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { artifactKey, type Stored } from '../engine/artifact.ts';
import type { ArtifactSpec } from '../engine/service.ts';

const recordSchema = z.strictObject({
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  size: z.int().nonnegative(),
  mtimeMs: z.number(),
  source: z.string(),
  /** Version of Go, for what was built. */
  builtWith: z.string().optional(),
  obtainedAt: z.iso.datetime(),
});

type StoreRecord = z.infer<typeof recordSchema>;

/**
 * The store of a workspace. `content` is what is kept (and what Nx may cache); scratch files and locks are beside it,
 * on the same file system, so that a finished file is moved in by a rename.
 */
export function storeFolders(root: string): { content: string; scratch: string; locks: string } {
  return { content: join(root, '.mooring/artifacts'), scratch: join(root, '.mooring/scratch'), locks: join(root, '.mooring/locks') };
}

/**
 * Looks an artifact up. Cheap when its size and modification time are as recorded; else its content is hashed, and what
 * does not match its name is thrown away.
 */
export async function findStored(root: string, spec: ArtifactSpec): Promise<Stored | undefined> {
  const { content } = storeFolders(root);
  const record = await readRecord(recordPath(root, spec));
  if (record === undefined || (spec.kind === 'url' && record.sha256 !== spec.sha256)) return undefined;
  const path = join(content, record.sha256);
  const found = await stat(path).catch(absent);
  if (found === undefined) return undefined;
  if (found.size !== record.size || found.mtimeMs !== record.mtimeMs) {
    if ((await sha256Of(path)) !== record.sha256) {
      await rm(path, { force: true });
      return undefined;
    }
    // Nx's cache brings files back with the time of the copy.
    await writeRecord(root, spec, { ...record, size: found.size, mtimeMs: found.mtimeMs });
  }
  return { path, sha256: record.sha256, version: spec.version };
}

/** Moves a finished file into the store and records it. The file must be on the store's file system. */
export async function keep(
  root: string,
  spec: ArtifactSpec,
  file: { path: string; sha256: string; builtWith?: string; now: Date },
): Promise<Stored> {
  const { content } = storeFolders(root);
  await mkdir(content, { recursive: true });
  await chmod(file.path, 0o755);
  const handle = await open(file.path, 'r');
  await handle.sync().finally(() => handle.close());
  const path = join(content, file.sha256);
  await rename(file.path, path);
  const { size, mtimeMs } = await stat(path);
  await writeRecord(root, spec, {
    sha256: file.sha256,
    size,
    mtimeMs,
    source: spec.kind === 'url' ? spec.url : `${spec.module}@${spec.version} linux/${spec.arch ?? 'amd64'}`,
    ...(file.builtWith === undefined ? {} : { builtWith: file.builtWith }),
    obtainedAt: file.now.toISOString(),
  });
  return { path, sha256: file.sha256, version: spec.version };
}

/** A file's sha256 as 64 hex digits. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

function recordPath(root: string, spec: ArtifactSpec): string {
  return join(storeFolders(root).content, `${artifactKey(spec)}.json`);
}

/** A record that cannot be read is no record: the artifact is obtained again. */
async function readRecord(path: string): Promise<StoreRecord | undefined> {
  const text = await readFile(path, 'utf8').catch(absent);
  if (text === undefined) return undefined;
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

async function writeRecord(root: string, spec: ArtifactSpec, record: StoreRecord): Promise<void> {
  const path = recordPath(root, spec);
  const beside = `${path}.${process.pid}.new`;
  const handle = await open(beside, 'w');
  await handle.writeFile(`${JSON.stringify(record, undefined, 2)}\n`).finally(() => handle.close());
  await rename(beside, path);
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
