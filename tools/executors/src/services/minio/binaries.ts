import type { Change } from '../../engine/change.ts';
import { script } from '../../engine/command.ts';
import { InputError, mustSucceed } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import { type ArtifactSpec, type Desired, defineStage } from '../../engine/service.ts';
import { shellProgram } from '../../shell/program.ts';
import { bash } from './bash.ts';
import type { MinioSettings } from './settings.ts';

export const BINARY = '/usr/local/bin/minio';

/** Says what was put there, and the size and time it had then: asking a 110 MB binary itself takes 0.1 s each run. */
export const MARKER = '/var/lib/mooring/minio.binary';

/** Where a binary is looked at before it takes the place of the former one. */
const NEW = `${BINARY}.new`;
/** The former binary, from one exchange to the next: what takes an exchange back. */
const FORMER = `${BINARY}.former`;

/** Asked as a user who may do nothing: what was downloaded may be any program. */
const CHECK = `said=$(timeout 30 setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs -- "$1" --version 2>&1 </dev/null | head -c 500) || said=
case $said in *' version '*MinIO*) exit 0 ;; esac
rm -f "$1"
printf 'the binary is not MinIO: asked for its version, it says: %s\\n' "\${said:-nothing}" >&2; exit 65`;
/** Without the marker an interrupted run is an unknown binary, not an old one. */
const EXCHANGE = `[ ! -e "$1" ] || ln -f "$1" "$3"
[ ! -e "$4" ] || cp -p "$4" "$4.former"
rm -f "$4"; mv -f "$2" "$1"
mkdir -p "$(dirname "$4")"; stat -c "$5 $6 %s %Y" "$1" >"$4.new"; mv -f "$4.new" "$4"`;
export type BinaryFacts = {
  readonly binary: {
    /** The processor that the container's programs are for, as bash names it: `x86_64`. */
    readonly machine: string;
    /** What is there; `unknown` when nobody says, or when it is not what was put there. */
    readonly installed: { readonly identity: string; readonly version: string } | 'unknown' | null;
  };
};

/** The one binary that this service needs. */
export function artifacts({ binary }: MinioSettings): Record<string, ArtifactSpec> {
  const { version, architecture, url, sha256 } = binary;
  if (url !== undefined && sha256 !== undefined) return { minio: { kind: 'url', url, sha256, version } };
  return { minio: { kind: 'go', module: 'github.com/minio/minio', version, arch: architecture, variables: versionVariables(version) } };
}

/** The server's program, put in place from the artifact store. */
export const binaries = defineStage<MinioSettings, BinaryFacts>({
  name: 'binaries',
  facts: () => ({ binary: installedBinary }),
  plan({ binary: { machine, installed } }, desired) {
    checkMachine(machine, desired);
    const { identity, version } = wanted(desired);
    if (installed !== null && installed !== 'unknown' && installed.identity === identity) return [];
    const change: Change = {
      resource: `file ${BINARY}`,
      action: installed === null ? 'create' : 'update',
      ...(installed === null ? {} : { before: installed === 'unknown' ? installed : installed.version }),
      after: version,
      impact: installed === null ? 'none' : 'restart',
      because:
        installed === null ? 'not installed' : installed === 'unknown' ? 'it is not what was put there' : 'another release is asked for',
      commands: [
        script('write', 'rm -f "$@"', [FORMER, `${MARKER}.former`]),
        { artifact: 'minio', path: NEW, mode: '0755', owner: 'root:root' },
        script('write', CHECK, [NEW]),
        script('write', EXCHANGE, [BINARY, NEW, FORMER, MARKER, identity, version]),
      ],
      undo: [script('write', shellProgram(import.meta.url, 'put-back-binary.sh'), [BINARY, NEW, FORMER, MARKER])],
    };
    return [change];
  },
});

const installedBinary: Fact<BinaryFacts['binary']> = {
  name: `binary ${BINARY}`,
  command: bash(
    'read',
    'echo "$HOSTTYPE"; if [ -e "$1" ]; then stat -c "%s %Y" "$1"; else echo absent; fi; if [ -e "$2" ]; then read -r line <"$2" || true; echo "$line"; else echo absent; fi',
    [BINARY, MARKER],
  ),
  parse(result) {
    const [machine = '', file = '', marker = ''] = mustSucceed(result, `${BINARY} could not be looked at`).stdout.split('\n');
    const [, identity, version, recorded] = /^(\S+) (\S+) (\d+ \d+)$/.exec(marker) ?? [];
    if (!/^\w+$/.test(machine) || !/^(absent|\d+ \d+)$/.test(file)) throw new Error(`unexpected answer ${JSON.stringify(result.stdout)}`);
    if (file === 'absent') return { machine, installed: null };
    if (identity === undefined || version === undefined || recorded !== file) return { machine, installed: 'unknown' };
    return { machine, installed: { identity, version } };
  },
};

/** What makes one binary another. */
function wanted({ context }: Desired<MinioSettings>): { identity: string; version: string } {
  const spec = context.artifacts.minio;
  if (spec === undefined) throw new Error('the artifact "minio" is not in the context');
  const identity = spec.kind === 'url' ? `sha256/${spec.sha256}` : `go/${spec.module}@${spec.version}/${spec.arch ?? 'amd64'}`;
  return { identity, version: spec.version };
}

function checkMachine(machine: string, { settings, context }: Desired<MinioSettings>): void {
  const known: Record<string, string> = { x86_64: 'amd64', aarch64: 'arm64' };
  const { architecture } = settings.binary;
  if (known[machine] === architecture) return;
  throw new InputError(`the container's processor is ${machine}, and the settings ask for a MinIO for ${architecture}`, {
    instance: context.instance,
    next: known[machine] === undefined ? 'MinIO is built for x86_64 and aarch64 only' : `set binary.architecture to "${known[machine]}"`,
  });
}

/**
 * What MinIO's own buildscripts/gen-ldflags.go sets, as far as the version tells it. Without, `minio --version` and the
 * log say DEVELOPMENT.GOGET.
 */
export function versionVariables(version: string): Record<string, string> {
  const release = /^RELEASE\.(\d{4}-\d{2}-\d{2})T(\d{2})-(\d{2})-(\d{2})Z$/.exec(version);
  const pseudo = /^v[\d.]+-(?:0\.)?(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})-[0-9a-f]{12}$/.exec(version);
  const [date, hour, minute, second] = release ? release.slice(1) : pseudo ? [pseudo.slice(1, 4).join('-'), ...pseudo.slice(4)] : [];
  if (date === undefined) return {};
  return {
    'github.com/minio/minio/cmd.Version': `${date}T${hour}:${minute}:${second}Z`,
    'github.com/minio/minio/cmd.ReleaseTag': release ? version : `DEVELOPMENT.${date}T${hour}-${minute}-${second}Z`,
    'github.com/minio/minio/cmd.CopyrightYear': date.slice(0, 4),
  };
}
