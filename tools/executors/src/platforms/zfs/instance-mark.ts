import { z } from 'zod';
import { read } from '../../engine/command.ts';
import { InputError, MooringError, mustSucceed } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import type { InstanceState } from '../../snapshots/backend.ts';
import { mark } from '../incus/marks.ts';

const texts = z.record(z.string(), z.string());

const instanceMarkSchema = z.object({
  /** `volatile.uuid`. */
  uuid: z.string(),
  /** `volatile.last_state.idmap`: as which ids of the host the files of the snapshot are written. Nothing before the first start. */
  idmap: z.string().optional(),
  /** The release whose deploy had last completed. */
  release: z.string().optional(),
  /** See {@link KEPT}. */
  config: texts,
  /** Set on the instance itself, not by a profile. */
  devices: z.record(z.string(), texts),
  profiles: z.array(z.string()),
});

/** What an instance was when it was cut. An Incus snapshot keeps its configuration; a ZFS snapshot has it as a mark. */
export type InstanceMark = z.output<typeof instanceMarkSchema>;

/** The configuration that is kept. Nothing that may be secret (`environment.*`, `user.*`, `cloud-init.*`, `raw.*`): a mark is an argument, and all users of the host see it. */
const KEPT = /^(?:limits|security|boot|volatile\.idmap)\./;

/** The user property of an instance's mark. Its own, and not one of `MARKS`: the survey would read it for every snapshot there is. */
export function instanceProperty(instance: string): string {
  const name = `mooring:instance.${instance}`;
  // libzfs `zfs_prop_user` and `valid_char`, ZAP_MAXNAMELEN.
  if (!/^[a-z0-9._:-]{1,255}$/.test(name))
    throw new InputError(`'${instance}' cannot be part of a ZFS property's name: lower-case letters, digits, hyphens`, { instance });
  return name;
}

/** The value of an instance's mark. Pure. @throws MooringError when it has no `volatile.uuid` */
export function instanceMark({ name, config, devices, profiles }: InstanceState): string {
  const { 'volatile.uuid': uuid, 'volatile.last_state.idmap': idmap, [mark.release]: release } = config;
  if (uuid === undefined) throw new MooringError(`${name} has no volatile.uuid`, { instance: name });
  const kept = Object.fromEntries(Object.entries(config).filter(([key]) => KEPT.test(key)));
  return JSON.stringify({ uuid, idmap, release, config: kept, devices, profiles: profiles ?? [] } satisfies Record<
    keyof InstanceMark,
    unknown
  >);
}

/** What a snapshot tells of an instance, and where ZFS has that from; only `local` proves that it was set at the cut. */
export type FoundInstanceMark = { readonly source: string; readonly mark: InstanceMark };

/**
 * The mark of an instance on a snapshot; `absent` on one that was cut by an earlier version.
 *
 * @param snapshot full name, `tank/containers/x@pre-deploy-…`
 * @throws CommandError when ZFS failed, also when there is no such snapshot; MooringError at a mark that is not understood
 */
export function instanceMarkFact(snapshot: string, instance: string): Fact<FoundInstanceMark | 'absent'> {
  return {
    name: `configuration of ${instance} at ${snapshot}`,
    command: read(['zfs', 'get', '-Hp', '-o', 'value,source', instanceProperty(instance), snapshot]),
    parse(result) {
      const { stdout } = mustSucceed(result, `could not read the marks of ${snapshot}`);
      const [, value = '', source = ''] = /^([^\t\n]*)\t([^\t\n]*)\n?$/.exec(stdout) ?? [];
      if (value === '-' && source === '-') return 'absent';
      const parsed = instanceMarkSchema.safeParse(jsonOf(value));
      if (source === '' || !parsed.success)
        throw new MooringError(`the mark ${instanceProperty(instance)} of ${snapshot} is not understood`, {
          instance,
          next: `zfs get ${instanceProperty(instance)} ${snapshot}, on the host`,
        });
      return { source, mark: parsed.data };
    },
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
