import { describe, expect, it } from 'vitest';
import { type Listener, listeners, refuseTakenPorts, takeListeners, type WantedPort } from './listeners.ts';

/** As printed in Debian 12 (iproute2 6.1) on a host with both hierarchies of control groups. */
const OUTPUT = `listener 0      4096   127.0.0.53%lo:53    0.0.0.0:* users:(("systemd-resolve",pid=59,fd=19))
listener 0      511            [::1]:6379     [::]:* users:(("redis-server",pid=1027,fd=7))
listener 0      4096               *:4369        *:* users:(("epmd",pid=879,fd=3),("systemd",pid=1,fd=56))
listener 0      5            0.0.0.0:9500  0.0.0.0:*
listener /proc/1/cgroup:9:name=systemd:/init.scope
listener /proc/1/cgroup:0::/init.scope
listener /proc/1027/cgroup:9:name=systemd:/system.slice/redis-server.service
listener /proc/1027/cgroup:0::/
listener /proc/879/cgroup:0::/system.slice/epmd.service
OK
the rest
`;

const at = (address: string, ...[name, group = '/system.slice/other.service', pid = 812]: [string?, string?, number?]): Listener => ({
  address,
  port: 9500,
  programs: name === undefined ? [] : [{ name, pid, group }],
});

function refusal(found: readonly Listener[], ...wanted: WantedPort[]): string | undefined {
  try {
    refuseTakenPorts(found, wanted, 'redis-server');
    return undefined;
  } catch (error) {
    return `${(error as Error).message}; ${(error as { detail: { next: string } }).detail.next}`;
  }
}

describe('takeListeners', () => {
  it('tells addresses, programs and their control groups, and leaves the rest of the output', () => {
    const { listeners: found, rest } = takeListeners(OUTPUT);
    expect(rest).toBe('OK\nthe rest\n');
    expect(found.map(({ address, port }) => `${address} ${port}`)).toEqual(['127.0.0.53 53', '::1 6379', '* 4369', '0.0.0.0 9500']);
    expect(found[1]?.programs).toEqual([{ name: 'redis-server', pid: 1027, group: '/system.slice/redis-server.service' }]);
    expect(found[2]?.programs).toEqual([
      { name: 'epmd', pid: 879, group: '/system.slice/epmd.service' },
      { name: 'systemd', pid: 1, group: '/init.scope' },
    ]);
    expect(found[3]?.programs).toEqual([]);
  });

  it('takes an output without any as it is, and refuses a line that ss does not print', () => {
    expect(takeListeners('listens\n')).toEqual({ listeners: [], rest: 'listens\n' });
    expect(() => takeListeners('listener nonsense\n')).toThrow('ss printed a line that is not known: nonsense');
  });

  it('is what the fact of a service of one’s own gives', () => {
    const fact = listeners();
    expect(fact.command.effect).toBe('read');
    expect(fact.parse({ command: fact.command, code: 0, stdout: OUTPUT, stderr: '' })).toHaveLength(4);
  });
});

describe('refuseTakenPorts', () => {
  const want = { port: 9500, setting: '"port"' };

  it('names the port, the program, its process and unit, and what to type', () => {
    expect(refusal([at('0.0.0.0', 'perl')], want)).toBe(
      'port 9500 of the container is taken: perl (process 812 of other.service) listens on 0.0.0.0:9500; choose another "port" in container.json, ' +
        'or end what listens there (systemctl stop other.service, in the container); then run the same command again',
    );
    expect(refusal([at('::', 'python3', '/user.slice/user-0.slice/session-1.scope')], { port: 9500 })).toBe(
      'port 9500 of the container is taken: python3 (process 812 of session-1.scope) listens on [::]:9500; end what listens there ' +
        '(kill 812, in the container); then run the same command again',
    );
    expect(refusal([at('*', 'systemd', '/init.scope', 1)], want)).toContain('(systemctl list-sockets, in the container)');
    expect(refusal([at('*')], want)).toContain('a program that cannot be seen from the container');
  });

  it('lets the processes of the unit itself be, also below its control group, and those that share the port', () => {
    expect(refusal([at('*', 'redis-server', '/system.slice/redis-server.service')], want)).toBeUndefined();
    expect(refusal([at('*', 'x', '/system.slice/redis-server.service/payload')], want)).toBeUndefined();
    expect(refusal([at('*', 'redis-server', '/user.slice/redis-server')], want)).toContain('is taken');
    expect(refusal([at('*', 'epmd')], { port: 9500, sharedWith: ['epmd'] })).toBeUndefined();
  });

  it('knows nothing where it was not looked at, and another port is no reason', () => {
    expect(() => refuseTakenPorts(undefined, [want], 'redis-server')).not.toThrow();
    expect(refusal([at('*', 'perl')], { port: 9501 })).toBeUndefined();
  });

  it.each([
    ['127.0.0.1', '*', true],
    ['::1', '*', true],
    ['10.0.0.5', '0.0.0.0', true],
    ['::1', '0.0.0.0', false],
    ['::', '0.0.0.0', false],
    ['*', '0.0.0.0', true],
    ['*', '127.0.0.1', true],
    ['10.0.0.5', '127.0.0.1', false],
    ['0.0.0.0', '127.0.0.1', true],
    ['::ffff:127.0.0.1', '127.0.0.1', true],
    ['::1', '0:0:0:0:0:0:0:1', true],
  ])('what listens on %s is in the way of %s: %s', (found, address, taken) => {
    expect(refusal([at(found, 'perl')], { port: 9500, address }) !== undefined).toBe(taken);
  });

  it('tells every port that is taken', () => {
    const message = refusal([at('*', 'perl'), { ...at('*', 'nc'), port: 9501 }], want, { port: 9501, setting: '"consolePort"' });
    expect(message).toContain('port 9500 of the container is taken: perl');
    expect(message).toContain('; port 9501 of the container is taken: nc');
    expect(message).toContain('choose another "port" and "consolePort" in container.json');
  });
});
