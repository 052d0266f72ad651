import { describe, expect, it } from 'vitest';
import { showError } from '../engine/errors.ts';
import { parseCommandLine } from './command-line.ts';
import { guard } from './guard.ts';
import { hostTargets } from './targets.ts';

const known = {
  environments: ['local', 'prod', 'staging'],
  projects: () => ['postgres', 'redis', 'zfs'],
  hostTargets: hostTargets({ apps: false }),
  isProject: () => false,
  unreadable: () => undefined,
  allTargets: () => new Set(['build', 'test', 'configure']),
  keepsGraph: true,
};

function verdict(line: string, workspace = known): string {
  const command = parseCommandLine(line.split(' '));
  if (command === undefined) return 'runs nothing';
  try {
    guard(command, workspace);
    return 'goes on';
  } catch (error) {
    return showError(error);
  }
}

/** The last line of each. */
const MORE = '\n  more:    docs/errors.md#before-a-host-is-asked';
const MISTYPED =
  'There is no environment "stagign". Known environments: local, prod, staging. Did you mean staging?\n  next:    --configuration=staging';
const MISSING = 'no environment given. Known environments: local, prod, staging.\n  next:    --configuration=<environment>';

describe('environment mistyped in each form', () => {
  it.each([
    'run redis:configure -c stagign',
    'run redis:configure -c=stagign',
    'run redis:configure --configuration stagign',
    'run redis:configure --configuration=stagign',
    'run redis:configure:stagign',
    'configure redis -c stagign',
    'configure redis --configuration=stagign',
    'configure -c stagign',
    'run-many -t configure -c stagign',
    'run-many -t configure --configuration=stagign',
    'run-many -t configure plan -c stagign',
    'run-many -t build configure -c stagign',
    'run-many --targets=configure -p redis -c=stagign',
    'run-many -t configure -p tag:mooring -c stagign',
    'affected -t configure -c stagign',
    'affected --target=configure --configuration=stagign',
    'run zfs:inventory -c stagign',
  ])('%s', (line) => expect(verdict(line)).toBe(`${MISTYPED}${MORE}`));
});

describe('none given', () => {
  it.each([
    ['run redis:configure', 'configure'],
    ['configure redis', 'configure'],
    ['configure redis -c', 'configure'],
    ['run-many -t configure', 'configure'],
    ['run-many -t plan status', 'plan, status'],
    ['affected -t configure', 'configure'],
    ['run redis:configure -- -c staging', 'configure'],
    ['run zfs:log --limit=5', 'log'],
  ])('%s', (line, targets) => expect(verdict(line)).toBe(`${targets}: ${MISSING}${MORE}`));
});

describe('others that nx would run, or call a success', () => {
  it.each([
    [
      'run-many -t nope -c local',
      'no project has a target "nope"; nx would do nothing and call it a success\n  next:    nx show projects --with-target=<target>',
    ],
    [
      'run-many -t build confgure -c local',
      'no project has a target "confgure"; nx would do nothing and call it a success. Did you mean configure?\n  next:    nx show projects --with-target=<target>',
    ],
    [
      'affected -t build e2e confgure -c local',
      'no project has a target "e2e", "confgure"; nx would do nothing and call it a success. Did you mean configure?\n  next:    nx show projects --with-target=<target>',
    ],
    [
      'affected -t nope',
      'no project has a target "nope"; nx would do nothing and call it a success\n  next:    nx show projects --with-target=<target>',
    ],
    [
      'run redis:configure --prod',
      'There is no environment "production". Known environments: local, prod, staging.\n  next:    --configuration=<environment>',
    ],
    ['run redis:configure:local -c prod', 'more than one configuration: local, prod\n  next:    name one environment'],
    [
      'run redis:configure -c constructor',
      'There is no environment "constructor". Known environments: local, prod, staging.\n  next:    --configuration=<environment>',
    ],
    [
      'run redis:configure -c local --step=snapshot',
      '--step is not taken from the command line: it would replace that of every task of the run\n  next:    name the target itself: configure',
    ],
    [
      'run-many -t configure -c local -- --environment prod',
      '--environment is not taken from the command line: it would replace that of every task of the run\n  next:    --configuration=<environment>: local, prod, staging',
    ],
  ])('%s', (line, message) => expect(verdict(line)).toBe(`${message}${MORE}`));
});

describe('what is right, or not ours, goes on', () => {
  it.each([
    'run redis:configure -c staging',
    'configure redis -c staging',
    'run-many -t configure -c staging --release=abc --dry-run',
    'affected -t configure -c staging --base main',
    'run minio:artifact',
    'run-many -t artifact build',
    'run-many -t build',
    'run web:plan',
    'run-many -t plan -p web docs',
    'run-many -t build:*',
    'affected -t lint build e2e',
    'run-many -t e2e artifact',
  ])('%s', (line) => expect(verdict(line, { ...known, allTargets: () => new Set(['build', 'artifact']) })).toBe('goes on'));

  it('a target is not refused when the graph is not known', () => {
    expect(verdict('run-many -t nope', { ...known, allTargets: () => undefined as never })).toBe('goes on');
  });
});

it('is refused where nx keeps no graph to compare with', () => {
  expect(verdict('run redis:configure -c prod', { ...known, keepsGraph: false })).toContain('NX_CACHE_PROJECT_GRAPH=false');
  expect(verdict('run-many -t build', { ...known, keepsGraph: false })).toBe('goes on');
});
