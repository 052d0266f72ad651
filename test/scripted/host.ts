import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { reveal } from '../../tools/executors/src/engine/secret.ts';
import { hostFromTransport, type Transport } from '../../tools/executors/src/engine/transport.ts';
import type { World } from '../../tools/executors/src/shared/world.ts';
import { worldOf } from '../../tools/executors/src/world/index.ts';

/*
 * The walk of a deploy on a host whose `incus` is a script with canned answers and whose containers are this machine's
 * shell: what is counted and ordered here is the same on any host. The lab's tests ask a real Incus.
 */

/** Of the test that runs: where its workspace is, what its containers are called, and how often its host was asked. */
export const place = { folder: '', names: [] as string[], trips: 0 };

/** The real world, but for its one host. */
export const world = (): World => ({ ...worldOf(place.folder), openHost: async () => fakeHost() });

/** What a verb about the container `c00` is given, where nobody can be asked. */
export function requestOfC00() {
  const signal = new AbortController().signal;
  const request = { root: place.folder, world: world(), environment: 'local', projects: ['c00'], signal, print: () => {} };
  return { ...request, ask: undefined, preview: () => {} };
}

/** The state of an environment is in the test's folder, which is deep inside of commands that are bundled. */
const toState = (text: string): string =>
  text
    .replaceAll('/var/lib/mooring', join(place.folder, 'state'))
    .replaceAll(/(?<=printf %s ')[A-Za-z0-9+/=]+(?=' \| base64 -d)/g, (packed) =>
      Buffer.from(toState(Buffer.from(packed, 'base64').toString())).toString('base64'),
    );

/** A host that is this machine, with the `incus` of the workspace. */
export function fakeHost() {
  const transport: Transport = {
    name: 'local',
    exec: (command) => {
      place.trips += 1;
      return new Promise((resolve, reject) => {
        const [program = '', ...args] = command.argv.map(toState);
        const child = spawn(program, args, { env: { PATH: `${place.folder}/bin:${process.env.PATH}`, FOLDER: place.folder } });
        let [stdout, stderr] = ['', ''];
        child.stdout.setEncoding('utf8').on('data', (part) => (stdout += part));
        child.stderr.setEncoding('utf8').on('data', (part) => (stderr += part));
        child.on('error', reject);
        child.on('close', (code) => resolve({ command, code: code ?? 255, stdout, stderr }));
        child.stdin.end(command.stdin === undefined ? '' : toState(reveal(command.stdin)));
      });
    },
    execFile: () => Promise.reject(new Error('no files here')),
  };
  const host = hostFromTransport(transport);
  return {
    ...host,
    transport,
    spare: host,
    connect: async () => new PassThrough(),
    close: async () => {},
    get roundTrips() {
      return place.trips;
    },
  };
}
