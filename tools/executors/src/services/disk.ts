import { MooringError } from '../engine/errors.ts';

/** From so many per cent on a disk has to be seen to. */
const FULL_SOON = 85;

/**
 * Why a disk has to be seen to: a reason each for its bytes and for its inodes; none while there is room.
 *
 * @param line the second line of `df --output=pcent,ipcent <folder>`: ` 17%    3%`; a file system without inodes to run out of says `-`
 * @param folder what is on it, for the message
 */
export function fullness(line: string, folder: string): string[] {
  const [, bytes, inodes] = /^\s*(\d+)%\s+(\d+%|-)\s*$/.exec(line) ?? [];
  if (bytes === undefined || inodes === undefined) throw new MooringError(`df gave a line about ${folder} that is not known: ${line}`);
  return [
    ...(Number(bytes) >= FULL_SOON ? [`the disk of ${folder} is ${bytes} % full`] : []),
    ...(Number.parseInt(inodes, 10) >= FULL_SOON ? [`the disk of ${folder} has used ${inodes.replace('%', ' %')} of its inodes`] : []),
  ];
}
