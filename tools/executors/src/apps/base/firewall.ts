import type { Change } from '../../engine/change.ts';
import { read, write } from '../../engine/command.ts';
import { MooringError, mustSucceed } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import { defineStage } from '../../engine/service.ts';
import { unitsOf } from '../layout/parts.ts';
import type { AppSettings } from '../settings.ts';

/** Begins the comment of every rule that is ours; others are never touched. */
const OURS = 'nx-mooring';

export type Rule = { readonly text: string; readonly comment: string };

export type FirewallFacts = {
  /** What comes in unless a rule allows it; `null` when the firewall is off. */
  readonly policy: string | null;
  readonly rules: readonly Rule[];
  /** Where sshd listens. */
  readonly sshPorts: readonly number[];
};

/** UFW: SSH first, before it is switched on, then the application's ports; of ours, what is not wanted any more goes. */
export const firewall = defineStage<AppSettings, FirewallFacts>({
  name: 'firewall',
  facts: () => ({ policy, rules, sshPorts }),
  plan(facts, { settings }) {
    const wanted = [
      ...facts.sshPorts.map((port) => ({ port, what: 'ssh' })),
      ...unitsOf(settings).map(({ port, name }) => ({ port, what: name })),
    ];
    const allowed = (port: number) => facts.rules.some(({ text }) => text === `allow ${port}/tcp` || text === `allow ${port}`);
    const changes: Change[] = wanted.filter(({ port }) => !allowed(port)).map(({ port, what }) => allow(port, what));
    for (const { text, comment } of facts.rules) {
      const [, port] = /^allow (\d+)\/tcp$/.exec(text) ?? [];
      if (comment.startsWith(OURS) && !wanted.some((one) => String(one.port) === port)) changes.push(withdraw(text));
    }
    if (facts.policy !== 'deny') changes.push(switchOn(facts.policy));
    return changes;
  },
});

const sshPorts: Fact<number[]> = {
  name: 'ports of sshd',
  command: read(['sshd', '-T']),
  parse(result) {
    const { stdout } = mustSucceed(result, 'sshd did not tell where it listens');
    const ports = [...stdout.matchAll(/^port (\d+)$/gm)].map(([, port]) => Number(port));
    if (ports.length === 0) throw new MooringError('sshd -T names no port: with the firewall on, nobody would come in any more');
    return ports;
  },
};

const policy: Fact<string | null> = {
  name: 'state of the firewall',
  command: read(['ufw', 'status', 'verbose']),
  parse(result) {
    const { stdout } = mustSucceed(result, 'ufw did not tell its state');
    if (/^Status: inactive$/m.test(stdout)) return null;
    const [, incoming] = /^Default: (\w+) \(incoming\)/m.exec(stdout) ?? [];
    if (!/^Status: active$/m.test(stdout) || incoming === undefined) throw new MooringError(`unexpected answer of ufw: ${stdout}`);
    return incoming;
  },
};

const rules: Fact<Rule[]> = {
  name: 'rules of the firewall',
  command: read(['ufw', 'show', 'added']),
  parse(result) {
    const [title, ...lines] = mustSucceed(result, 'ufw did not tell its rules').stdout.trimEnd().split('\n');
    if (!title?.startsWith('Added user rules')) throw new MooringError(`unexpected answer of ufw: ${result.stdout}`);
    return lines
      .filter((line) => line !== '(None)' && line !== '')
      .map((line) => {
        const [, text, comment = ''] = /^ufw (.*?)(?: comment '(.*)')?$/.exec(line) ?? [];
        if (text === undefined) throw new MooringError(`unexpected rule of ufw: ${line}`);
        return { text, comment };
      });
  },
};

function allow(port: number, what: string): Change {
  return {
    resource: `firewall rule ${port}/tcp`,
    action: 'create',
    after: `allow, ${what}`,
    impact: 'none',
    because: `${what} listens there`,
    commands: [write(['ufw', 'allow', `${port}/tcp`, 'comment', `${OURS} ${what}`])],
  };
}

function withdraw(text: string): Change {
  return {
    resource: `firewall rule ${text.replace('allow ', '')}`,
    action: 'destroy',
    before: text,
    impact: 'none',
    because: 'nothing of the settings listens there any more',
    commands: [write(['ufw', 'delete', ...text.split(' ')])],
  };
}

function switchOn(before: string | null): Change {
  return {
    resource: 'firewall',
    action: 'update',
    before: before === null ? 'off' : before,
    after: 'deny',
    impact: 'none',
    because: 'nothing but what a rule allows is to come in',
    commands: [write(['ufw', 'default', 'deny', 'incoming']), write(['ufw', '--force', 'enable'])],
  };
}
