import { expect, it } from 'vitest';
import { neighbourOf } from './neighbour.ts';

const parse = (stdout: string, code = 0) => {
  const fact = neighbourOf('10.20.0.101');
  return fact.parse({ command: fact.command, code, stdout, stderr: code === 0 ? '' : 'RTNETLINK answers: Network is unreachable' });
};

it.each([
  ['one that answers', 'yes yes\n10.20.0.101 dev vmbr0 lladdr bc:24:11:00:00:01 REACHABLE\n', 'BC:24:11:00:00:01', true],
  ['one that drops ping', 'yes no\n10.20.0.101 dev vmbr0 lladdr bc:24:11:00:00:01 REACHABLE\n', 'BC:24:11:00:00:01', true],
  ['nobody', 'yes no\n10.20.0.101 dev vmbr0 FAILED\n', undefined, true],
  ['nobody, with an old entry', 'yes no\n10.20.0.101 dev vmbr0 lladdr bc:24:11:00:00:01 FAILED\n', undefined, true],
  ['no entry', 'yes no\n\n', undefined, true],
  [
    'one that is asked by a host without ping',
    'yes unasked\n10.20.0.101 dev vmbr0 lladdr bc:24:11:00:00:01 REACHABLE\n',
    'BC:24:11:00:00:01',
    true,
  ],
  ['behind a router', 'no yes\n\n', undefined, false],
])('%s', (_, stdout, mac, onLink) => expect(parse(stdout)).toMatchObject({ mac, onLink, own: false }));

it('is the host itself', () => expect(parse('own yes\n\n')).toMatchObject({ own: true, onLink: true, ping: true }));

it('is an error where it could not be asked, or is not understood', () => {
  expect(() => parse('', 2)).toThrow('it could not be asked who has 10.20.0.101');
  expect(() => parse('maybe\n')).toThrow('not understood');
});
