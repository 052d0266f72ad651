/** Why a value cannot be hidden wherever it stands: texts that have nothing to do with it hold it too. */
export type Ordinary = 'short' | 'word' | 'name';

/** Shorter values stand in other words by chance. In characters. */
const SHORT = 8;
/** Words of this length and more are passphrases: no text holds one by chance. */
const LONG = 16;

/**
 * Words of our own output that are no name of a workspace: verbs, kinds of things, products, states. A secret that is one of them is not
 * looked for in texts: it would tear them, and each gap would tell what the secret is.
 */
const OWN_WORDS = new Set(
  `adopt apply artifact configure create delete deploy destroy discard drill install log plan preflight provision prune reload remove restart
restore rollback run set snapshot snapshots start status stop update verify write
access address application backup bucket change changes cluster command config configuration container containers cookie database dataset disk
environment error exchange extension file files folder group guest health host image incus instance key lease member mode name network node nx
objects option owner package packages parameters password path permission permissions policy pool port process profile project proxmox queue
record release release repository restore-point role root rule script secret secrets section server service services setting settings size
socket source ssh stage state step storage system systemd table tag target text time unit user users value vault version vhost volume zfs
debian erlang etc home local minio mooring postgres postgresql psql rabbit rabbitmq redis srv tmp usr var
absent admin all default degraded differs disabled down enabled failed false healthy known missing new no none null off ok old on running
same stopped true undefined unhealthy unknown up yes`.split(/\s+/),
);

/**
 * Whether a value is too ordinary to be hidden wherever it stands, and why.
 *
 * @param names of things that outputs name: a value that is a part of one is a name itself
 */
export function ordinary(value: string, names: Iterable<string> = []): Ordinary | undefined {
  const length = [...value].length;
  if (length < SHORT) return 'short';
  if (length < LONG && /^\p{L}*(?:[-_. ]?\p{L}+)*\p{N}*$/u.test(value)) return 'word';
  for (const name of names) if (name.includes(value)) return 'name';
  return undefined;
}

/** Whether this is the name of a thing, or a word of our own output. */
export function isNameOrWord(value: string, names: ReadonlySet<string>): boolean {
  return names.has(value) || OWN_WORDS.has(value);
}
