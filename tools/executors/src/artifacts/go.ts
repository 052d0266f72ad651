import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { lastLines, MooringError } from '../engine/errors.ts';
import type { ArtifactSpec } from '../engine/service.ts';

export type GoSpec = Extract<ArtifactSpec, { kind: 'go' }>;
type Env = Readonly<Record<string, string | undefined>>;

/** Go 1.21 was the first that fetches the toolchain a module asks for. */
const OLDEST = [1, 21] as const;

const INSTALL_GO = 'install Go 1.21 or newer (https://go.dev/doc/install), or give the binary by url and sha256 in the settings';

/** What of our environment Go and the git it may call are given: nothing that is not about them. */
const passed =
  /^(PATH|HOME|USER|TMPDIR|GO[A-Z0-9]+|XDG_(CACHE|CONFIG)_HOME|NETRC|SSL_CERT_(FILE|DIR)|GIT_SSL_CAINFO|(HTTPS?|NO)_PROXY|(https?|no)_proxy)$/;

/** The Go of this machine. */
export type Go = { readonly version: string; readonly modCache: string; readonly env: Record<string, string> };

/** Finds Go. @throws MooringError when it is not there or too old */
export async function findGo(env: Env, signal?: AbortSignal): Promise<Go> {
  const minimal = Object.fromEntries(
    Object.entries(env).flatMap(([key, value]) => (value !== undefined && passed.test(key) ? [[key, value]] : [])),
  );
  const result = await go(['env', '-json', 'GOVERSION', 'GOMODCACHE'], minimal, { signal, timeoutMs: 20_000 });
  if (result.code === undefined) throw new MooringError('there is no Go on this machine to build with', { next: INSTALL_GO });
  if (result.code !== 0) throw failed(result, 'Go does not report its version', 'go env');
  const { GOVERSION, GOMODCACHE } = z.object({ GOVERSION: z.string(), GOMODCACHE: z.string() }).parse(JSON.parse(result.stdout));
  if (!isNewEnough(GOVERSION)) {
    throw new MooringError(`Go on this machine is ${GOVERSION || 'of an unknown version'}; 1.21 or newer is needed`, { next: INSTALL_GO });
  }
  return { version: GOVERSION, modCache: GOMODCACHE, env: minimal };
}

/** `go1.26.8`, `go1.22rc1`; a development build (`devel go1.27-…`) is taken as new enough. */
export function isNewEnough(version: string): boolean {
  const [, major, minor] = /go(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) > OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) >= OLDEST[1]);
}

/** Asks whether Go can get the module at that version, without getting it. @throws MooringError in the words of Go when it cannot */
export async function moduleIsKnown(spec: GoSpec, found: Go, scratch: string, signal?: AbortSignal): Promise<void> {
  const module = `${spec.module}@${spec.version}`;
  await mkdir(scratch, { recursive: true });
  const result = await go(['list', '-m', module], { ...found.env, GOWORK: 'off' }, { cwd: scratch, signal, timeoutMs: 60_000 });
  if (result.code !== 0) {
    throw failed(
      result,
      `Go cannot get ${module}`,
      `go list -m ${module}   (see GOPROXY in 'go env'); else choose another version, or give the binary by url and sha256 in the settings`,
    );
  }
}

/** A word that is an import path: with `-v` Go names each package as it compiles it (`go help build`). */
const PACKAGE = /^[\w.~-]+(?:\/[\w.~-]+)*$/;

/** What Go does, by a line that it says; nothing where the line tells no work. */
export function doing(line: string): string | undefined {
  const [, module] = /^go: downloading (\S.*)$/.exec(line) ?? [];
  return module !== undefined ? `downloading ${module}` : PACKAGE.test(line) ? `compiling ${line}` : undefined;
}

/**
 * Builds the module's command, static, for Linux, without paths of this machine in it.
 *
 * @param scratch an empty folder for this build alone; the binary is left in it
 * @param heard called with each line Go says
 * @returns path of the binary
 */
