import { expect, it } from 'vitest';
import { leftoversFact } from './leftovers.ts';

const pool = { name: 'default', driver: 'zfs', config: { 'zfs.pool_name': 'tank/incus' } };
const fact = leftoversFact(pool);
const parse = (stdout: string, code = 0, stderr = '') => fact.parse({ command: fact.command, code, stdout, stderr });

it('asks for the whole pool: preserved states lie beside what Incus knows', () => {
  expect(fact.command.argv).toEqual(['zfs', 'list', '-H', '-o', 'name', '-t', 'filesystem', '-r', 'tank']);
});

it("finds an instance's dataset and its preserved states by their whole names", () => {
  const leftovers = parse(
    'tank\ntank/incus\ntank/incus/containers\ntank/incus/containers/veza-redis-old\ntank/incus/containers/p_veza-redis\ntank/mooring/veza-redis-20261122\ntank/mooring/veza-redis-old-20261122\n',
  );
  expect(leftovers(['default', 'p'], 'veza-redis')).toEqual(['tank/incus/containers/p_veza-redis', 'tank/mooring/veza-redis-20261122']);
  expect(leftovers(['default', 'p'], 'veza')).toEqual([]);
});

it('what ZFS does not tell is not absent', () => {
  expect(() => parse('', 1, "cannot open 'tank': dataset does not exist")).toThrow();
  expect(() => parse('no datasets available\n')).toThrow('not known');
});
