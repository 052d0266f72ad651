import { InputError } from './errors.ts';

/** Where a host keeps what concerns a whole environment and not one container: its lease and its audit log. */
const stateDir = '/var/lib/mooring';

/**
 * The folder of one environment on a host, or below it that of the drills of one container (`staging/drill-postgres`).
 *
 * @throws InputError for what is no environment's name
 */
export function environmentDir(environment: string): string {
  if (!/^[a-z][a-z0-9-]*(\/drill-[a-z0-9-]+)?$/.test(environment)) {
    throw new InputError(`${JSON.stringify(environment)} is not a name of an environment`, {
      next: 'lower-case letters, digits and hyphens, beginning with a letter',
    });
  }
  return `${stateDir}/${environment}`;
}
