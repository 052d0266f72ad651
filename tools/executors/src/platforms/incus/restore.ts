import { type Command, write } from '../../engine/command.ts';
import { InputError } from '../../engine/errors.ts';
import { requireSetName } from '../../snapshots/name.ts';
import { incus } from './command.ts';

/** An instance in its Incus project. */
type Place = { readonly instance: string; readonly project: string };

/**
 * Says on an instance that a roll-back is under way and has not restored it yet. `incus snapshot restore` puts the
 * instance's configuration back as well, and with it this key: so what is there tells whether it has happened.
 */
export const ROLLBACK_KEY = 'user.mooring.rollback';

/** How long a service may take to stop, in seconds; RabbitMQ was seen to need most of a minute. */
export const STOP_SECONDS = 120;

/** Stops an instance in good order; fails when it has not stopped by itself in time. */
export function stopInstance({ instance, project }: Place): Command {
  return write(incus('stop', requireName(instance), '--project', project, '--timeout', String(STOP_SECONDS)), {
    timeoutMs: (STOP_SECONDS + 30) * 1000,
  });
}

/** Restores an instance, stopped, to one of its snapshots. Later ones stay (btrfs, thin lvm). */
export function restoreSnapshot({ instance, project }: Place, name: string): Command {
  return write(incus('snapshot', 'restore', requireName(instance), requireSetName(name), '--project', project), { timeoutMs: 600_000 });
}

/** Restores a custom volume to one of its snapshots. */
export function restoreVolume(pool: string, project: string, volume: string, name: string): Command {
  return write(incus('storage', 'volume', 'snapshot', 'restore', pool, volume, requireSetName(name), '--project', project), {
    timeoutMs: 600_000,
  });
}

/** Sets one key of an instance; an empty value removes it, and is no error where it was not set (`config unset` is one then). */
export function setKey({ instance, project }: Place, key: string, value: string): Command {
  return write(incus('config', 'set', requireName(instance), '--project', project, '--', `${key}=${value}`), { timeoutMs: 30_000 });
}

/**
 * Takes away Incus's record of a snapshot that went with a preserved state. Incus would list it for ever, and restoring it would
 * answer 0 and restore nothing (lab, Incus 6.0.4). Only after the dataset was exchanged: before, this destroys bytes.
 */
export function forgetSnapshot({ instance, project }: Place, name: string): Command {
  return write(incus('snapshot', 'delete', requireName(instance), requireSnapshot(name), '--project', project), { timeoutMs: 120_000 });
}

function requireName(name: string): string {
  if (!/^[A-Za-z][A-Za-z0-9-]*$/.test(name)) throw new InputError(`'${name}' is not the name of an Incus instance`);
  return name;
}

/** A name that Incus gives to a snapshot; a first hyphen is an option, a slash another thing. */
function requireSnapshot(name: string): string {
  if (!/^[\w.][\w. -]*$/.test(name)) throw new InputError(`'${name}' is not the name of an Incus snapshot`);
  return name;
}
