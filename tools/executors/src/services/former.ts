import { type Command, script } from '../engine/command.ts';

/** Where the former content of a file waits: in memory, where no snapshot has it, for root alone, and gone with the container's next start. */
export const formerOf = (path: string) => `/run/mooring/former${path}`;

/** Keeps a copy of a file whose content never leaves the container, for {@link restoreFormer}; of one that is not there, none. */
export function keepFormer(path: string): Command {
  return script('write', 'rm -f "$2"; [ ! -e "$1" ] || { mkdir -p -m 0700 "${2%/*}"; cp -p "$1" "$2.new"; mv -f "$2.new" "$2"; }', [
    path,
    formerOf(path),
  ]);
}

/** Puts back what {@link keepFormer} kept, with its mode and owner. What is there still is not written again: the disk may be full. */
export function restoreFormer(path: string): Command {
  return script(
    'write',
    'rm -f "$1.mooring-new"; [ ! -e "$2" ] || cmp -s "$2" "$1" || { cp -p "$2" "$1.mooring-new"; mv -f "$1.mooring-new" "$1"; }',
    [path, formerOf(path)],
  );
}
