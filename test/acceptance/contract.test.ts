import { afterAll, beforeAll } from 'vitest';
import { incusContract } from '../model/incus.contract.ts';
import { type ZfsBench, zfsContract } from '../model/zfs.contract.ts';
import { machine } from './machine.ts';

/** The contracts that the model is held to, asked of real OpenZFS and real Incus. */

const ROOT = 'tank/contract';
let scenarios = 0;

beforeAll(async () => {
  await machine.reset('ready');
  await machine.zfs('create', '-o', 'mountpoint=none', ROOT);
});
afterAll(() => machine.hangUp());

function bench(root: string): ZfsBench {
  const mounted = (dataset: string, script: string, ...words: string[]) =>
    machine.run('sh', [
      '-euc',
      `folder=$(mktemp -d); mount -t zfs -o zfsutil "$1" "$folder" 2>/dev/null || mount -t zfs "$1" "$folder"
trap 'umount "$folder"; rmdir "$folder"' EXIT; ${script}`,
      'sh',
      dataset,
      ...words,
    ]);
  return {
    root,
    run: (argv) => machine.answer(argv),
    put: async (dataset, text) => void (await mounted(dataset, 'printf %s "$2" >"$folder/file"', text)),
    get: async (dataset) => {
      const answer = await mounted(dataset, 'if [ -e "$folder/file" ]; then printf "=%s" "$(cat "$folder/file")"; fi');
      return answer.startsWith('=') ? answer.slice(1) : undefined;
    },
  };
}

zfsContract('OpenZFS', async () => {
  const root = `${ROOT}/${++scenarios}`;
  await machine.zfs('create', '-o', 'mountpoint=none', root);
  return bench(root);
});

incusContract('Incus', async () => {
  const name = `contract-${++scenarios}`;
  await machine.run('incus', ['init', '--quiet', 'mooring-services', name, '--profile', 'veza-data']);
  return { ...bench(name), dataset: `tank/incus/containers/${name}`, pool: 'tank' };
});
