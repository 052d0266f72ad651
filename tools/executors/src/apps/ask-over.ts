import { request as http } from 'node:http';
import { constants, connect as http2 } from 'node:http2';
import type { Duplex } from 'node:stream';
import { connect as tls } from 'node:tls';
import { MooringError } from '../engine/errors.ts';
import type { HealthRequest } from './health-request.ts';
import type { HealthSettings } from './health-settings.ts';

/** What an application says to a request. */
export type Answer = { readonly code: number; readonly location: string | undefined };

/** Asks over a connection that is open. @throws MooringError when there is no answer in time */
export async function askOver(
  socket: Duplex,
  request: HealthRequest,
  protocol: HealthSettings['protocol'],
  timeoutMs: number,
): Promise<Answer> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new MooringError(`port ${request.port} gave no answer within ${timeoutMs} ms`)), timeoutMs);
  try {
    return await Promise.race([late, ask(socket, request, protocol)]);
  } catch (error) {
    if (error instanceof MooringError) throw error;
    throw new MooringError(`port ${request.port} gave no answer: ${(error as Error).message}`, {}, error);
  } finally {
    clearTimeout(timer);
  }
}

async function ask(socket: Duplex, request: HealthRequest, protocol: HealthSettings['protocol']): Promise<Answer> {
  if (protocol === 'http') return askHttp(socket, request);
  if (protocol === 'h2c') return askHttp2(socket, request);
  const { hostname } = new URL(request.url);
  const secure = tls({
    socket,
    // Of the application's own, mostly: the proxy in front of it has the one that counts.
    rejectUnauthorized: false,
    ALPNProtocols: ['h2', 'http/1.1'],
    ...(request.host === undefined ? {} : { servername: hostname }),
  });
  await new Promise((resolve, reject) => secure.once('secureConnect', resolve).on('error', reject));
  return secure.alpnProtocol === 'h2' ? askHttp2(secure, request) : askHttp(secure, request);
}

function askHttp(socket: Duplex, { path, url, headers }: HealthRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = http({ createConnection: () => socket, path, headers: { Host: new URL(url).host, ...headers } });
    sent.on('error', reject).on('response', ({ statusCode = 0, headers: { location } }) => resolve({ code: statusCode, location }));
    sent.end();
  });
}

function askHttp2(socket: Duplex, { path, url, headers }: HealthRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const session = http2(url, { createConnection: () => socket });
    const sent = session.request({ ...headers, [constants.HTTP2_HEADER_PATH]: path });
    session.on('error', reject);
    sent.on('error', reject).on('response', (answer) => {
      resolve({ code: Number(answer[constants.HTTP2_HEADER_STATUS]), location: answer.location as string | undefined });
      session.destroy();
    });
    sent.end();
  });
}
