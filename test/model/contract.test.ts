import { incus } from '../../tools/executors/src/platforms/incus/command.ts';
import { stateContract } from '../contract/state.contract.ts';
import { type IncusBench, incusContract } from './incus.contract.ts';
import { newWorld, onZfs } from './process.ts';
import { Connection } from './world/host.ts';
import { runOnHost } from './world/shell.ts';
import type { World } from './world/world.ts';
import { type ZfsBench, zfsContract } from './zfs.contract.ts';

const UNWATCHED = { before: () => undefined, after: () => {} };

/** A world as the contracts see a host. */
function bench(world: World, root: string): ZfsBench {
  return {
    root,
    run: async (argv) => runOnHost(world, argv[0] === 'incus' ? incus(...argv.slice(1)) : argv, undefined, UNWATCHED),
    put: async (dataset, text) => world.zfs.write(dataset, new Map(world.zfs.dataset(dataset).content).set('file', text)),
    get: async (dataset) => world.zfs.dataset(dataset).content.get('file'),
  };
}

zfsContract('the model', async () => {
  const world = newWorld(onZfs);
  world.zfs.create('tank/contract', {});
  return bench(world, 'tank/contract');
});

incusContract('the model', async (): Promise<IncusBench> => {
  const world = newWorld(onZfs);
  world.incus.create({ name: 'c1', project: 'default', config: {}, devices: {}, profiles: ['zpool'] });
  return { ...bench(world, 'c1'), dataset: 'tank/incus/containers/c1', pool: 'zpool' };
});

const world = newWorld({ ...onZfs, world: { ...onZfs.world, seconds: Date.now() / 1000 } });
stateContract('the model', async () => new Connection(world).open('model'), {
  folder: '/var/lib/mooring',
  read: (path) => world.files.read(path) ?? '',
  write: (path, text) => world.files.write(path, text),
  exists: (path) => world.files.exists(path),
  mode: (path) => world.files.mode(path),
  makeFolder: (path) => void world.files.makeFolder(path),
  remove: (path) => world.files.remove(path),
});
