import { didYouMean } from '../../engine/did-you-mean.ts';
import { InputError, type MooringError } from '../../engine/errors.ts';
import type { DescribedGuest } from '../../engine/guest-platform.ts';
import type { ClusterLook } from './cluster-look.ts';
import { AT_CREATION, type Created } from './create.ts';
import { listDownloads, listStorages, listTemplates, type Storage } from './node.ts';
import type { ProxmoxRun } from './proxmox-run.ts';

/** What a guest can be created with. */
export type Ready = {
  readonly created: Created;
  /** A template that the node downloads before. */
  readonly download: { readonly storage: string; readonly template: string } | undefined;
};

/** Looks whether all that a creation needs is there: storage, bridge, template, keys. Tells all that is not. */
export async function lookForCreation(
  run: ProxmoxRun,
  cluster: ClusterLook,
  target: DescribedGuest,
): Promise<{ ready: Ready | undefined; storage: string | undefined; bridge: string; problems: readonly MooringError[] }> {
  const { wanted, root } = target;
  const { node } = wanted;
  const file = `${root}/app.json, or "proxmox" of ${run.site.environment}.json`;
  const problems: MooringError[] = [];
  const problem = (message: string, next: string) => void problems.push(new InputError(`${target.project}: ${message}`, { next }));
  const [storages, seen] = await Promise.all([listStorages(run.client, node), cluster.network.bridges()]);
  const bridges = seen.map(({ name }) => name);

  const forDisks = storages.filter(({ content, usable }) => usable && content.includes('rootdir'));
  const storage = wanted.storage ?? run.site.storage ?? (forDisks.length === 1 ? forDisks[0]?.storage : undefined);
  if (storage === undefined) {
    problem(
      `no "storage" is given, and ${node} has ${listed(
        forDisks.map((one) => one.storage),
        'none',
      )} for disks of guests`,
      `"storage" in ${file}`,
    );
  } else if (!forDisks.some((one) => one.storage === storage)) {
    problem(
      `${whyNoStorage(storages, storage, node)}; for disks of guests there are ${listed(
        forDisks.map((one) => one.storage),
        'none',
      )}`,
      `"storage" in ${file}`,
    );
  }
  const bridge = wanted.bridge ?? AT_CREATION.bridge;
  if (!bridges.includes(bridge)) {
    const meant = didYouMean(bridge, bridges);
    problem(
      `${node} has no bridge ${bridge} (or the token may not see it); there are ${listed(bridges, 'none')}${meant === undefined ? '' : `. Did you mean ${meant}?`}`,
      `"bridge" in ${file}`,
    );
  }
  if (run.site.publicKeys.length === 0)
    problem(
      'nobody could log in to the new guest: there are no authorizedKeys',
      `"authorizedKeys" in "proxmox" of ${run.site.environment}.json`,
    );
  const template = await findTemplate(run, target, storages, (message) => problem(message, `"template" in ${file}`));
  if (storage === undefined || template === undefined || problems.length > 0) return { ready: undefined, storage, bridge, problems };
  const created = { storage, bridge, template: template.volume, publicKeys: run.site.publicKeys };
  return { ready: { created, download: template.download }, storage, bridge, problems };
}

async function findTemplate(
  run: ProxmoxRun,
  { wanted: { template, node } }: DescribedGuest,
  storages: readonly Storage[],
  problem: (message: string) => void,
): Promise<{ volume: string; download: Ready['download'] } | undefined> {
  const holders = storages.filter(({ content, usable }) => usable && content.includes('vztmpl'));
  if (template === undefined) {
    const there = await Promise.all(holders.map(({ storage }) => listTemplates(run.client, node, storage)));
    problem(`no "template" is given; on ${node} there are ${listed(there.flat(), 'none yet')}`);
    return undefined;
  }
  const [storage = '', name = ''] = template.split(':vztmpl/');
  if (!holders.some((one) => one.storage === storage)) {
    problem(
      `${whyNoStorage(storages, storage, node)}; for templates there are ${listed(
        holders.map((one) => one.storage),
        'none',
      )}`,
    );
    return undefined;
  }
  const there = await listTemplates(run.client, node, storage);
  if (there.includes(template)) return { volume: template, download: undefined };
  const available = await listDownloads(run.client, node);
  if (available.includes(name)) return { volume: template, download: { storage, template: name } };
  const meant = didYouMean(name, [...there.map((volume) => volume.split('/')[1] ?? ''), ...available]);
  problem(`there is no template ${template}, and ${node} cannot download it${meant === undefined ? '' : `. Did you mean ${meant}?`}`);
  return undefined;
}

function whyNoStorage(storages: readonly Storage[], name: string, node: string): string {
  const found = storages.find(({ storage }) => storage === name);
  if (found === undefined) return `${node} has no storage ${name} (or the token may not see it)`;
  return found.usable
    ? `storage ${name} of ${node} does not hold that (content: ${found.content.join(', ')})`
    : `storage ${name} of ${node} cannot be used now`;
}

function listed(names: readonly string[], none: string): string {
  return names.length === 0 ? none : names.join(', ');
}
