import { z } from 'zod';
import { whole } from './answer.ts';
import type { Proxmox } from './client.ts';
import { DigestError, NotFoundError } from './errors.ts';

/** Where a guest is: its node and number. */
export type GuestPlace = { readonly node: string; readonly vmid: number };

/** A guest's configuration: each option as its text. */
export type GuestConfig = {
  /** To be sent with a change: it is refused if the file has changed since. */
  readonly digest: string;
  readonly options: Readonly<Record<string, string>>;
  /** `lxc.*` lines of the file, which the API shows and does not set. */
  readonly lxc: readonly (readonly [string, string])[];
};

/** An option as it is and as it will be after the next start. */
export type PendingOption = {
  readonly key: string;
  readonly value?: string | undefined;
  readonly pending?: string | undefined;
  /** It will go; 2 stands for "even if that is unsafe". */
  readonly delete?: number | undefined;
};

export type GuestStatus = { readonly status: 'running' | 'stopped'; readonly lock?: string | undefined };

/** All that is known of an LXC guest. */
export type Guest = GuestPlace & {
  /** As it will be: what is pending is merged in. */
  readonly config: GuestConfig;
  /** As it runs. */
  readonly current: GuestConfig;
  readonly pending: readonly PendingOption[];
  readonly status: GuestStatus;
};

const text = z.union([z.string(), z.number()]).transform(String);

/** The answer to GET …/config, of LXC and QEMU guests. */
export const guestConfig = z
  .looseObject({
    digest: z.string().regex(/^[0-9a-f]{40}$/i, 'expected a sha1'),
    lxc: z.array(z.tuple([z.string(), z.string()])).default([]),
  })
  .transform(({ digest, lxc, ...rest }, context): GuestConfig => {
    const options = z.record(z.string(), text).safeParse(rest);
    if (options.success) return { digest, lxc, options: options.data };
    context.addIssue({ code: 'custom', message: `an option is neither text nor number: ${options.error.issues[0]?.path.join('.')}` });
    return z.NEVER;
  });

/** The answer to GET …/pending; the file's digest stands among the options there. */
const pendingOptions: z.ZodType<{ options: PendingOption[]; digest: string | undefined }> = z
  .array(z.object({ key: z.string(), value: text.optional(), pending: text.optional(), delete: whole.optional() }))
  .transform((all) => ({
    options: all.filter(({ key }) => key !== 'digest'),
    digest: all.find(({ key }) => key === 'digest')?.value,
  }));

/** The answer to GET …/status/current. */
const guestStatus: z.ZodType<GuestStatus> = z.object({ status: z.enum(['running', 'stopped']), lock: z.string().optional() });

/** The API's folder of an LXC guest. */
export const lxcPath = ({ node, vmid }: GuestPlace) => ['nodes', node, 'lxc', vmid] as const;

/**
 * Reads an LXC guest, as one consistent picture.
 *
 * @returns nothing when Proxmox says that there is no such guest on this node; it may be on another one
 * @throws DigestError when it is changed all the time while it is read
 */
export async function readGuest(proxmox: Proxmox, place: GuestPlace): Promise<Guest | undefined> {
  const path = lxcPath(place);
  try {
    for (let attempt = 1; ; attempt++) {
      const [config, current, pending, status] = await Promise.all([
        proxmox.get([...path, 'config'], guestConfig),
        proxmox.get([...path, 'config'], guestConfig, { current: true }),
        proxmox.get([...path, 'pending'], pendingOptions),
        proxmox.get([...path, 'status', 'current'], guestStatus),
      ]);
      const digests = new Set([config.digest, current.digest, pending.digest ?? config.digest]);
      if (digests.size === 1) return { ...place, config, current, pending: pending.options, status };
      if (attempt === 3) throw changing(path.join('/'), proxmox.name);
    }
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

function changing(path: string, host: string): DigestError {
  const refusal = {
    call: `GET /${path}/config`,
    status: 200,
    reason: '',
    message: 'the guest was changed while it was read, three times',
    errors: {},
  };
  return new DigestError(refusal, {
    host,
    next: 'who else changes it? Look at the task list of the node, then run the same command again',
  });
}

/** Numbers of the interfaces that a guest has, in order: `net0` is 0. */
export function interfaceNumbers(options: Readonly<Record<string, string>>): number[] {
  return Object.keys(options)
    .flatMap((key) => /^net(\d+)$/.exec(key)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}
