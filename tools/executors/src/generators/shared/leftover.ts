import { showError } from '../../engine/errors.ts';
import { readerOf } from '../../workspace/files.ts';

/**
 * What is not right yet in the workspace's files, for the end of a generator that cannot know everything.
 *
 * @param root the workspace, absolute; its files are written
 * @returns lines; none when all of it is right
 */
export async function leftToDo(root: string): Promise<readonly string[]> {
  const { readWorkspace, valid } = await import('../../workspace/load.ts');
  try {
    valid(await readWorkspace(readerOf(root)));
    return [];
  } catch (error) {
    return ['Not complete yet:', showError(error)];
  }
}
