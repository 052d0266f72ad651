import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Command, CommandResult } from '../../engine/command.ts';
import type { Fetch } from '../../engine/service.ts';
import postgres from '../../services/postgres/service.ts';
import { defaultApt } from '../../services/postgres/settings.ts';
import type { Survey } from '../../shared/survey.ts';
import type { PreparedContainer } from '../../shared/target.ts';
import { askFor, unreached } from './fetches.ts';

describe('what PostgreSQL gets from elsewhere', () => {
  const of = (over: object) =>
    postgres.fetches?.({ ...postgres.settings.parse({ role: 'r', database: 'd', password: { secret: 'P' } }), ...over });

  it('is PGDG and its key, where no Debian that it knows has the major', () => {
    expect(of({ version: 16 })).toEqual([
      { what: 'the apt repository', url: defaultApt.url },
      { what: 'the key of the apt repository', url: defaultApt.keyUrl, path: '' },
    ]);
  });

  it('is the named repository, with its suite', () => {
    const apt = { ...defaultApt, url: 'https://mirror/pg', suite: 'good', keyUrl: 'file:///etc/key.asc' };
    expect(of({ version: 15, apt })).toEqual([{ what: 'the apt repository', url: 'https://mirror/pg', path: '/dists/good/InRelease' }]);
  });

  it.each(['debian', 15, 17])('is nothing, or nothing that is sure, for version %s', (version) => expect(of({ version })).toEqual([]));
});

describe('who is asked, and what comes of it', () => {
  const fetch: Fetch = { what: 'the repository', url: 'https://far/apt' };
  const changes = [{ commands: [{ argv: ['get', 'https://far/apt/key'], effect: 'write' }] }];
  const target = (project: string, planned: unknown[] = []) =>
    ({
      ...{ project, instance: `x-${project}`, host: 'h', root: `infra/${project}`, incus: { project: 'p' } },
      desired: () => ({ settings: {} }),
      service: { name: project, fetches: () => [fetch], stages: [{ name: 's', facts: () => ({}), plan: () => planned }] },
    }) as unknown as PreparedContainer;

  async function ask(targets: PreparedContainer[], concerned: PreparedContainer[], there: string[], code = 1, more: Partial<Survey> = {}) {
    const asked: Command[] = [];
    const host = {
      name: 'h',
      run: async (batch: readonly Command[]) => {
        asked.push(...batch);
        return batch.map((command): CommandResult => ({ command, code, stdout: '', stderr: 'Could not resolve host\n' }));
      },
    };
    const looks = new Map(
      there.map((name) => [
        name,
        { desired: {}, address: 'a', answers: { stages: [{ facts: {}, results: [] }], probe: {} }, outside: undefined },
      ]),
    );
    const instances = there.map((name) => ({ name, project: 'p' }));
    const survey = { host, instances: looks, incus: { instances }, ...more } as unknown as Survey;
    const said = await unreached({ targets }, concerned, survey);
    return { ...said, asked: asked.map(({ argv }) => (argv.includes('exec') ? argv[argv.indexOf('exec') + 1] : 'host')) };
  }

  it('the host for the first container: a warning, as the container may have a way of its own', async () => {
    const one = target('one');
    const { asked, problems, warnings } = await ask([one], [one], []);
    expect(asked).toEqual(['host']);
    expect(problems).toEqual([]);
    expect(warnings).toEqual([
      'WARNING: one: the repository https://far/apt cannot be reached from h, and x-one is not there yet to be asked: Could not resolve host',
    ]);
  });

  it('another container, which has the same image, for one that is to be made: a warning, as it may have another network', async () => {
    const [one, two] = [target('one'), target('two')];
    const { asked, problems, warnings } = await ask([one, two], [one], ['x-two']);
    expect(asked).toEqual(['x-two']);
    expect(problems).toEqual([]);
    expect(warnings).toEqual([
      'WARNING: one: the repository https://far/apt cannot be reached from x-two, and x-one is not there yet to be asked: Could not resolve host',
    ]);
  });

  it('the container itself, where its plan names what is to be got: an error', async () => {
    const one = target('one', changes);
    const { asked, problems } = await ask([one], [one], ['x-one']);
    expect(asked).toEqual(['x-one']);
    expect(problems.map(({ message }) => message)).toEqual(['one: the repository https://far/apt cannot be reached from x-one']);
  });

  it('nobody, where nothing is to be got: no round trip', async () => {
    const one = target('one');
    expect(await ask([one], [one], ['x-one'])).toEqual({ problems: [], warnings: [], asked: [] });
  });

  it('what is reached is not told, and what could not be asked is a warning', async () => {
    const one = target('one', changes);
    expect(await ask([one], [one], ['x-one'], 0)).toMatchObject({ problems: [], warnings: [] });
    const { problems, warnings } = await ask([one], [one], ['x-one'], 69);
    expect(problems).toEqual([]);
    expect(warnings).toEqual(['WARNING: one: whether the repository https://far/apt can be reached is not known: Could not resolve host']);
  });
});

describe('the question itself', () => {
  let server: Server;
  let base: string;
  let folder: string;
  beforeAll(async () => {
    server = createServer((request, response) => response.writeHead(request.url === '/key.asc' ? 200 : 404).end('x'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    folder = mkdtempSync(join(tmpdir(), 'mooring-fetch-'));
    // The machine may have a proxy for apt.
    writeFileSync(join(folder, 'apt.conf'), 'Acquire::http::Proxy "DIRECT";\n');
  });
  afterAll(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  const answer = ({ argv: [program, ...rest] }: Command) =>
    new Promise<{ code: number; stderr: string }>((resolve) =>
      execFile(program, rest, { env: { PATH: process.env.PATH, APT_CONFIG: join(folder, 'apt.conf') } }, (error, _, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), stderr }),
      ),
    );

  it('a file that must be there, and one that is not', async () => {
    expect(await answer(askFor({ what: 'key', url: `${base}/key.asc`, path: '' }))).toEqual({ code: 0, stderr: '' });
    const { code, stderr } = await answer(askFor({ what: 'key', url: base, path: '/dists/good/InRelease' }));
    expect([code, stderr]).toEqual([1, expect.stringContaining('404')]);
  });

  it('a server of which no file is known has answered, whatever it says', async () => {
    expect(await answer(askFor({ what: 'repository', url: `${base}/apt` }))).toMatchObject({ code: 0 });
  });

  it('a port that nobody listens on', async () => {
    // Its number of an answer stands in the address alone.
    const { code, stderr } = await answer(askFor({ what: 'repository', url: 'http://127.0.0.1:9/apt-4040' }));
    expect([code, stderr]).toEqual([1, expect.stringMatching(/connect/i)]);
  });
});
