import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { freePort } from '../contract/sshd.ts';
import { ended, nxEnvironment, REPOSITORY, run } from './workspace.ts';

/**
 * Not devDependencies: they are 96 MB, and one test needs them. Verdaccio's own dependency `node-fetch@cjs` is a tag, which not every
 * registry has.
 */
const TOOLS = { dependencies: { verdaccio: '6.1.2', pnpm: '10.12.1' }, overrides: { 'node-fetch': '2.6.7' } };
/** Where the lab keeps what takes long to get. */
const CACHE = join(process.env.MOORING_LAB_CACHE ?? '/var/cache/mooring-lab', `verdaccio-${TOOLS.dependencies.verdaccio}`);

/** An npm registry on loopback. It has our package, and hands on what the registry of this machine has. */
export type Registry = {
  /** What npm, pnpm and nx need to use it. */
  readonly env: Record<string, string>;
  stop(): Promise<void>;
};

/** Starts it with a packed tarball published. @param folder for what it writes of its own */
export async function startRegistry(folder: string, tarball: string): Promise<Registry> {
  await install();
  const port = await freePort();
  const upstream = (await run('npm', ['config', 'get', 'registry'])).trim();
  const ca = (await run('npm', ['config', 'get', 'cafile'])).trim();
  // What others have is kept from run to run; ours is published anew.
  await rm(join(CACHE, 'storage/nx-mooring'), { recursive: true, force: true });
  const config = {
    storage: join(CACHE, 'storage'),
    uplinks: { upstream: { url: upstream, timeout: '120s', maxage: '1d' } },
    packages: {
      'nx-mooring': { access: '$all', publish: '$all' },
      '**': { access: '$all', proxy: 'upstream' },
    },
    log: { type: 'stdout', format: 'pretty', level: 'warn' },
    max_body_size: '50mb',
  };
  const file = join(folder, 'verdaccio.yaml');
  // JSON is YAML.
  await writeFile(file, JSON.stringify(config));
  const url = `http://127.0.0.1:${port}/`;
  const npmrc = join(folder, 'npmrc');
  await writeFile(npmrc, `registry=${url}\n//127.0.0.1:${port}/:_authToken=nobody\n`);
  const env = {
    ...(process.env as Record<string, string>),
    ...(nxEnvironment() as Record<string, string>),
    PATH: `${join(CACHE, 'node_modules/.bin')}${delimiter}${join(REPOSITORY, 'node_modules/.bin')}${delimiter}${process.env.PATH}`,
    npm_config_userconfig: npmrc,
    npm_config_registry: url,
    npm_config_store_dir: join(CACHE, 'pnpm-store'),
  };
  const server = spawn(join(CACHE, 'node_modules/.bin/verdaccio'), ['--config', file, '--listen', `127.0.0.1:${port}`], {
    cwd: folder,
    env: { ...process.env, PATH: env.PATH, ...(ca === 'null' ? {} : { NODE_EXTRA_CA_CERTS: ca }) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  await answering(server, url);
  const published = await ended('npm', ['publish', tarball, '--provenance=false'], folder, env);
  if (published.code !== 0) throw new Error(`npm publish: exit code ${published.code}: ${published.output}`);
  return {
    env,
    async stop() {
      const gone = new Promise((resolve) => server.once('exit', resolve));
      server.kill();
      await gone;
    },
  };
}

/**
 * A Node of another version, from the registry.
 *
 * @param folder where it goes
 * @returns the environment of a user whose machine has this one and no other: npm runs under it too
 */
export async function withNode(version: string, folder: string, { env }: Registry): Promise<Record<string, string>> {
  const name = `node-linux-${process.arch}`;
  await mkdir(folder, { recursive: true });
  const { code, output } = await ended('npm', ['install', '--no-save', '--no-audit', '--no-fund', `${name}@${version}`], folder, env);
  if (code !== 0) throw new Error(`npm install of Node ${version}: exit code ${code}: ${output}`);
  const bin = join(folder, 'node_modules', name, 'bin');
  const own = { ...env, PATH: `${bin}${delimiter}${process.env.PATH}` };
  const seen = (await ended('node', ['--version'], folder, own)).output.trim();
  if (seen !== `v${version}`) throw new Error(`the Node in ${bin} is ${seen}, not v${version}`);
  return own;
}

/** Gets the tools, once. */
async function install(): Promise<void> {
  const wanted = JSON.stringify({ private: true, ...TOOLS });
  const found = await readFile(join(CACHE, 'package.json'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  });
  if (found === wanted) return;
  // Ended in the middle, it leaves nothing that looks whole.
  const part = `${CACHE}.${process.pid}`;
  await mkdir(part, { recursive: true });
  await writeFile(join(part, 'package.json'), wanted);
  const { code, output } = await ended('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], part);
  if (code !== 0) throw new Error(`npm install of verdaccio and pnpm: exit code ${code}: ${output}`);
  await rm(CACHE, { recursive: true, force: true });
  await rename(part, CACHE);
  await stat(join(CACHE, 'node_modules/.bin/verdaccio'));
}

async function answering(server: ChildProcess, url: string): Promise<void> {
  let said = '';
  for (const stream of [server.stdout, server.stderr]) stream?.on('data', (part) => (said += part));
  const end = Date.now() + 60_000;
  for (;;) {
    const isUp = await fetch(`${url}-/ping`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isUp) return;
    if (server.exitCode !== null || Date.now() > end) throw new Error(`verdaccio does not answer (exit code ${server.exitCode}): ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
