import { expect, test } from 'vitest';
import { InputError, MooringError } from '../engine/errors.ts';
import { addBackports, addSource, installedPackages, installPackages } from './apt.ts';

const fact = installedPackages(['postgresql-15', 'redis-server', 'curl']);

function answer(stdout: string, missing: readonly string[], code = missing.length === 0 ? 0 : 1) {
  const stderr = missing.map((name) => `dpkg-query: no packages found matching ${name}\n`).join('');
  return { command: fact.command, code, stdout, stderr };
}

test('one dpkg-query asks for all packages', () => {
  expect(fact.command).toEqual({
    argv: ['dpkg-query', '-W', '-f', '${Package}\\t${db:Status-Abbrev}\\t${Version}\\n', 'postgresql-15', 'redis-server', 'curl'],
    effect: 'read',
  });
});

test('installed, half-configured and unknown packages are told apart', () => {
  const stdout = 'postgresql-15\tii \t15.14-0+deb12u1\nredis-server\tiF \t5:7.0.15-1\n';
  expect(fact.parse(answer(stdout, ['curl']))).toEqual({ 'postgresql-15': '15.14-0+deb12u1', 'redis-server': undefined, curl: undefined });
});

test.each(['iU ', 'rc ', 'un ', 'iHR', 'ihR', 'pi '])('dpkg status %j', (status) => {
  const stdout = `postgresql-15\t${status}\t1\n`;
  const installed = status[1] === 'i';
  expect(fact.parse(answer(stdout, ['redis-server', 'curl']))['postgresql-15']).toBe(installed ? '1' : undefined);
});

test('a held package is installed', () => {
  expect(fact.parse(answer('curl\thi \t7.88\n', ['postgresql-15', 'redis-server'])).curl).toBe('7.88');
});

test('absent only where dpkg said so', () => {
  expect(() => fact.parse(answer('curl\tii \t7.88\n', ['redis-server']))).toThrow('says nothing about postgresql-15');
  expect(() => fact.parse({ ...answer('', []), code: 2, stderr: 'dpkg-query: error: cannot open /var/lib/dpkg/status\n' })).toThrow(
    MooringError,
  );
  expect(() => fact.parse(answer('something else\n', ['postgresql-15', 'redis-server', 'curl']))).toThrow('not known: something else');
});

test('package names are parameters of a fixed script', () => {
  const { argv, effect } = installPackages(['redis-server', 'curl']);
  expect(effect).toBe('write');
  expect(argv.slice(0, 2)).toEqual(['sh', '-euc']);
  expect(argv.slice(3)).toEqual(['sh', 'redis-server', 'curl']);
});

test.each([[[]], [['-o', 'redis']], [['redis*']], [['a b']], [['']]])('%j is refused', (names) => {
  expect(() => installPackages(names)).toThrow(InputError);
  expect(() => installedPackages(names)).toThrow(InputError);
});

test('a source goes to stdin, its path is a parameter', () => {
  const { argv, stdin, effect } = addSource('/etc/apt/sources.list.d/x.sources', 'Types: deb\n');
  expect({ effect, stdin, parameters: argv.slice(3) }).toEqual({
    effect: 'write',
    stdin: 'Types: deb\n',
    parameters: ['sh', '/etc/apt/sources.list.d/x.sources'],
  });
});

test('backports come from the mirror that apt has, whose host is in no text of ours', () => {
  const { argv, stdin, effect } = addBackports();
  expect({ effect, stdin, parameters: argv.slice(3) }).toEqual({ effect: 'write', stdin: undefined, parameters: ['sh'] });
  expect(argv[2]).not.toMatch(/https?:/);
  expect(argv[2]).toContain("/dists/$VERSION_CODENAME/InRelease'");
});
