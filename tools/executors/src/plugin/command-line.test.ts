import { describe, expect, it } from 'vitest';
import { parseCommandLine } from './command-line.ts';

const words = (line: string) => parseCommandLine(line.split(' ').filter(Boolean));

describe('the command line, as nx reads it', () => {
  it.each([
    ['run redis:configure -c staging', 'run', ['configure'], ['redis'], ['staging']],
    ['run redis:configure:staging', 'run', ['configure'], ['redis'], ['staging']],
    ['run redis:configure --configuration=staging', 'run', ['configure'], ['redis'], ['staging']],
    ['run redis:configure --configuration staging --verbose', 'run', ['configure'], ['redis'], ['staging']],
    ['configure redis -c=staging', 'run', ['configure'], ['redis'], ['staging']],
    ['configure -c staging redis', 'run', ['configure'], ['redis'], ['staging']],
    ['configure --project=redis -c staging', 'run', ['configure'], ['redis'], ['staging']],
    ['configure -c staging', 'run', ['configure'], [], ['staging']],
    ['run --project=redis --target=configure -c staging', 'run', ['configure'], ['redis'], ['staging']],
    ['run --target configure --project redis --c staging', 'run', ['configure'], ['redis'], ['staging']],
    ['run configure --project redis -c staging', 'run', ['configure'], ['redis'], ['staging']],
    ['run --project=redis redis:configure -c staging', 'run', ['configure'], ['redis', 'redis'], ['staging']],
    ['-c staging run redis:configure', 'run', ['configure'], ['redis'], ['staging']],
    ['--configuration=staging configure redis', 'run', ['configure'], ['redis'], ['staging']],
    ['configure redis', 'run', ['configure'], ['redis'], []],
    ['configure redis -c', 'run', ['configure'], ['redis'], ['']],
    ['configure redis --prod', 'run', ['configure'], ['redis'], ['production']],
    ['t web', 'run', ['test'], ['web'], []],
    ['run redis:configure:local -c staging', 'run', ['configure'], ['redis'], ['local', 'staging']],
    ['run-many -t configure plan -c staging', 'run-many', ['configure', 'plan'], [], ['staging']],
    ['run-many -t configure,plan -c staging', 'run-many', ['configure', 'plan'], [], ['staging']],
    ['run-many -t=configure -c=staging', 'run-many', ['configure'], [], ['staging']],
    ['run-many --target configure -p redis postgres -c staging', 'run-many', ['configure'], ['redis', 'postgres'], ['staging']],
    ['run-many --targets=configure --projects=redis,postgres', 'run-many', ['configure'], ['redis', 'postgres'], []],
    ['run-many -c staging --parallel 3 --exclude redis web -t configure', 'run-many', ['configure'], [], ['staging']],
    ['run-many --t configure --p redis --c staging', 'run-many', ['configure'], ['redis'], ['staging']],
    ['-c staging run-many --t=configure', 'run-many', ['configure'], [], ['staging']],
    ['run-many --project redis -t configure -c staging', 'run-many', ['configure'], [], ['staging']],
    ['run-many -ct configure staging', 'run-many', ['*'], [], []],
    ['affected -t configure --base main --head HEAD -c staging', 'affected', ['configure'], [], ['staging']],
    ['affected --target=configure --files a b --configuration staging', 'affected', ['configure'], [], ['staging']],
  ] as const)('%s', (line, kind, targets, projects, configurations) => {
    expect(words(line)).toMatchObject({ kind, targets, projects, configurations });
  });

  it.each(['', 'graph', 'show project redis', 'reset', '--version', 'format:check', 'list', 'exec -- ls'])('runs no target: %s', (line) => {
    expect(words(line)).toBeUndefined();
  });

  it('takes what stands after -- for the tasks: no configuration, but flags', () => {
    expect(words('run redis:configure -- --configuration=staging --step=snapshot')).toMatchObject({ configurations: [], flags: ['step'] });
  });

  it('keeps the flags of the tasks by name', () => {
    expect(words('run redis:configure -c local --release=abc --dry-run --no-step --environment prod')?.flags).toEqual([
      'release',
      'dry-run',
      'no-step',
      'environment',
    ]);
  });
});
