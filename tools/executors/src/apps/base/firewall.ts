import type { Change } from '../../engine/change.ts';
import { read, write } from '../../engine/command.ts';
import { MooringError, mustSucceed } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import { defineStage } from '../../engine/service.ts';
import { unitsOf } from '../layout/parts.ts';
import type { AppSettings } from '../settings.ts';
import { sshPorts } from './sshd.ts';

/** Begins the comment of every rule that is ours; others are never touched. */
const OURS = 'nx-mooring';

export type Rule = { readonly text: string; readonly comment: string };

export type FirewallFacts = {
  /** What comes in unless a rule allows it; `null` when the firewall is off. */
  readonly policy: string | null;
  readonly rules: readonly Rule[];
  /** Where sshd can be reached. */
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
    // A rule of somebody else that lets it in will do: ufw keeps one for a port, and ours would take the place of a `limit`.
    const names = (port: number) => [`${port}/tcp`, `${port}`, ...(port === 22 ? ['OpenSSH'] : [])];
    const allowed = (port: number) =>
      facts.rules.some(({ text }) => names(port).some((name) => text === `allow ${name}` || text === `limit ${name}`));
    const changes: Change[] = wanted.filter(({ port }) => !allowed(port)).map(({ port, what }) => allow(port, what));
    for (const { text, comment } of facts.rules) {
      const [, port] = /^allow (\d+)\/tcp$/.exec(text) ?? [];
      // One for SSH stays: who is connected may have come by it.
      if (comment.startsWith(OURS) && comment !== `${OURS} ssh` && !wanted.some((one) => String(one.port) === port))
        changes.push(withdraw(text));
    }
    if (facts.policy !== 'deny' && facts.policy !== 'reject') changes.push(switchOn(facts.policy));
    return changes;
  },
});

const policy: Fact<string | null> = {
  name: 'state of the firewall',
  command: read(['ufw', 'status', 'verbose']),
  parse(result) {
    const { stdout } = mustSucceed(result, 'ufw did not report its state');
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
    const [title, ...lines] = mustSucceed(result, 'ufw did not report its rules').stdout.trimEnd().split('\n');
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
