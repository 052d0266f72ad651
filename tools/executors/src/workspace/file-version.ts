import { InputError } from '../engine/errors.ts';
import type { Page } from '../engine/pages.ts';
import { TOOL } from '../engine/version.ts';

// No zod here: the plugin reads files with this in every nx command.

/** The version of the files' form that is read: of `environments/*.json`, `container.json`, `storage.json` and `app.json` alike. */
export const FILE_VERSION = 1;

/** A file is of a version that this nx-mooring does not read. What its fields mean is not known, so nothing else is said of it. */
export class FileVersionError extends InputError {
  static override readonly page: Page | undefined = 'versions';
}

/**
 * Refuses a file that is not of the version that is read; one that names none is.
 *
 * @param content parsed JSON, its fields not checked yet
 * @param file for the message
 * @throws FileVersionError naming file and field, what is there, what is read, and what to do
 */
export function refuseOtherVersion(content: unknown, file: string): void {
  const found = typeof content === 'object' && content !== null && 'version' in content ? content.version : FILE_VERSION;
  if (found === FILE_VERSION) return;
  const reads = `this is ${TOOL}, which reads version ${FILE_VERSION}`;
  if (typeof found !== 'number' || !Number.isInteger(found)) {
    throw new FileVersionError(`${file}: version: found ${JSON.stringify(found)} (${typeof found}); ${reads}`, {
      next: `"version": ${FILE_VERSION}, a number, or leave the field out`,
    });
  }
  throw new FileVersionError(`${file}: version: the file is of version ${found}; ${reads}`, {
    next:
      found > FILE_VERSION
        ? `update the package: npm i -D nx-mooring@latest; or take the file as it was before: git log -- ${file}`
        : `bring the file to version ${FILE_VERSION}, as the page below tells, then write "version": ${FILE_VERSION}`,
  });
}
