import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { run } from './workspace.ts';

/** A package index for guests: this machine's pip gets what a file of requirements wants, and it is served to them. */
export type Wheels = {
  /** Variables for pip in the guest. */
  readonly variables: Readonly<Record<string, string>>;
  stop(): Promise<void>;
};

/**
 * @param requirements with hashes, as guests install them
 * @param address of this machine, where guests reach it
 */
export async function serveWheels(requirements: string, address: string): Promise<Wheels> {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-wheels-'));
  // In the machine's own way: its index, its certificates, its wheels.
  await run('python3', ['-m', 'pip', 'download', '--quiet', '--require-hashes', '-r', requirements, '-d', folder]);
  const server = createServer(async (request, response) => {
    const file = basename(decodeURIComponent(new URL(String(request.url), 'http://localhost').pathname));
    const names = await readdir(folder);
    if (file === '')
      return response.setHeader('content-type', 'text/html').end(names.map((name) => `<a href="${name}">${name}</a>\n`).join(''));
    if (!names.includes(file)) return response.writeHead(404).end();
    response.end(await readFile(join(folder, file)));
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const url = `http://${address}:${(server.address() as AddressInfo).port}/`;
  return {
    variables: { PIP_NO_INDEX: '1', PIP_FIND_LINKS: url, PIP_TRUSTED_HOST: address },
    async stop() {
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    },
  };
}
