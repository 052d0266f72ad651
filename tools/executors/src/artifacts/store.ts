import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { artifactKey, artifactTitle, type Stored } from '../engine/artifact.ts';
import { MooringError } from '../engine/errors.ts';
import type { ArtifactSpec } from '../engine/service.ts';
import { findStored, keep, sha256Of, storeFolders } from './content.ts';
import { download, type Progress, showUrl } from './download.ts';
import { build, doing, findGo, type GoSpec } from './go.ts';
import { isAlive, withLock } from './lock.ts';

export type ArtifactOptions = {
  /** Folder of the workspace; the store is `.mooring/artifacts` in it. */
  readonly root: string;
  /** Takes one line at a time, with the elapsed time in it. */
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
  /** What Go may see of the environment is chosen from this; `process.env` when left out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
};

/** A progress line at least this often while something is under way. */
const SAY_MS = 10_000;

/**
 * Gives an artifact: from the store, or downloaded, or built with Go. What was obtained is in the store, for all
 * processes; two that ask at once do the work once.
 *
 * @throws MooringError when it cannot be had; nothing is stored then
 */
export async function obtain(spec: ArtifactSpec, options: ArtifactOptions): Promise<Stored> {
  const stored = await findStored(options.root, spec);
  if (stored !== undefined) return stored;
  const title = artifactTitle(spec);
  const { locks, scratch } = storeFolders(options.root);
  const say = sayer(title, options.progress);
  const waiting = (holder: { pid: number } | undefined) => say(`waiting for process ${holder?.pid ?? '(unknown)'}, which is obtaining it`);
  return withLock(join(locks, artifactKey(spec)), { signal: options.signal, waiting }, async () => {
    const meanwhile = await findStored(options.root, spec);
    if (meanwhile !== undefined) return meanwhile;
    const folder = await scratchFolder(scratch, artifactKey(spec));
    try {
      const kept = spec.kind === 'url' ? await fetchInto(folder, spec, options, say) : await buildInto(folder, spec, options, say);
      say(`in the store, sha256 ${kept.sha256.slice(0, 12)}…`);
      return kept;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

async function fetchInto(
  folder: string,
  spec: Extract<ArtifactSpec, { kind: 'url' }>,
  options: ArtifactOptions,
  say: Progress,
): Promise<Stored> {
  const path = join(folder, 'download');
  say(`downloading ${showUrl(spec.url)}`);
  const tell = seldom(say);
  const sha256 = await download(spec.url, path, {
    signal: options.signal,
    moved: (bytes, total) => tell(`${megabytes(bytes)}${total === undefined ? '' : ` of ${megabytes(total)}`}`),
  });
  if (sha256 !== spec.sha256) {
    throw new MooringError(
      `${showUrl(spec.url)} is not what the settings ask for: its sha256 is ${sha256}, the settings say ${spec.sha256}. It was thrown away`,
      {
        next: 'compare both with the sha256 its publisher names; a wrong one in the settings is corrected there, a wrong file is not to be used',
      },
    );
  }
  return keep(options.root, spec, { path, sha256, now: new Date() });
}

async function buildInto(folder: string, spec: GoSpec, options: ArtifactOptions, say: Progress): Promise<Stored> {
  const found = await findGo(options.env ?? process.env, options.signal);
  say(`building with ${found.version}: a few minutes the first time`);
  let now: { what: string; since: number } | undefined;
  // A download that was told of long ago is over: Go does not say when.
  const isOver = ({ what, since }: { what: string; since: number }) => what.startsWith('downloading') && Date.now() - since >= SAY_MS;
  const alive = setInterval(() => say(now === undefined || isOver(now) ? 'building' : `building; ${now.what}`), SAY_MS);
  try {
    const binary = await build(spec, found, folder, {
      signal: options.signal,
      heard: (line) => {
        const what = doing(line)?.slice(0, 100);
        if (what !== undefined) now = { what, since: Date.now() };
      },
    });
    const path = join(folder, 'built');
    await rename(binary, path);
    return await keep(options.root, spec, { path, sha256: await sha256Of(path), builtWith: found.version, now: new Date() });
  } finally {
    clearInterval(alive);
  }
}

/** A fresh folder of this process; what processes that are gone have left of the same work is removed. */
async function scratchFolder(scratch: string, key: string): Promise<string> {
  await mkdir(scratch, { recursive: true });
  for (const name of await readdir(scratch)) {
    const pid = name.startsWith(`${key}.`) ? Number(name.slice(key.length + 1)) : Number.NaN;
    if (pid === process.pid || (Number.isInteger(pid) && !isAlive(pid))) await rm(join(scratch, name), { recursive: true, force: true });
  }
  const folder = join(scratch, `${key}.${process.pid}`);
  await mkdir(folder);
  return folder;
}

function sayer(title: string, progress: Progress | undefined): Progress {
  const since = Date.now();
  return (line) => progress?.(`${title}: ${line} (${elapsed(Date.now() - since)})`);
}

/** The same, but not more often than every `SAY_MS`. */
function seldom(say: Progress): Progress {
  let next = Date.now() + SAY_MS;
  return (line) => {
    if (Date.now() < next) return;
    next = Date.now() + SAY_MS;
    say(line);
  };
}

function elapsed(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
