import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { ArtifactSpec } from './service.ts';

/** An artifact that is on this machine, its content verified. */
export type Stored = {
  /** Where it is; its name is its sha256. */
  readonly path: string;
  /** 64 hex digits. */
  readonly sha256: string;
  /** As the spec names it. */
  readonly version: string;
};

/** Whether an artifact can be had, and how; or why not, and what to do. */
export type Availability =
  | { readonly ok: true; readonly how: 'stored' | 'download' | 'build' }
  | { readonly ok: false; readonly because: string; readonly next: string };

/** What is asked for, as one word: the same word means the same content. A file name. */
export function artifactKey(spec: ArtifactSpec): string {
  if (spec.kind === 'url') return `url-${spec.sha256}`;
  const variables = Object.entries(spec.variables ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const what = JSON.stringify([spec.module, spec.version, spec.arch ?? 'amd64', variables]);
  return `go-${basename(spec.module)}-${createHash('sha256').update(what).digest('hex').slice(0, 16)}`;
}

/** What is asked for, as messages name it. */
export function artifactTitle(spec: ArtifactSpec): string {
  return spec.kind === 'url'
    ? `${basename(new URL(spec.url).pathname) || spec.url} ${spec.version}`
    : `${basename(spec.module)} ${spec.version} (${spec.arch ?? 'amd64'})`;
}
