import { expect, it } from 'vitest';
import { settings } from '../../../../../test/app-settings.ts';
import { firewall } from './firewall.ts';

const facts = firewall.facts({
  settings: settings('node'),
  context: { environment: 'dev', instance: 'g', clientNetworks: [], artifacts: {} },
});
const answer = (name: keyof typeof facts, stdout: string, code = 0) =>
  facts[name].parse({ command: facts[name].command, code, stdout, stderr: '' });

it('knows where sshd listens: by its files, and by what it does', () => {
  const listening = `LISTEN 0      128          0.0.0.0:22         0.0.0.0:*    users:(("sshd",pid=214,fd=3))
LISTEN 0      128             [::]:22            [::]:*    users:(("sshd",pid=214,fd=4))
LISTEN 0      511                *:3001             *:*    users:(("node",pid=9301,fd=18))
`;
  expect(answer('sshPorts', `port 2222\naddressfamily any\n${listening}`)).toEqual([2222, 22]);
  // systemd 252 of Debian 12: a socket for each connection's sshd, and one whose sshd was started by the first; a log-in that forwards a port.
  const sockets = `port 22
LISTEN 0      4096   127.0.0.53%lo:53   0.0.0.0:* users:(("systemd-resolve",pid=68,fd=19))
LISTEN 0      4096               *:2222       *:* users:(("systemd",pid=1,fd=26))
LISTEN 0      4096               *:2200       *:* users:(("systemd",pid=1,fd=31),("sshd",pid=952,fd=3))
LISTEN 0      128        127.0.0.1:6010 0.0.0.0:* users:(("sshd",pid=1200,fd=9))
LISTEN 0      128            [::1]:6010    [::]:* users:(("sshd",pid=1200,fd=10))
/run/dbus/system_bus_socket  dbus.socket                     dbus.service
/run/ssh-unix-local/socket   sshd-unix-local.socket          -
[::]:2222                    sshalt.socket                   -
0.0.0.0:2223                 logins.socket                   sshd@.service
[::]:9090                    cockpit.socket                  cockpit.service
vsock::22                    sshd-vsock.socket               -
audit 1                      systemd-journald-audit.socket   systemd-journald.service
connection 10.0.0.9 50412 10.0.0.4 2022
`;
  expect(new Set(answer('sshPorts', sockets) as number[])).toEqual(new Set([22, 2022, 2200, 2222, 2223]));
  expect(() => answer('sshPorts', 'addressfamily any\n')).toThrow('nobody would come in any more');
});

it('knows whether it is on', () => {
  expect(answer('policy', 'Status: inactive\n')).toBeNull();
  expect(answer('policy', 'Status: active\nLogging: on (low)\nDefault: deny (incoming), allow (outgoing), deny (routed)\n')).toBe('deny');
  expect(() => answer('policy', 'Status: active\n')).toThrow('unexpected answer of ufw');
  expect(() => answer('policy', '', 1)).toThrow('ufw did not report its state');
});

it('knows the rules, its own by their comment', () => {
  const title = "Added user rules (see 'ufw status' for running firewall):\n";
  expect(answer('rules', `${title}(None)\n`)).toEqual([]);
  expect(answer('rules', `${title}ufw allow 22/tcp comment 'nx-mooring ssh'\nufw limit OpenSSH\nufw deny from 10.0.0.9\n`)).toEqual([
    { text: 'allow 22/tcp', comment: 'nx-mooring ssh' },
    { text: 'limit OpenSSH', comment: '' },
    { text: 'deny from 10.0.0.9', comment: '' },
  ]);
  expect(() => answer('rules', 'ERROR: something\n')).toThrow('unexpected answer of ufw');
});
