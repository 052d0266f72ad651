import { createHash } from 'node:crypto';
import type { Change } from '../../engine/change.ts';
import { script, write, writeFile } from '../../engine/command.ts';
import { CommandError, InputError, SafetyError } from '../../engine/errors.ts';
import type { Secret } from '../../engine/secret.ts';
import { type Desired, defineStage } from '../../engine/service.ts';
import { tell } from './erlang.ts';
import { desiredFiles, type FileName, fingerprint, paths, UNIT } from './files.ts';
import { type NodeFacts, nodeFact } from './node.ts';
import type { RabbitmqSettings } from './settings.ts';
import { checkConf, startNode } from './start.ts';

type Files = Readonly<Record<FileName, string>>;

/** 127.0.0.1 as /proc/net/tcp writes it. */
const LOOPBACK = '0100007F';

/** The node: its name, files and cookie, that it runs, and that it runs with them. */
export const config = defineStage<RabbitmqSettings, { node: NodeFacts }>({
  name: 'config',
  facts: ({ settings }) => ({ node: nodeFact(settings.erlangCookie !== undefined) }),
  plan: ({ node }, desired) => planConfig(node, desired),
});

function planConfig(node: NodeFacts, { settings }: Desired<RabbitmqSettings>): Change[] {
  refuseOtherData(node, settings.nodeName);
  const files = desiredFiles(settings);
  const cookie = planCookie(node, settings.erlangCookie);
  if (node.running === 'unreachable' && cookie.length === 0) {
    throw new CommandError(`${UNIT} is active, but its node does not answer: nothing is known of what is in it`, {
      next: `look at /var/log/rabbitmq; if the node hangs, or was started with another cookie: systemctl restart ${UNIT}`,
    });
  }
  return [
    ...planFiles(node, files, settings.nodeName),
    ...planEpmd(node, files.epmd),
    ...cookie,
    ...planUnit(node, files, cookie.length > 0),
  ];
}

