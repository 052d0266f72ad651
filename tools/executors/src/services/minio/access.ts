import type { Change } from '../../engine/change.ts';
import { type Command, write } from '../../engine/command.ts';
import { USER } from './unit.ts';

/** A change, and whether the server must be restarted to see it. */
export type Step = { readonly change: Change; readonly restarts: boolean };

export const DATA_ACCESS: Access = { mode: '700', owner: `${USER}:${USER}` };

/** Readable for the server (by its group), writable for root only. */
export const SECRET_ACCESS: Access = { mode: '640', owner: `root:${USER}` };

export const ENV_ACCESS: Access = { mode: '600', owner: 'root:root' };

export const UNIT_ACCESS: Access = { mode: '644', owner: 'root:root' };

type Access = { readonly mode: string; readonly owner: string };

/** Mode and owner of a thing that is right otherwise; the server need not be restarted for them. */
export function accessSteps(resource: string, path: string, found: Access, wanted: Access): Step[] {
  if (found.mode === wanted.mode && found.owner === wanted.owner) return [];
  const before = { mode: found.mode, owner: found.owner };
  const because = 'mode or owner differs';
  return [
    {
      change: {
        ...{ resource, action: 'update', before, after: wanted, impact: 'none', because },
        commands: giveAccess(path, wanted),
        undo: giveAccess(path, found),
      },
      restarts: false,
    },
  ];
}

export function giveAccess(path: string, { mode, owner }: Access): Command[] {
  return [write(['chown', owner, path]), write(['chmod', `0${mode}`, path])];
}
