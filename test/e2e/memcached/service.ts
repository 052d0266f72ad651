import type { Duplex } from 'node:stream';
import {
  bringUp,
  type Change,
  defineService,
  defineStage,
  type Health,
  installedPackages,
  installPackages,
  MooringError,
  mustSucceed,
  read,
  type UnitState,
  unitState,
  writeFile,
  z,
} from 'nx-mooring';

const CONF = '/etc/memcached.conf';
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

const config = defineStage<Settings, { file: string; unit: UnitState }>({
  name: 'config',
  facts: () => ({
    file: { name: CONF, command: read(['cat', CONF]), parse: (result) => mustSucceed(result, `${CONF} could not be read`).stdout },
    unit: unitState(UNIT),
  }),
  plan: ({ file, unit }, desired) => {
    const wanted = text(desired.settings);
    const changes: Change[] = [];
    const ready = ['bash', '-c', ASK, 'bash', String(desired.settings.port)] as const;
    if (file !== wanted) {
      const commands = [writeFile({ path: CONF, content: wanted, mode: '0644', owner: 'root:root' }), bringUp('restart', UNIT, ready)];
      changes.push({ resource: `file ${CONF}`, action: 'update', impact: 'restart', because: 'it differs from the settings', commands });
    } else if (unit.active !== 'active') {
      const commands = [bringUp('start', UNIT, ready)];
      changes.push({ resource: `unit ${UNIT}`, action: 'update', impact: 'restart', because: 'it is not running', commands });
    }
    return changes;
  },
});

function text({ memoryMegabytes, port }: Settings): string {
  return `-d\nlogfile /var/log/memcached.log\n-m ${memoryMegabytes}\n-p ${port}\n-u memcache\n-l 0.0.0.0\n`;
}

function healthy(answer: string): Health {
  const [, version] = /^VERSION (\S+)/.exec(answer) ?? [];
  if (version === undefined) throw new MooringError(`memcached does not tell its version: ${answer || 'no answer'}`);
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