export async function build(
  spec: GoSpec,
  found: Go,
  scratch: string,
  options: { signal?: AbortSignal; heard?: (line: string) => void } = {},
): Promise<string> {
  const arch = spec.arch ?? 'amd64';
  const variables = Object.entries(spec.variables ?? {}).map(([name, value]) => ` -X '${name}=${value}'`);
  const env: Record<string, string> = {
    ...found.env,
    CGO_ENABLED: '0',
    GOOS: 'linux',
    GOARCH: arch,
    GOWORK: 'off',
    // GOBIN is refused for another architecture; a GOPATH of the build's own has its output in it either way.
    GOPATH: scratch,
    GOMODCACHE: found.modCache,
  };
  delete env.GOBIN;
  const args = ['install', '-v', '-trimpath', `-ldflags=-s -w${variables.join('')}`, `${spec.module}@${spec.version}`];
  const result = await go(args, env, { cwd: scratch, signal: options.signal, heard: options.heard, background: true });
  if (result.code !== 0)
    throw failed(
      { ...result, stderr: withoutPackages(result.stderr) },
      `${spec.module}@${spec.version} could not be built`,
      'see what Go says; a full disk and a cut network are the usual reasons. Then run the same command again',
    );
  const binary = await findBinary(join(scratch, 'bin'), basename(spec.module));
  await checkElf(binary, arch);
  return binary;
}

/** What Go says beside the names of packages: a failure stands among them. */
function withoutPackages(stderr: string): string {
  return stderr
    .split('\n')
    .filter((line) => !PACKAGE.test(line))
    .join('\n');
}

type GoResult = { code: number | undefined; stdout: string; stderr: string };

/** Runs Go with exactly the given environment. `code` is undefined when there is no `go`. */
async function go(
  args: readonly string[],
  env: Record<string, string>,
  options: { cwd?: string; signal?: AbortSignal; timeoutMs?: number; heard?: (line: string) => void; background?: boolean },
): Promise<GoResult> {
  const { execa } = await import('execa');
  const { setPriority } = await import('node:os');
  const child = execa('go', args, {
    env,
    extendEnv: false,
    cwd: options.cwd,
    cancelSignal: options.signal,
    timeout: options.timeoutMs,
    stdin: 'ignore',
    reject: false,
  });
  // The build shares the machine with the deploy of the other containers, which must not wait for it.
  if (options.background && child.pid !== undefined) setPriority(child.pid, 15);
  if (options.heard) {
    const heard = options.heard;
    (async () => {
      for await (const line of child.iterable({ from: 'stderr' })) heard(line);
    })().catch(() => {});
  }
  const result = await child;
  options.signal?.throwIfAborted();
  if (result.exitCode === undefined && result.code === 'ENOENT') return { code: undefined, stdout: '', stderr: '' };
  return {
    code: result.exitCode ?? 1,
    stdout: result.stdout,
    stderr: result.timedOut ? `no answer within ${(options.timeoutMs ?? 0) / 1000} s` : result.stderr,
  };
}

/** `bin/minio`, or `bin/linux_arm64/minio` when built for another architecture. */
async function findBinary(bin: string, name: string): Promise<string> {
  const folders = [
    bin,
    ...(await readdir(bin, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map((entry) => join(bin, entry.name)),
  ];
  for (const folder of folders) {
    if ((await readdir(folder)).includes(name)) return join(folder, name);
  }
  throw new MooringError(`Go built no program named ${name}`, {
    next: 'the module must be the path of a command, such as github.com/minio/minio',
  });
}

/** e_machine of the ELF header: x86-64 is 62, AArch64 is 183. */
async function checkElf(path: string, arch: 'amd64' | 'arm64'): Promise<void> {
  const handle = await open(path, 'r');
  const header = Buffer.alloc(20);
  await handle.read(header, 0, 20, 0).finally(() => handle.close());
  const machine = { amd64: 62, arm64: 183 }[arch];
  if (header.subarray(0, 4).toString('latin1') !== '\x7fELF' || header.readUInt16LE(18) !== machine) {
    await rm(path, { force: true });
    throw new MooringError(`what Go built is not a Linux program for ${arch}`, { next: "look at GOFLAGS in 'go env'" });
  }
}

function failed(result: GoResult, message: string, next: string): MooringError {
  return new MooringError(message, { code: result.code, stderr: lastLines(result.stderr || result.stdout), next });
}