/** A node finds its data by its name: another name, and it begins empty, beside the data. */
function refuseOtherData({ data, files, running }: NodeFacts, nodeName: string): void {
  const [, fileName] = /^\s*(?:export\s+)?(?:RABBITMQ_)?NODENAME=["']?([^\s"']+)/m.exec(files.env ?? '') ?? [];
  const about = typeof running === 'string' ? undefined : running;
  const others = data.filter((name) => name !== nodeName);
  const isUsed = data.includes(nodeName) && (about?.name ?? fileName) === nodeName;
  if ((about !== undefined && about.name !== nodeName) || (others.length > 0 && !isUsed)) {
    const names = [...new Set([...(about ? [about.name] : []), ...others])];
    const why = `there is data of ${names.join(', ')}: a node of another name would begin empty beside it`;
    throw new SafetyError(`the settings name the node ${nodeName}, but ${why}`, {
      next: `set "nodeName": "${names[0]}" in container.json, or move that data out of ${paths.data}`,
    });
  }
  const elsewhere = about !== undefined && about.data !== `${paths.data}/${nodeName}` ? about.data : undefined;
  if (elsewhere !== undefined || /^\s*(export\s+)?(RABBITMQ_)?MNESIA_(BASE|DIR)=/m.test(files.env ?? '')) {
    const where = elsewhere ?? `a place that ${paths.env} names`;
    throw new SafetyError(`RabbitMQ keeps its data in ${where}: with this service it would begin empty in ${paths.data}`, {
      next: `move the data to ${paths.data}/${nodeName} and take MNESIA_BASE and MNESIA_DIR out of ${paths.env}`,
    });
  }
}

function planFiles(node: NodeFacts, files: Files, nodeName: string): Change[] {
  return (['conf', 'env', 'inetrc', 'order'] as const).flatMap((name): Change[] => {
    const before = node.files[name];
    if (before === files[name]) return [];
    const file = { path: paths[name], content: files[name], mode: '0644', owner: 'root:root' };
    const candidate = { ...file, path: `${file.path}.candidate` };
    const check = name === 'conf' && typeof node.running === 'object' ? [writeFile(candidate), checkConf(candidate.path, nodeName)] : [];
    const gone = linesOnlyIn(before ?? '', files[name]);
    const added = linesOnlyIn(files[name], before ?? '');
    return [
      {
        resource: `file ${file.path}`,
        action: before === null ? 'create' : 'update',
        ...(gone.length > 0 ? { before: gone } : {}),
        ...(added.length > 0 ? { after: added } : {}),
        impact: 'none',
        because:
          before === null
            ? 'there is no such file'
            : `the file differs from the settings${gone.length + added.length === 0 ? ' in comments or order' : ''}`,
        commands: [...check, writeFile(file), ...(name === 'order' ? [write(['systemctl', 'daemon-reload'])] : [])],
      },
    ];
  });
}

function planEpmd({ files, epmdListens, running }: NodeFacts, text: string): Change[] {
  // A node registers itself again within a minute of its port mapper's return; asked to look, at once.
  const register = typeof running === 'object' ? [tell('catch rabbit_epmd_monitor ! check, ok')] : [];
  const open = epmdListens.some((address) => address !== LOOPBACK);
  const gone = typeof running === 'object' && epmdListens.length === 0;
  if (files.epmd === text && !open && !gone) return [];
  return [
    {
      resource: 'unit epmd.socket',
      action: 'update',
      before: open ? 'open to all networks' : gone ? 'not running' : 'not limited to loopback',
      after: 'loopback only',
      impact: 'none',
      because: "Erlang's port mapper is for the container itself",
      commands: [
        writeFile({ path: paths.epmd, content: text, mode: '0644', owner: 'root:root' }),
        script('write', 'systemctl daemon-reload; systemctl stop epmd.service epmd.socket; systemctl start epmd.socket'),
        ...register,
      ],
    },
  ];
}

/** The cookie is changed while the node is stopped: whenever a run ends early, node and file agree. */
function planCookie({ cookie, active }: NodeFacts, desired: Secret | undefined): Change[] {
  if (desired === undefined) return [];
  const value = desired.reveal();
  if (!/^[!-~]{1,255}$/.test(value)) {
    throw new InputError('the secret erlangCookie must be 1 to 255 printable ASCII characters without blanks: Erlang takes no other', {
      next: 'for instance: openssl rand -hex 32',
    });
  }
  if (/^[A-Z]{20}$/.test(value)) {
    throw new InputError('the secret erlangCookie is 20 capitals, as Erlang makes them: Debian replaces such a cookie at each upgrade', {
      next: 'for instance: openssl rand -hex 32',
    });
  }
  const same = cookie?.sha256 === createHash('sha256').update(value).digest('hex');
  if (same && cookie.mode === '400' && cookie.owner === 'rabbitmq:rabbitmq') return [];
  const stop = active === 'inactive' || active === 'failed' ? [] : [write(['systemctl', 'stop', UNIT])];
  return [
    {
      resource: `file ${paths.cookie}`,
      action: cookie === null ? 'create' : 'update',
      ...(cookie === null ? {} : { before: same ? `${cookie.mode} ${cookie.owner}` : '(secret, differs)' }),
      after: same ? '400 rabbitmq:rabbitmq' : '(secret)',
      impact: 'restart',
      because: 'the cookie is not the one of the settings',
      commands: [...stop, writeFile({ path: paths.cookie, content: desired, mode: '0400', owner: 'rabbitmq:rabbitmq' })],
    },
  ];
}

function planUnit({ active, enabled, running }: NodeFacts, files: Files, stopped: boolean): Change[] {
  const unmask = enabled.startsWith('masked')
    ? [write(['systemctl', 'unmask', '--quiet', ...(enabled === 'masked-runtime' ? ['--runtime'] : []), UNIT])]
    : [];
  const start = (verb: 'start' | 'restart', because: string): Change[] => [
    {
      resource: `unit ${UNIT}`,
      action: verb === 'restart' ? 'restart' : 'update',
      ...(verb === 'restart' ? {} : { before: stopped ? 'stopped' : active, after: 'active' }),
      impact: 'restart',
      because,
      commands: [...unmask, startNode(verb)],
    },
  ];
  if (stopped) return start('start', 'it was stopped for the cookie');
  if (typeof running === 'string') return start('start', 'the node is not running');
  if (!running.app) return start('restart', 'RabbitMQ is stopped inside the node (rabbitmqctl stop_app)');
  if (running.startedWith !== fingerprint(files)) return start('restart', 'the node was started with other files');
  if (enabled === 'enabled') return [];
  return [
    {
      resource: `unit ${UNIT}`,
      action: 'update',
      before: enabled,
      after: 'enabled',
      impact: 'none',
      because: 'the node would not come back with the container',
      commands: [...unmask, write(['systemctl', 'enable', '--quiet', UNIT])],
    },
  ];
}

/** The lines of a text that the other one has not; comments and blank lines do not count. */
function linesOnlyIn(text: string, other: string): string[] {
  const theirs = new Set(other.split('\n'));
  return text.split('\n').filter((line) => !theirs.has(line) && !/^\s*([#%]|$)/.test(line));
}
