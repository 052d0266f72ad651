import { existsSync } from 'node:fs';
import { homedir, hostname, userInfo } from 'node:os';
import { HostError, InputError } from '../engine/errors.ts';
import { runTool } from './process.ts';

/** What OpenSSH would do for a host, as far as we need it. */
export type SshSettings = {
  readonly alias: string;
  /** Absolute path of the configuration file used in place of the user's; else nothing. */
  readonly config?: string;
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  /** The name under which known_hosts files have the host: `HostKeyAlias`, `name` or `[name]:port`. */
  readonly hostKeyName: string;
  readonly hostKeyAlias: boolean;
  /** Host key algorithms, the preferred first. */
  readonly hostKeyAlgorithms: readonly string[];
  /** The user's files first; they need not exist. */
  readonly knownHosts: readonly string[];
  readonly identityFiles: readonly string[];
  /** Certificates that OpenSSH would show, beside those that lie by their keys (`id_ed25519-cert.pub`). They need not exist. */
  readonly certificateFiles: readonly string[];
  readonly identitiesOnly: boolean;
  /** Socket of the agent. */
  readonly agent?: string;
  /** Command whose stdin and stdout are the connection. */
  readonly proxy?: readonly [string, ...string[]];
  readonly family?: 4 | 6;
  readonly connectTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly keepAliveCount: number;
};

/** Variables of ours that settings may refer to. */
export type SshVariables = Readonly<Record<string, string | undefined>>;

/**
 * Asks `ssh -G` for a host's settings.
 *
 * @param alias as one would type it after `ssh`
 * @param config absolute path of a configuration file in place of the user's
 * @throws InputError for an alias that could be taken for an option; HostError when the configuration has an error
 */
export async function readSshSettings(alias: string, config?: string): Promise<SshSettings> {
  if (!/^[A-Za-z0-9_][\w.@:-]*$/.test(alias)) {
    throw new InputError(`${JSON.stringify(alias)} is not an SSH host alias`, { next: 'name a Host of the SSH configuration, or local' });
  }
  const { SSH_AUTH_SOCK } = process.env;
  const argv: [string, ...string[]] = ['ssh', '-G', ...(config === undefined ? [] : ['-F', config]), '--', alias];
  const { code, stdout, stderr } = await runTool(argv, SSH_AUTH_SOCK === undefined ? {} : { variables: { SSH_AUTH_SOCK } });
  if (code !== 0) {
    throw new HostError(`OpenSSH does not take the configuration of ${alias}`, {
      host: alias,
      command: argv.join(' '),
      code,
      stderr: stderr.trim(),
    });
  }
  return parseSshSettings(stdout, alias, config, process.env);
}

/** Parses the output of `ssh -G`. Pure but for looking which paths exist (their list has no quotes). @throws HostError on a missing setting */
export function parseSshSettings(output: string, alias: string, config: string | undefined, variables: SshVariables): SshSettings {
  const values = new Map<string, string[]>();
  for (const line of output.split('\n').filter(Boolean)) {
    const space = line.indexOf(' ');
    const key = space < 0 ? line : line.slice(0, space);
    values.set(key, [...(values.get(key) ?? []), space < 0 ? '' : line.slice(space + 1)]);
  }
  const optional = (key: string) => {
    const value = values.get(key)?.[0];
    return value === undefined || value === 'none' ? undefined : value;
  };
  const required = (key: string) => {
    const value = optional(key);
    if (value === undefined)
      throw new HostError(`ssh -G ${alias} gave no ${key}`, { host: alias, next: 'ssh -V (8.4 or newer is needed)' });
    return value;
  };
  const seconds = (key: string, otherwise: number) => Number(optional(key) || otherwise) || otherwise;
  if (optional('revokedhostkeys') !== undefined) {
    throw new HostError(`RevokedHostKeys is set for ${alias}, which nx-mooring cannot check`, {
      host: alias,
      next: 'mark the key @revoked in a known_hosts file instead, and take RevokedHostKeys out for this host',
    });
  }
  const host = required('hostname');
  const port = Number(required('port'));
  const user = required('user');
  const keyAlias = optional('hostkeyalias');
  const hostKeyName = keyAlias ?? (port === 22 ? host : `[${host}]:${port}`);
  const tokens = { h: host, n: alias, p: String(port), r: user, k: keyAlias ?? alias };
  const path = (text: string) => expandTokens(text.replace(/^~(?=\/)/, userInfo().homedir), tokens, variables);
  const agent = agentSocket(optional('identityagent'), values.get('identityagent')?.[0] === 'none', variables, path);
  const proxy = proxyCommand(optional('proxyjump'), optional('proxycommand'), { host, port, config }, (text) =>
    expandTokens(text, tokens, {}),
  );
  const family = { inet: 4, inet6: 6 }[optional('addressfamily') ?? ''] as 4 | 6 | undefined;
  return {
    alias,
    ...(config !== undefined && { config }),
    hostname: host,
    port,
    user,
    hostKeyName,
    hostKeyAlias: keyAlias !== undefined,
    hostKeyAlgorithms: required('hostkeyalgorithms').split(','),
    knownHosts: [...splitPaths(optional('userknownhostsfile')), ...splitPaths(optional('globalknownhostsfile'))].filter(
      (file) => file !== '/dev/null',
    ),
    identityFiles: (values.get('identityfile') ?? []).filter((file) => file !== 'none').map(path),
    certificateFiles: (values.get('certificatefile') ?? []).filter((file) => file !== 'none').map(path),
    identitiesOnly: optional('identitiesonly') === 'yes',
    ...(agent !== undefined && { agent }),
    ...(proxy !== undefined && { proxy }),
    ...(family !== undefined && { family }),
    connectTimeoutMs: seconds('connecttimeout', 15) * 1000,
    keepAliveMs: seconds('serveraliveinterval', 15) * 1000,
    keepAliveCount: seconds('serveralivecountmax', 3),
  };
}

