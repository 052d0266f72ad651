import { existsSync } from 'node:fs';
import { HostError } from '../engine/errors.ts';
import { runTool } from './process.ts';

/** One line of a known_hosts file that is about the host in question. */
export type KnownKey = {
  readonly file: string;
  readonly line: number;
  readonly marker?: 'revoked' | 'cert-authority';
  /** `ssh-ed25519`, `ssh-rsa`, … */
  readonly type: string;
  /** The public key, base64. */
  readonly key: string;
};

/** What the known_hosts files say about an offered key. */
export type Verdict = 'known' | 'unknown' | { readonly changed: KnownKey } | { readonly revoked: KnownKey };

/**
 * What OpenSSH's files know of a host; `ssh-keygen -F` reads hashed names, patterns and ports for us.
 *
 * @param name `host` or `[host]:port`
 * @throws HostError on output that is not understood
 */
export async function findKnownKeys(name: string, files: readonly string[]): Promise<KnownKey[]> {
  const found = files.filter(existsSync).map(async (file) => {
    const argv = ['ssh-keygen', '-F', name, '-f', file] as const;
    const { code, stdout, stderr } = await runTool(argv);
    // 1 is "not found", whatever it says of broken lines; anything else that is not 0 is a file that could not be read.
    if (code === 1 && stdout.trim() === '') return [];
    if (code !== 0)
      throw new HostError(`${file} could not be searched for host keys`, { command: argv.join(' '), code, stderr: stderr.trim() });
    return parseFound(stdout, file);
  });
  return (await Promise.all(found)).flat();
}

/** Parses what `ssh-keygen -F` prints: `# Host x found: line 3 [CA|REVOKED]`, then that line. @throws HostError on anything else */
export function parseFound(output: string, file: string): KnownKey[] {
  const keys: KnownKey[] = [];
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  for (let i = 0; i < lines.length; i += 2) {
    const number = /^# Host .* found: line (\d+)(?: (?:CA|REVOKED))?\s*$/.exec(lines[i] ?? '')?.[1];
    const entry = /^(?:@(revoked|cert-authority)\s+)?\S+\s+([\w@.-]+)\s+([A-Za-z0-9+/=]+)(?:\s.*)?$/.exec(lines[i + 1] ?? '');
    if (number === undefined || entry === null) {
      throw new HostError(`ssh-keygen gave an answer about ${file} that is not understood`, { stderr: lines.slice(i, i + 2).join('\n') });
    }
    const [, marker, type = '', key = ''] = entry;
    keys.push({ file, line: Number(number), type, key, ...(marker !== undefined && { marker: marker as 'revoked' | 'cert-authority' }) });
  }
  return keys;
}

/**
 * Host key algorithms to ask for: only of kinds that are known for this host, or a host with a known ed25519 key
 * would be taken for an unknown one because it offered its RSA key. All of them when none is known.
 *
 * @param preferred OpenSSH's own list for the host
 */
export function hostKeyAlgorithms(known: readonly KnownKey[], preferred: readonly string[]): string[] {
  // What ssh2 can do and is safe: no certificates, no hardware-backed host keys, no SHA-1.
  const usable = preferred.filter((algorithm) => /^(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|rsa-sha2-(256|512))$/.test(algorithm));
  const types = new Set(known.filter(({ marker }) => marker === undefined).map(({ type }) => type));
  const wanted = usable.filter((algorithm) => types.has(algorithm.startsWith('rsa-') ? 'ssh-rsa' : algorithm));
  return wanted.length > 0 ? wanted : usable;
}

/** Judges an offered key. A revoked key is refused whatever else the files say; another key of a known kind is a changed one. */
export function judgeKey(known: readonly KnownKey[], offered: Buffer): Verdict {
  const text = offered.toString('base64');
  const type = keyType(offered);
  const revoked = known.find(({ marker, key }) => marker === 'revoked' && key === text);
  if (revoked !== undefined) return { revoked };
  const plain = known.filter(({ marker }) => marker === undefined);
  if (plain.some(({ key }) => key === text)) return 'known';
  const changed = plain.find((key) => key.type === type) ?? plain[0];
  return changed === undefined ? 'unknown' : { changed };
}

/** The kind of a public key in SSH wire format (RFC 4253, 6.6): its first string. */
export function keyType(key: Buffer): string {
  return key.subarray(4, 4 + key.readUInt32BE(0)).toString('latin1');
}
