import { HEADER } from '../managed-file.ts';

/**
 * pg_hba.conf: who may connect. On the socket every system user as the role of its name; over TCP with a SCRAM password,
 * from the container itself and from the environment's networks. The superuser is for the socket only.
 *
 * @param networks CIDRs
 */
export function renderHba(networks: readonly string[]): string {
  const rules = [
    'local all all peer',
    'local replication all peer',
    'host all postgres all reject',
    ...['127.0.0.1/32', '::1/128', ...networks].map((network) => `host all all ${network} scram-sha-256`),
  ];
  return `${HEADER}${rules.join('\n')}\n`;
}

/** The rules of a pg_hba.conf text, one line each, blanks evened out. */
export function hbaRules(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim().replaceAll(/\s+/g, ' '))
    .filter(Boolean);
}
