import { type CommandResult, showCommand } from '../../engine/command.ts';
import { CommandError, lastLines } from '../../engine/errors.ts';

/** One answer of MinIO. */
export type MinioResponse = {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** MinIO's error code, such as `NoSuchBucket`; none when the answer is no error. */
  readonly code?: string;
};

/**
 * Takes the answers on one connection apart.
 *
 * @param expected how many there must be
 * @throws when there are fewer or more, or when they are not HTTP/1.1 as MinIO speaks it
 */
export function parseResponses(bytes: Buffer, expected: number): MinioResponse[] {
  const responses: MinioResponse[] = [];
  let rest = bytes;
  while (rest.length > 0) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) throw new Error('an answer of MinIO is cut off in its headers');
    const [statusLine = '', ...lines] = rest.subarray(0, end).toString('latin1').split('\r\n');
    const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(`${statusLine} `) ?? [];
    if (status === undefined) throw new Error(`not an HTTP answer: ${JSON.stringify(statusLine.slice(0, 80))}`);
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    const taken = takeBody(rest.subarray(end + 4), Number(status), headers);
    const code = Number(status) < 300 ? undefined : errorCode(taken.body);
    responses.push({ status: Number(status), headers, body: taken.body, ...(code === undefined ? {} : { code }) });
    rest = taken.rest;
  }
  if (responses.length !== expected) throw new Error(`MinIO gave ${responses.length} answers to ${expected} requests`);
  return responses;
}

/** The answers to `ask`. @throws CommandError when MinIO could not be asked */
export function responsesOf(result: CommandResult, expected: number): MinioResponse[] {
  const detail = { command: showCommand(result.command), code: result.code, stderr: lastLines(result.stderr) };
  if (result.code !== 0) throw new CommandError('MinIO could not be asked', { ...detail, next: 'journalctl -u minio in the container' });
  try {
    return parseResponses(Buffer.from(result.stdout), expected);
  } catch (error) {
    throw new CommandError(`MinIO could not be understood: ${error instanceof Error ? error.message : error}`, detail);
  }
}

/** The names of a list of buckets. @throws CommandError on any other answer */
export function bucketsOf(answer: MinioResponse): string[] {
  if (answer.status !== 200 || !answer.body.includes('<ListAllMyBucketsResult'))
    throw unexpected(answer, 'the buckets could not be listed');
  return [...answer.body.matchAll(/<Bucket><Name>([^<]+)<\/Name>/g)].map(([, name]) => String(name));
}

/** The error for an answer that was not the one hoped for. */
export function unexpected(response: MinioResponse, what: string): CommandError {
  const next = {
    RequestTimeTooSkewed:
      'the clocks of this machine and of the container differ by more than 15 minutes: compare `date -u` on both and set the wrong one',
    SignatureDoesNotMatch: 'the secrets of this environment are not those that MinIO has: nx run minio:configure sets them',
    InvalidAccessKeyId: 'the secrets of this environment are not those that MinIO has: nx run minio:configure sets them',
  }[response.code ?? ''];
  return new CommandError(`${what}: MinIO answers ${response.status}${response.code ? ` ${response.code}` : ''}`, next ? { next } : {});
}

function takeBody(bytes: Buffer, status: number, headers: Readonly<Record<string, string>>): { body: string; rest: Buffer } {
  if (headers['transfer-encoding'] === 'chunked') return takeChunks(bytes);
  const length = status === 204 || status === 304 ? 0 : Number(headers['content-length'] ?? Number.NaN);
  // An answer without a length ends with the connection.
  if (Number.isNaN(length)) return { body: bytes.toString('utf8'), rest: Buffer.alloc(0) };
  if (bytes.length < length) throw new Error('an answer of MinIO is cut off');
  return { body: bytes.subarray(0, length).toString('utf8'), rest: bytes.subarray(length) };
}

function takeChunks(bytes: Buffer): { body: string; rest: Buffer } {
  const parts: Buffer[] = [];
  for (let offset = 0; ; ) {
    const end = bytes.indexOf('\r\n', offset);
    const size = Number.parseInt(bytes.subarray(offset, Math.max(end, offset)).toString('latin1'), 16);
    const from = end + 2;
    if (end < 0 || Number.isNaN(size) || bytes.length < from + size + 2) throw new Error('an answer of MinIO is cut off');
    if (size === 0) return { body: Buffer.concat(parts).toString('utf8'), rest: bytes.subarray(from + 2) };
    parts.push(bytes.subarray(from, from + size));
    offset = from + size + 2;
  }
}

/** S3 answers errors in XML, the admin API in JSON. */
function errorCode(body: string): string | undefined {
  return /<Code>(\w+)<\/Code>/.exec(body)?.[1] ?? /"Code":\s*"(\w+)"/.exec(body)?.[1];
}
