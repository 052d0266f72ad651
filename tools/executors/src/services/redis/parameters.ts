import type { Secret } from '../../engine/secret.ts';
import { type Comparison, flags, limitsOfClasses, oneOf, sameSet, sizeOf } from './compare.ts';

/** Where the parameters that nx-mooring writes itself come from. */
type Source = { readonly port: number; readonly password: Secret; readonly maxmemory: string; readonly maxmemoryPolicy: string };

/** How one parameter of redis.conf is dealt with. Nothing is said of most of them: they are written, tried and compared like any other. */
export type Rule = {
  /** It is written from the settings, and `parameters` cannot have it. */
  readonly from?: (settings: Source) => string | Secret;
  /** The setting that is all of it. */
  readonly setting?: keyof Source;
  /** Why `parameters` cannot have it. */
  readonly refused?: string;
  /** Its value must not be shown. */
  readonly secret?: true;
  /** The running server is not compared on it: its own paths, who it follows, and what it does not tell. */
  readonly live?: false;
  /** The trial leaves it out: it says where the server is reached, or leads out of the trial's folder. */
  readonly tried?: false;
  /** It says where the data is: a server that starts with another value starts without it. */
  readonly finds?: 'data';
  /** Several lines of it add up. Of any other the last one counts. */
  readonly addsUp?: true;
  /** Whether Redis means the same; {@link sameWords} when left out. */
  readonly compare?: Comparison;
};

const RULES: Readonly<Record<string, Rule>> = {
  bind: { from: () => '* -::*', tried: false },
  port: { from: ({ port }) => String(port), setting: 'port', tried: false },
  'protected-mode': { from: () => 'yes' },
  requirepass: { from: ({ password }) => password, setting: 'password', secret: true, live: false, tried: false },
  dir: { from: () => '/var/lib/redis', live: false, tried: false, finds: 'data' },
  pidfile: { from: () => '/run/redis/redis-server.pid', live: false, tried: false },
  // Empty is stdout: the journal, where a failure to start is looked for.
  logfile: { from: () => '', live: false, tried: false },
  appendonly: { from: () => 'yes', tried: false },
  maxmemory: { from: ({ maxmemory }) => String(sizeOf(maxmemory)), setting: 'maxmemory' },
  'maxmemory-policy': { from: ({ maxmemoryPolicy }) => maxmemoryPolicy, setting: 'maxmemoryPolicy' },

  daemonize: { refused: "the unit of Debian's package says it", live: false, tried: false },
  supervised: { refused: "the unit of Debian's package says it", live: false, tried: false },
  include: { refused: 'what another file says cannot be tried, compared or taken back' },
  loadmodule: { refused: 'it loads code that is not of the package' },
  replicaof: { refused: 'the data would be replaced by those of the other server', live: false, tried: false },
  slaveof: { refused: 'the data would be replaced by those of the other server', live: false, tried: false },

  dbfilename: { finds: 'data' },
  appendfilename: { finds: 'data' },
  appenddirname: { finds: 'data' },
  aclfile: { tried: false },
  unixsocket: { tried: false },
  'cluster-config-file': { tried: false },
  'syslog-enabled': { tried: false },
  masterauth: { secret: true, live: false },
  user: { secret: true, addsUp: true },
  'rename-command': { addsUp: true },
  save: { addsUp: true },
  'client-output-buffer-limit': { addsUp: true, compare: limitsOfClasses },
  'notify-keyspace-events': { compare: flags },
  'shutdown-on-sigint': { compare: sameSet },
  'shutdown-on-sigterm': { compare: sameSet },
  // config.c, oom_score_adj_enum: the first of two names for one value is printed.
  'oom-score-adj': { compare: oneOf(['yes', 'relative']) },
};

/** The names of those that are written from the settings, in the order of the file. */
export const OWN = Object.keys(RULES).filter((name) => RULES[name]?.from !== undefined);

/** How a parameter is dealt with. What TLS needs is read by the live server's user only. */
export function ruleOf(name: string): Rule {
  if (name.startsWith('tls-')) return name.endsWith('-pass') ? { secret: true, live: false } : { tried: false };
  return Object.hasOwn(RULES, name) ? (RULES[name] as Rule) : {};
}

/** Names that the trial leaves out, unless they are {@link HIDDEN} ones of TLS, as an extended regular expression. */
export const UNTRIED = `(${[...Object.keys(RULES).filter((name) => ruleOf(name).tried === false), 'tls-[a-z-]*'].join('|')})`;

/** Names whose lines must not be shown, as an extended regular expression. */
export const HIDDEN = `(${[...Object.keys(RULES).filter((name) => ruleOf(name).secret), 'tls-[a-z-]*-pass'].join('|')})`;
