import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { CommandError, MooringError, UnhealthyError } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import type { Connect, Desired, Health } from '../../engine/service.ts';
import { fullness } from '../disk.ts';
import { MARKER } from './binaries.ts';
import { applicationOf } from './objects-facts.ts';
import { ask, type MinioRequest, SignedRequests } from './requests.ts';
import { type MinioResponse, parseResponses, responsesOf, unexpected } from './responses.ts';
import type { MinioSettings } from './settings.ts';

const TIMEOUT_MS = 30_000;
/** `$3` is the folder; see {@link fullness}. */
const DISK_USE = 'df --output=pcent,ipcent "$3" | { IFS= read -r _; IFS= read -r line; printf "%s\\n" "$line"; }';
const CONTENT = 'nx-mooring: a probe, deleted right after it was read\n';
const STEPS = ['put', 'get', 'delete'] as const;

/**
 * An object is put, read and deleted with the application's key. Its name is new each time: two probes at once must not
 * delete each other's. In a bucket with versioning a few bytes of an old version stay, until its lifecycle rules take them.
 */
function probe(settings: MinioSettings): MinioRequest[] {
  const signer = applicationOf(settings);
  const path = `/${settings.bucket}/.mooring/probe-${randomUUID()}`;
  return [
    { signer, method: 'PUT', path, body: CONTENT },
    { signer, method: 'GET', path },
    { signer, method: 'DELETE', path },
  ];
}

/** Put, get and delete of a probe object inside the container, and the release that runs. */
export function inside({ settings }: Desired<MinioSettings>): Fact<Health> {
  return {
    name: 'S3 put, get and delete',
    command: ask(settings, probe(settings), {
      text: `IFS= read -r line <"$2"; printf '%s\\n' "$line"\n${DISK_USE}`,
      parameters: [MARKER, settings.dataDir],
    }),
    parse(result) {
      const [marker = '', disk = '', ...rest] = result.stdout.split('\n');
      const [, version] = /^\S+ (\S+) \d+ \d+$/.exec(marker) ?? [];
      const answers = responsesOf({ ...result, stdout: rest.join('\n') }, STEPS.length);
      if (version === undefined) throw new CommandError(`${MARKER} does not report the release of MinIO`);
      const degraded = fullness(disk, settings.dataDir);
      return { ...healthy(answers, version, settings), ...(degraded.length > 0 ? { degraded } : {}) };
    },
  };
}

/** Put, get and delete of a probe object over the container's address. */
export async function outside({ settings }: Desired<MinioSettings>, connect: Connect): Promise<Health> {
  const socket = await connect(settings.port);
  try {
    const answers = parseResponses(await converse(socket, new SignedRequests(settings, probe(settings)).bytes()), STEPS.length);
    return healthy(answers, answers[0]?.headers.server ?? 'unknown', settings);
  } finally {
    socket.destroy();
  }
}

function healthy(answers: readonly MinioResponse[], version: string, { bucket }: MinioSettings): Health {
  for (const [i, step] of STEPS.entries()) {
    const answer = answers[i] as MinioResponse;
    if (answer.status >= 300) throw refusedProbe(unexpected(answer, `${step} of a probe object in bucket ${bucket} failed`), answer);
  }
  if (answers[1]?.body !== CONTENT) throw new UnhealthyError(`a probe object in bucket ${bucket} was read back changed`);
  return { version, detail: `S3 put, get and delete in ${bucket}` };
}

/**
 * A server that fails, or has no room, is ill. Another key, bucket or region than the settings name is none: MinIO works for those who have
 * the right one.
 */
function refusedProbe(error: CommandError, { status, code }: MinioResponse): MooringError {
  const ill = status >= 500 || /Full|Quota|ReadOnly|Storage|SlowDown/.test(code ?? '');
  return ill ? new UnhealthyError(error.message, error.detail) : error;
}

/** Sends all and reads until MinIO closes, as the last request asks it to. */
function converse(socket: Duplex, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    const timer = setTimeout(() => reject(new MooringError(`MinIO did not answer within ${TIMEOUT_MS / 1000} s`)), TIMEOUT_MS);
    const end = () => {
      clearTimeout(timer);
      resolve(Buffer.concat(parts));
    };
    socket.on('data', (part: Buffer) => parts.push(part));
    socket.on('end', end).on('close', end);
    socket.on('error', (error) => {
      clearTimeout(timer);
      reject(new MooringError(`the connection to MinIO broke: ${error.message}`, {}, error));
    });
    socket.write(bytes);
  });
}
