import type { CommandResult } from '../engine/command.ts';
import { AGAIN, HostError, lastLines } from '../engine/errors.ts';
import { fingerprint } from '../engine/host-key.ts';
import { quote } from '../engine/quote.ts';
import { type KnownKey, keyType, type Verdict } from './known-hosts.ts';
import type { SshSettings } from './ssh-config.ts';

/** What was known when a connection failed. */
export type ConnectTrouble = {
  /** ssh2's error; `level` and `code` tell where it comes from. */
  readonly error: Error & { level?: string; code?: string | number };
  readonly known: readonly KnownKey[];
  /** Ways to log in, as {@link import('./ssh-auth.ts').Authentication} says them. */
  readonly tried: readonly string[];
  /** The user's certificates, which were not tried. */
  readonly certificates: readonly string[];
  /** Last words of the proxy command. */
  readonly proxyStderr: string;
};

/** The error for a host whose key is not the known one. */
export function keyError(settings: SshSettings, verdict: Exclude<Verdict, 'known'>, key: Buffer, known: readonly KnownKey[]): HostError {
  const { alias, hostKeyName } = settings;
  const offered = `${keyType(key)} ${fingerprint(key)}`;
  const file = settings.knownHosts[0] ?? '~/.ssh/known_hosts';
  const detail = { host: alias };
  if (verdict === 'unknown') {
    const authority = known.some(({ marker }) => marker === 'cert-authority')
      ? ' It is known by a certificate authority only, and nx-mooring takes no host certificates.'
      : '';
    return new HostError(
      `the host key of ${alias} (${hostKeyName}) is unknown: it offers ${offered}, and ${file} has no key of it.${authority}`,
      {
        ...detail,
        next: `compare the fingerprint with the host's own (ssh-keygen -lf /etc/ssh/ssh_host_${shortType(key)}_key.pub there), then: ${addCommand(settings, file, key)}`,
      },
    );
  }
  if ('revoked' in verdict) {
    const { file: at, line } = verdict.revoked;
    return new HostError(`the host key of ${alias} (${hostKeyName}) is revoked: it offers ${offered}, marked @revoked at ${at}:${line}`, {
      ...detail,
      next: 'do not log in there before it is known why; give the host a new key',
    });
  }
  return new HostError(
    `the host key of ${alias} (${hostKeyName}) has changed: it offers ${offered}, but ${whatIsKnown([verdict.changed])}. Somebody may be listening in.`,
    {
      ...detail,
      next: changedNext(settings, verdict.changed, addCommand(settings, verdict.changed.file, key)),
    },
  );
}

