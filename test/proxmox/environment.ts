// Lets environments of a workspace use the running double: node test/proxmox/environment.ts <folder> [--workspace .] [--lab <folder>] [--port 28006] dev qa
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { loadSecrets } from '../../tools/executors/src/secrets/load.ts';
import { control } from './control.ts';
import { certificate } from './double/certificate.ts';
import { MINIMAL_ACL, token } from './double/state.ts';

const SECRET_NAME = 'PROXMOX_TOKEN_SECRET';

/** The connection of an environment, as an environment file has it. */
export type Settings = { url: string; node: string; tokenId: string; tokenSecret: { secret: string }; fingerprint: string };

/**
 * Writes PROXMOX_TOKEN_SECRET into .secrets/<environment>.env, unless it is there, and makes a token with that secret in the double.
 *
 * @param folder the double's
 * @param lab the lab whose double it is: all its clones have one token; none for a double of a test's own
 * @returns the settings for infra/environments/<environment>.json
 */
export async function connectEnvironment(
  folder: string,
  workspace: string,
  environment: string,
  { port, lab }: { port: number; lab?: string | undefined },
): Promise<Settings> {
  const script = join(import.meta.dirname, '..', 'lab', 'secrets.mjs');
  execFileSync(
    process.execPath,
    [script, environment, '--workspace', workspace, '--only', SECRET_NAME, ...(lab === undefined ? ['--own'] : ['--lab', lab])],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const loaded = await loadSecrets(workspace, { name: environment, secrets: { provider: 'file' } }, [SECRET_NAME], {
    infra: 'infra',
    variables: {},
  });
  const secret = loaded.get(SECRET_NAME)?.reveal();
  if (secret === undefined) throw new Error(`.secrets/${environment}.env has no ${SECRET_NAME}, though it was just written`);
  const tokenId = `mooring@pve!${environment}`;
  await control(join(folder, 'control.sock'), { tokens: { [tokenId]: token(secret, MINIMAL_ACL) } });
  const { fingerprint } = certificate(join(folder, 'certificate'));
  return { url: `https://127.0.0.1:${port}`, node: 'pve', tokenId, tokenSecret: { secret: SECRET_NAME }, fingerprint };
}

/** Puts the certificate into .lab/proxmox-ca.pem, for environment files that must not differ from machine to machine, and the settings beside it. */
function writeLabFiles(folder: string, workspace: string, settings: Readonly<Record<string, Settings>>): void {
  mkdirSync(join(workspace, '.lab'), { recursive: true });
  writeFileSync(join(workspace, '.lab', 'proxmox-ca.pem'), certificate(join(folder, 'certificate')).cert);
  writeFileSync(join(workspace, '.lab', 'proxmox.json'), `${JSON.stringify(settings, undefined, 2)}\n`);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { workspace: { type: 'string', default: '.' }, lab: { type: 'string' }, port: { type: 'string', default: '28006' } },
  });
  const [folder, ...environments] = positionals;
  if (folder === undefined || environments.length === 0) {
    throw new Error('name the folder of the double and the environments: node test/proxmox/environment.ts <folder> dev qa');
  }
  const workspace = resolve(values.workspace);
  const settings: Record<string, Settings> = {};
  for (const one of environments)
    settings[one] = await connectEnvironment(folder, workspace, one, { port: Number(values.port), lab: values.lab });
  writeLabFiles(folder, workspace, settings);
  console.log(`${environments.join(', ')}: https://127.0.0.1:${values.port}`);
}

if (import.meta.main)
  await main().catch((error: { status?: unknown }) => {
    // What secrets.mjs refuses it has told itself.
    if (typeof error.status !== 'number') throw error;
    process.exitCode = error.status;
  });
