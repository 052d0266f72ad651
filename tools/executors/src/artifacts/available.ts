import { type Availability, artifactTitle } from '../engine/artifact.ts';
import { MooringError } from '../engine/errors.ts';
import type { ArtifactSpec } from '../engine/service.ts';
import { findStored, storeFolders } from './content.ts';
import { answers } from './download.ts';
import { findGo, moduleIsKnown } from './go.ts';
import type { ArtifactOptions } from './store.ts';

/**
 * Preflight's question: it is in the store, or its URL answers, or Go is there and knows the module at that version.
 * Changes nothing but Go's own cache.
 */
export async function available(spec: ArtifactSpec, options: Omit<ArtifactOptions, 'progress'>): Promise<Availability> {
  try {
    return { ok: true, how: await howToGet(spec, options) };
  } catch (error) {
    if (!(error instanceof MooringError)) throw error;
    const { stderr, next = 'fix the cause, then run the same command again' } = error.detail;
    return { ok: false, because: `${artifactTitle(spec)} cannot be obtained: ${error.message}${stderr ? `: ${stderr}` : ''}`, next };
  }
}

async function howToGet(spec: ArtifactSpec, options: Omit<ArtifactOptions, 'progress'>): Promise<'stored' | 'download' | 'build'> {
  if ((await findStored(options.root, spec)) !== undefined) return 'stored';
  if (spec.kind === 'url') {
    await answers(spec.url, options);
    return 'download';
  }
  const found = await findGo(options.env ?? process.env, options.signal);
  await moduleIsKnown(spec, found, storeFolders(options.root).scratch, options.signal);
  return 'build';
}
