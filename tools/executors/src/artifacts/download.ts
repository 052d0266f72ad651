import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MooringError } from '../engine/errors.ts';

/** A server that sends nothing for this long is given up. */
const IDLE_MS = 60_000;

export type Progress = (line: string) => void;

/**
 * Downloads a URL into a file. Redirects are followed; Node uses the machine's proxy settings when
 * `NODE_USE_ENV_PROXY=1` is set. Plain `http:` is as good as `https:` here: the content's sha256 is known beforehand.
 *
 * @param file written anew
 * @param moved called as bytes come in, with the bytes so far and in all (if the server tells)
 * @returns the sha256 of what came
 * @throws MooringError when the server does not give the file
 */
export async function download(
  url: string,
  file: string,
  options: { signal?: AbortSignal; moved?: (bytes: number, total: number | undefined) => void } = {},
): Promise<string> {
  const idle = new AbortController();
  let timer = setTimeout(() => idle.abort(), IDLE_MS);
  const signal = AbortSignal.any([idle.signal, ...(options.signal ? [options.signal] : [])]);
  try {
    const response = await fetch(url, { signal });
    if (!response.ok || response.body === null) throw refused(url, response.status);
    const length = response.headers.get('content-length');
    const hash = createHash('sha256');
    let bytes = 0;
    const watch = async function* (source: AsyncIterable<Uint8Array>) {
      for await (const chunk of source) {
        clearTimeout(timer);
        timer = setTimeout(() => idle.abort(), IDLE_MS);
        bytes += chunk.length;
        hash.update(chunk);
        options.moved?.(bytes, length === null ? undefined : Number(length));
        yield chunk;
      }
    };
    await pipeline(Readable.fromWeb(response.body), watch, createWriteStream(file), { signal });
    return hash.digest('hex');
  } catch (error) {
    if (options.signal?.aborted || error instanceof MooringError) throw error;
    throw new MooringError(
      `${showUrl(url)} could not be downloaded: ${idle.signal.aborted ? `nothing came for ${IDLE_MS / 1000} s` : reason(error)}`,
      { next: NEXT },
      error,
    );
  } finally {
    clearTimeout(timer);
  }
}

/** Asks whether a URL would give a file, without taking it. @throws MooringError when it does not */
export async function answers(url: string, options: { signal?: AbortSignal } = {}): Promise<void> {
  const signal = AbortSignal.any([AbortSignal.timeout(20_000), ...(options.signal ? [options.signal] : [])]);
  try {
    const head = await fetch(url, { method: 'HEAD', signal });
    if (head.ok) return;
    // Some object stores sign the method too and refuse HEAD where GET is fine.
    const get = await fetch(url, { headers: { range: 'bytes=0-0' }, signal });
    await get.body?.cancel();
    if (!get.ok) throw refused(url, get.status);
  } catch (error) {
    if (options.signal?.aborted || error instanceof MooringError) throw error;
    throw new MooringError(`${showUrl(url)} does not answer: ${reason(error)}`, { next: NEXT }, error);
  }
}

const NEXT = 'check the URL in the settings, and HTTPS_PROXY with NODE_USE_ENV_PROXY=1 if this machine needs a proxy';

function refused(url: string, status: number): MooringError {
  return new MooringError(`${showUrl(url)} cannot be downloaded: HTTP ${status}`, { next: 'check the URL in the settings' });
}

/** A URL without what may be secret in it: user, password, signature. */
export function showUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

/** fetch says "fetch failed" and hides the reason one level down. */
function reason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code || cause.name : String(cause);
}