function agentSocket(
  setting: string | undefined,
  off: boolean,
  variables: SshVariables,
  path: (text: string) => string,
): string | undefined {
  if (off) return undefined;
  if (setting === undefined || setting === 'SSH_AUTH_SOCK') return variables.SSH_AUTH_SOCK || undefined;
  if (/^\$\w+$/.test(setting)) return variables[setting.slice(1)] || undefined;
  return path(setting);
}

/** As OpenSSH itself does a jump: `ssh -W` to the last hop, which jumps over those before it. */
function proxyCommand(
  jump: string | undefined,
  command: string | undefined,
  to: { host: string; port: number; config?: string | undefined },
  expand: (text: string) => string,
): readonly [string, ...string[]] | undefined {
  if (jump !== undefined) {
    const hops = jump.split(',');
    const last = hops.pop() as string;
    // `ssh -G` writes an address as `[10.0.0.1]`, which ssh takes in a URL only, and a port.
    const destination = /\]$|:\d+$/.test(last) ? `ssh://${last}` : last;
    const target = to.host.includes(':') ? `[${to.host}]:${to.port}` : `${to.host}:${to.port}`;
    const config = to.config === undefined ? [] : ['-F', to.config];
    // BatchMode: there is no terminal to ask on, and an unknown key of the hop must be an error.
    return ['ssh', ...config, ...(hops.length > 0 ? ['-J', hops.join(',')] : []), '-o', 'BatchMode=yes', '-W', target, '--', destination];
  }
  return command === undefined ? undefined : ['sh', '-c', `exec ${expand(command)}`];
}

/** ssh_config(5), TOKENS: those that are accepted in IdentityFile, IdentityAgent and ProxyCommand alike. */
function expandTokens(text: string, tokens: Record<string, string>, variables: SshVariables): string {
  const { username, uid } = userInfo();
  const local: Record<string, string> = {
    '%': '%',
    d: homedir(),
    i: String(uid),
    l: hostname(),
    L: hostname().split('.')[0] ?? '',
    u: username,
    ...tokens,
  };
  return text
    .replace(/%(.?)/g, (token, letter: string) => {
      const value = local[letter];
      if (value === undefined)
        throw new InputError(`nx-mooring does not know ${token} of the SSH configuration in ${JSON.stringify(text)}`);
      return value;
    })
    .replace(/\$\{(\w+)\}/g, (whole, name: string) => variables[name] ?? whole);
}

/** `ssh -G` prints lists of paths without quotes: the longest run of words that is a file is one path. */
function splitPaths(list: string | undefined): string[] {
  const words = list === undefined ? [] : list.split(' ');
  const paths: string[] = [];
  while (words.length > 0) {
    let count = words.length;
    while (count > 1 && !existsSync(words.slice(0, count).join(' '))) count--;
    paths.push(words.splice(0, count).join(' '));
  }
  return paths;
}
