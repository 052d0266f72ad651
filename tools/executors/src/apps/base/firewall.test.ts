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
  expect(() => answer('sshPorts', 'addressfamily any\n')).toThrow('nobody would come in any more');
});

it('knows whether it is on', () => {
  expect(answer('policy', 'Status: inactive\n')).toBeNull();
  expect(answer('policy', 'Status: active\nLogging: on (low)\nDefault: deny (incoming), allow (outgoing), deny (routed)\n')).toBe('deny');
  expect(() => answer('policy', 'Status: active\n')).toThrow('unexpected answer of ufw');
  expect(() => answer('policy', '', 1)).toThrow('ufw did not tell its state');
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
