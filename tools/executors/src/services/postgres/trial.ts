import type { Fact } from '../../engine/fact.ts';
import { shellProgram } from '../../shell/program.ts';
import { HEADER } from '../managed-file.ts';
import { type Trial, trial } from '../trial.ts';

const FILES = ['/etc/postgresql/*/main/conf.d/90-mooring.conf', '/etc/postgresql/*/main/pg_hba.conf'];

/** Whether a server of the cluster's major starts with these two files and lets its superuser in, asked where one of them would change. */
export function trialOfConfiguration(conf: string, hba: string): Fact<Trial> {
  return trial({
    name: 'trial of the configuration',
    path: FILES.join(' '),
    content: conf + hba,
    credentials: '/var/lib/postgresql/*/main/postgresql.auto.conf',
    // initdb and the server look up who they are, and do not run as root.
    user: 'nobody',
    program: shellProgram(import.meta.url, 'trial.sh'),
    parameters: [HEADER.trimEnd()],
    seconds: 60,
    ports: { unit: 'postgresql@*-main.service' },
  });
}
