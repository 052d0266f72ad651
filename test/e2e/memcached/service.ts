import type { Duplex } from 'node:stream';
import {
  bringUp,
  defineService,
  defineStage,
  type FoundFiles,
  type Health,
  installedPackages,
  installPackages,
  type ManagedFile,
  MooringError,
  managedFiles,
  managedUnit,
  planFiles,
  planUnit,
  read,
  type TimedUnit,
  unread,
  z,
} from 'nx-mooring';

const UNIT = 'memcached';
/** Asks for the version with bash alone: it needs no client in the container. */
const ASK = 'exec 3<>"/dev/tcp/127.0.0.1/$1"; printf "version\\r\\nquit\\r\\n" >&3; cat <&3';

const settings = z.strictObject({
  memoryMegabytes: z.int().min(1).describe('Memory for items.'),
  port: z.int().min(1).max(65535).default(11211).describe('TCP port.'),
});
type Settings = z.output<typeof settings>;

const packages = defineStage<Settings, { installed: Record<string, string | undefined> }>({
  name: 'packages',
  facts: () => ({ installed: installedPackages(['memcached']) }),
  plan: ({ installed }) =>
    installed.memcached !== undefined
      ? []
      : [
          {
            resource: 'packages memcached',
            action: 'create',
            impact: 'none',
            because: 'not installed',
            commands: [installPackages(['memcached'])],
          },
        ],
});

const config = defineStage<Settings, { files: FoundFiles; unit: TimedUnit }>({
  name: 'config',
  facts: ({ settings }) => ({ files: managedFiles([file(settings)]), unit: managedUnit(UNIT) }),
  plan: ({ files, unit }, { settings }) => {
    const wanted = [file(settings)];
    const bring = (verb: 'start' | 'restart') => bringUp(verb, UNIT, ['bash', '-c', ASK, 'bash', String(settings.port)]);
    return [...planFiles(wanted, files), ...planUnit({ unit: UNIT, state: unit, bring }, unread(wanted, files, unit))];
  },
});

function file(settings: Settings): ManagedFile {
  return { kind: 'file', path: '/etc/memcached.conf', content: text(settings), mode: '0644', owner: 'root:root' };
}

function text({ memoryMegabytes, port }: Settings): string {
  return `-d\nlogfile /var/log/memcached.log\n-m ${memoryMegabytes}\n-p ${port}\n-u memcache\n-l 0.0.0.0\n`;
}

function healthy(answer: string): Health {
  const [, version] = /^VERSION (\S+)/.exec(answer) ?? [];
  if (version === undefined) throw new MooringError(`memcached does not report its version: ${answer || 'no answer'}`);
  return { version, detail: 'version' };
}

async function ask(socket: Duplex): Promise<string> {
  let answer = '';
  socket.setEncoding('utf8').write('version\r\nquit\r\n');
  for await (const part of socket) answer += part;
  return answer;
}

/** Memcached: the whole of a service of one's own, in one file. */
export default defineService<Settings>({
  name: 'memcached',
  settings,
  stages: [packages, config],
  health: {
    inside: ({ settings: { port } }) => ({
      name: 'version',
      command: read(['bash', '-c', ASK, 'bash', String(port)], { timeoutMs: 5000 }),
      parse: (result) => healthy(result.stdout),
    }),
    outside: async ({ settings: { port } }, connect) => healthy(await ask(await connect(port))),
  },
  unit: UNIT,
});