/** The error for a connection that did not come about. Nothing was done on the host. */
export function connectError(settings: SshSettings, trouble: ConnectTrouble): HostError {
  const { alias, hostname, port, user } = settings;
  const { error, known, tried, certificates, proxyStderr } = trouble;
  const where = `${alias} (${hostname}:${port})`;
  const file = settings.config === undefined ? '' : `-F ${word(settings.config)} `;
  const by = `ssh ${file}-v ${alias} true`;
  const make = (message: string, next: string) =>
    new HostError(message, { host: alias, next, ...(proxyStderr && { stderr: proxyStderr }) }, error);
  const first = known.find(({ marker }) => marker === undefined);
  if (error.level === 'client-authentication') {
    const untried =
      certificates.length > 0 ? `; nx-mooring does not support SSH user certificates, so it did not try ${certificates.join(', ')}` : '';
    return make(
      `${where} does not let ${user} in; tried: ${tried.join(', ')}${untried}`,
      untried === '' ? authNext(tried, by) : `let the host take the key itself: ssh-copy-id -f ${file}-i <the key's .pub file> ${alias}`,
    );
  }
  if (/no matching host key/.test(error.message) && first !== undefined) {
    return make(
      `the host key of ${where} has changed: it has none of the known kind, and ${whatIsKnown([first])}`,
      changedNext(settings, first, addCommand(settings, first.file)),
    );
  }
  if (settings.proxy !== undefined && !/handshake failed/i.test(error.message)) {
    return make(`the way to ${where} failed (${settings.proxy.join(' ')}): ${error.message}`, by);
  }
  switch (error.code) {
    case 'ECONNREFUSED':
      return make(
        `${where} refuses the connection: nothing listens there, or a firewall rejects it`,
        `is sshd running there, and is ${port} its port? ${by}`,
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return make(
        `${alias}: the name ${hostname} cannot be resolved (${error.code})`,
        `is ${alias} a Host of ${settings.config ?? 'your SSH configuration'}? ssh -G ${alias} | grep -i hostname`,
      );
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return make(`there is no way to ${where} (${error.code})`, `is the network or VPN up? ping ${hostname}`);
  }
  if (error.level === 'client-dns') return make(`${alias}: the name ${hostname} cannot be resolved`, `ssh -G ${alias} | grep -i hostname`);
  if (error.level === 'client-timeout' || error.code === 'ETIMEDOUT') {
    return make(
      `${where} does not answer within ${settings.connectTimeoutMs / 1000} seconds`,
      `is it up, and the network or VPN too? ${by}`,
    );
  }
  return make(`no SSH connection to ${where}: ${error.message}`, by);
}

/** The error for a command whose answer did not come. */
export function lostError(alias: string, command: string, why: string): HostError {
  return new HostError(`${why} while ${alias} was running a command: it is unknown whether it was done`, {
    host: alias,
    command,
    next: AGAIN,
  });
}

/** The error for a login shell that did not run `sh`: the command was not started. It tells its name at best by its words. */
export function shellError(alias: string, user: string, { code, stdout, stderr }: Omit<CommandResult, 'command'>): HostError {
  const words = lastLines(`${stderr}${stdout}`);
  // util-linux and shadow; `false` says nothing.
  const name = /This account is (currently )?not available/.test(words) ? ' (nologin)' : words === '' ? ' (it says nothing: false?)' : '';
  return new HostError(`the login shell of ${user} on ${alias} runs no commands${name}`, {
    host: alias,
    code,
    ...(words !== '' && { stderr: words }),
    next: `name another user in the SSH configuration of ${alias}, or give this one a shell: getent passwd ${user} shows which it has, usermod -s /bin/bash ${user} changes it`,
  });
}

function authNext(tried: readonly string[], by: string): string {
  const locked = tried.find((way) => way.includes('passphrase'));
  if (locked === undefined) return `does the host have your public key? ${by}`;
  return `unlock the key for this session: eval "$(ssh-agent)" && ssh-add ${locked.slice(0, locked.indexOf(' ('))}`;
}

function whatIsKnown(keys: readonly KnownKey[]): string {
  return keys.map(({ file, line, type, key }) => `${file}:${line} has ${type} ${fingerprint(Buffer.from(key, 'base64'))}`).join(', ');
}

function changedNext({ hostKeyName }: SshSettings, { file }: KnownKey, add: string): string {
  return `find out why; only if the host was really set up anew: ssh-keygen -R '${hostKeyName}' -f ${word(file)} && ${add}`;
}

/** What adds the key. ssh-keyscan knows neither jumps nor aliases: then the very line. */
function addCommand(settings: SshSettings, file: string, key?: Buffer): string {
  if (key !== undefined && (settings.proxy !== undefined || settings.hostKeyAlias)) {
    return `echo '${settings.hostKeyName} ${keyType(key)} ${key.toString('base64')}' >> ${word(file)}`;
  }
  const kind = key === undefined ? '' : `-t ${shortType(key)} `;
  return `ssh-keyscan ${kind}-p ${settings.port} ${settings.hostname} >> ${word(file)}`;
}

function shortType(key: Buffer): string {
  const type = keyType(key);
  return type.startsWith('ecdsa') ? 'ecdsa' : type.replace('ssh-', '');
}

/** A path as it is typed in a shell. */
function word(path: string): string {
  return /^[\w./~@%+:,=-]+$/.test(path) ? path : quote(path);
}
