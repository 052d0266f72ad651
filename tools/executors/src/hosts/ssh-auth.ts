import { readFile } from 'node:fs/promises';
import type { AnyAuthMethod, BaseAgent, ParsedKey } from 'ssh2';
import type { SshSettings } from './ssh-config.ts';

/** How to prove who we are, in the order of trying, and in words for the case that nobody believes it. */
export type Authentication = { readonly methods: readonly AnyAuthMethod[]; readonly tried: readonly string[] };

type Ssh2 = typeof import('ssh2');
type KeyFile = { path: string; method?: AnyAuthMethod; publicKey?: string; note?: string };

/**
 * Collects the agent's keys and the key files that OpenSSH would use. The agent's come first, those of the configuration's
 * files before the others; with `IdentitiesOnly` only those. No file's passphrase is ever asked for: that is the agent's work.
 */
export async function authentication(settings: SshSettings, ssh2: Ssh2): Promise<Authentication> {
  const { user: username } = settings;
  const [files, agent] = await Promise.all([
    Promise.all(settings.identityFiles.map((path) => readKeyFile(path, username, ssh2))),
    settings.agent === undefined ? undefined : askAgent(settings.agent, ssh2),
  ]);
  const named = new Set(files.map(({ publicKey }) => publicKey).filter((key) => key !== undefined));
  const keys = agent?.keys ?? [];
  const isNamed = (key: ParsedKey) => named.has(key.getPublicSSH().toString('base64'));
  const offered = [...keys.filter(isNamed), ...(settings.identitiesOnly ? [] : keys.filter((key) => !isNamed(key)))];
  const methods: AnyAuthMethod[] = [];
  if (agent?.inner !== undefined && offered.length > 0) {
    methods.push({ type: 'agent', username, agent: someKeysOf(agent.inner, offered, ssh2) });
  }
  methods.push(...files.flatMap(({ method }) => method ?? []));
  // Some hosts know us by the network (Tailscale SSH); and without any method ssh2 would never get to the host key.
  methods.push({ type: 'none', username });
  const present = files.filter(({ note }) => note !== 'no such file');
  return {
    methods,
    tried: [
      agent === undefined ? 'no agent (SSH_AUTH_SOCK is not set)' : (agent.note ?? `${offered.length} of the agent's ${keys.length} keys`),
      ...(present.length > 0 ? present : files).map(({ path, note }) => (note === undefined ? path : `${path} (${note})`)),
    ],
  };
}

async function readKeyFile(path: string, username: string, ssh2: Ssh2): Promise<KeyFile> {
  const [text, publicText] = await Promise.all([
    readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => error),
    readFile(`${path}.pub`, 'utf8').catch(() => ''),
  ]);
  const publicKey = publicText.trim().split(/\s+/)[1];
  const known = publicKey === undefined ? { path } : { path, publicKey };
  if (text instanceof Error) return { ...known, note: text.code === 'ENOENT' ? 'no such file' : (text.code ?? text.message) };
  const key = ssh2.utils.parseKey(text);
  if (key instanceof Error) {
    const locked = /passphrase|encrypted/i.test(key.message);
    return { ...known, note: locked ? 'has a passphrase and can be used through an agent only' : 'of a kind that cannot be used' };
  }
  if (!key.isPrivateKey())
    return { ...known, publicKey: key.getPublicSSH().toString('base64'), note: 'holds a public key: used through an agent only' };
  return { ...known, publicKey: key.getPublicSSH().toString('base64'), method: { type: 'publickey', username, key: text } };
}

/** Asked before the connection is made: an agent that fails in the middle would fail it, though a key file might do. */
function askAgent(socket: string, ssh2: Ssh2): Promise<{ inner?: BaseAgent; keys: ParsedKey[]; note?: string }> {
  const inner = new ssh2.OpenSSHAgent(socket);
  return new Promise((resolve) => {
    inner.getIdentities((error, keys) => {
      if (error) resolve({ keys: [], note: `an agent that does not answer at ${socket}` });
      else resolve({ inner: inner as BaseAgent, keys: (keys ?? []) as ParsedKey[] });
    });
  });
}

/** The agent, limited to some of its keys. */
function someKeysOf(inner: BaseAgent, keys: ParsedKey[], ssh2: Ssh2): BaseAgent {
  const some = Object.create(ssh2.BaseAgent.prototype) as BaseAgent;
  some.getIdentities = (done) => done(undefined, keys);
  some.sign = inner.sign.bind(inner);
  return some;
}
