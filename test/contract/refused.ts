import { expect } from 'vitest';
import { HostError } from '../../tools/executors/src/engine/errors.ts';
import { openHost } from '../../tools/executors/src/hosts/index.ts';
import type { TestSshd } from './sshd.ts';

/** With what a host of the configuration does not let us in. @throws when it does */
export async function refusedBy(sshd: TestSshd, host: string): Promise<HostError> {
  const error = await openHost({ host, sshConfig: sshd.config }).then(
    (opened) => opened.close(),
    (caught) => caught,
  );
  if (error === undefined) throw new Error(`${host} let us in`);
  expect(error).toBeInstanceOf(HostError);
  return error;
}
