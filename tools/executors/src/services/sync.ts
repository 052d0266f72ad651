import { type Command, script } from '../engine/command.ts';

/**
 * Writes out what the kernel still keeps in memory for the file system that a folder is on (`sync -f`, syncfs(2)), so that the
 * snapshot after it has little left to write. For a service that has no command of its own. A folder that is not there has nothing.
 */
export function syncFolder(folder: string): Command {
  return script('write', '[ -d "$1" ] || exit 0; exec sync -f "$1"', [folder]);
}
