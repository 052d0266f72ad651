import { describe, expect, it } from 'vitest';
import { appProject, containerProject, hostTargets, storageProject } from './targets.ts';

const inferred = {
  name: 'redis',
  root: 'infra/redis',
  description: 'Sessions',
  environments: ['local', 'prod'],
  environmentFolder: 'infra/environments',
  implicitDependencies: ['nx-mooring'],
};
const redis = containerProject({ ...inferred, service: 'redis', storage: 'zfs', hasArtifacts: false });
const zfs = storageProject({ ...inferred, name: 'zfs', root: 'infra/zfs' });
const pote = appProject({ ...inferred, name: 'pote', root: 'infra/apps/pote', kind: 'python', needs: ['postgres'], storage: 'zfs' });
const targetsOf = ({ targets = {} }: ReturnType<typeof storageProject>) => Object.values(targets);

/** The targets as a reader of the graph sees them, one line each. */
function graph({ name, targets = {} }: ReturnType<typeof storageProject>): string[] {
  return Object.entries(targets).map(([target, { executor, options, dependsOn = [], cache }]) => {
    const before = dependsOn.map((edge) =>
      typeof edge === 'string' ? edge : `${edge.projects ?? name}:${edge.target}${edge.params === 'forward' ? ' with the flags' : ''}`,
    );
    return `${name}:${target} = ${executor} ${JSON.stringify(options ?? {})}${cache ? ' cached' : ''}${before.length === 0 ? '' : ` after ${before}`}`;
  });
}

describe('inferred targets', () => {
  it('form the chain, and the verbs that stand apart', () => {
    expect([...graph(zfs), ...graph(redis)].join('\n')).toMatchInlineSnapshot(`
      "zfs:preflight = nx-mooring:converge {"step":"preflight"}
      zfs:snapshot = nx-mooring:converge {"step":"snapshot"} after zfs:preflight with the flags
      zfs:status = nx-mooring:status {}
      zfs:rollback = nx-mooring:rollback {}
      zfs:inventory = nx-mooring:inventory {}
      zfs:snapshots = nx-mooring:snapshots {}
      zfs:prune = nx-mooring:prune {}
      zfs:log = nx-mooring:log {}
      redis:snapshot = nx-mooring:converge {"step":"snapshot"} after zfs:snapshot with the flags
      redis:provision = nx-mooring:converge {"step":"provision"} after redis:snapshot with the flags
      redis:configure = nx-mooring:converge {"step":"configure"} after redis:provision with the flags
      redis:verify = nx-mooring:verify {}
      redis:plan = nx-mooring:plan {}
      redis:status = nx-mooring:status {}
      redis:rollback = nx-mooring:rollback {}
      redis:drill = nx-mooring:drill {}"
    `);
  });

  it('of an application: its own chain, after the data that it needs', () => {
    expect(graph(pote).join('\n')).toMatchInlineSnapshot(`
      "pote:provision = nx-mooring:app {"step":"provision"} after zfs:preflight with the flags
      pote:configure = nx-mooring:app {"step":"configure"} after pote:provision with the flags,postgres:configure with the flags
      pote:deploy = nx-mooring:app {"step":"deploy"} after pote:configure with the flags
      pote:verify = nx-mooring:verify {}
      pote:plan = nx-mooring:plan {}
      pote:status = nx-mooring:status {}
      pote:rollback = nx-mooring:rollback {}
      pote:inventory = nx-mooring:inventory {}"
    `);
    expect(pote.tags).toEqual(['mooring', 'mooring:app', 'kind:python']);
    expect(pote.implicitDependencies).toEqual(['nx-mooring', 'postgres']);
  });

  it('need an environment: those of applications only where there are some', () => {
    expect([...hostTargets({ apps: true })]).toEqual(expect.arrayContaining(Object.keys(pote.targets ?? {})));
    expect(hostTargets({ apps: false }).has('deploy')).toBe(false);
    expect(hostTargets({ apps: false }).has('provision')).toBe(true);
  });

  it('of a container, in full', () => {
    expect({ ...redis, targets: { configure: redis.targets?.configure } }).toMatchInlineSnapshot(`
      {
        "implicitDependencies": [
          "nx-mooring",
          "zfs",
        ],
        "metadata": {
          "description": "Sessions",
          "technologies": [
            "nx-mooring",
          ],
        },
        "name": "redis",
        "projectType": "application",
        "root": "infra/redis",
        "tags": [
          "mooring",
          "mooring:container",
          "service:redis",
        ],
        "targets": {
          "configure": {
            "cache": false,
            "configurations": {
              "local": {
                "environment": "local",
              },
              "prod": {
                "environment": "prod",
              },
            },
            "dependsOn": [
              {
                "params": "forward",
                "target": "provision",
              },
            ],
            "executor": "nx-mooring:converge",
            "inputs": [
              "{projectRoot}/**/*",
              "{workspaceRoot}/infra/environments/*.json",
              "{workspaceRoot}/infra/environments/*.secrets.age",
            ],
            "metadata": {
              "description": "Brings the service to its settings, then verifies it; a second run changes nothing",
              "technologies": [
                "nx-mooring",
              ],
            },
            "options": {
              "step": "configure",
            },
          },
        },
      }
    `);
  });

  it('obtain artifacts apart from the chain, cached, for every environment alike', () => {
    const minio = containerProject({
      ...inferred,
      name: 'minio',
      root: 'infra/minio',
      service: 'minio',
      storage: 'zfs',
      hasArtifacts: true,
    });
    expect(minio.targets?.artifact).toMatchInlineSnapshot(`
      {
        "cache": true,
        "executor": "nx-mooring:artifact",
        "inputs": [
          "{projectRoot}/**/*",
          "{workspaceRoot}/infra/environments/*.json",
          {
            "input": "production",
            "projects": [
              "nx-mooring",
            ],
          },
        ],
        "metadata": {
          "description": "Obtains the binaries the service needs, checked by sha256; a deploy does it itself if this has not run",
          "technologies": [
            "nx-mooring",
          ],
        },
        "outputs": [
          "{workspaceRoot}/.mooring/artifacts/*",
        ],
      }
    `);
    expect(graph(minio).filter((line) => line.includes('after') && line.includes('artifact'))).toEqual([]);
  });
});

it('what asks or changes a host is never cached: its answer may be another one, with the same files', () => {
  const minio = containerProject({ ...inferred, name: 'minio', root: 'infra/minio', service: 'minio', storage: 'zfs', hasArtifacts: true });
  const hosts = hostTargets({ apps: true });
  const targets = [zfs, redis, minio, pote].flatMap(({ targets = {} }) => Object.entries(targets));
  expect(targets.filter(([name, { cache }]) => hosts.has(name) && cache !== false)).toEqual([]);
  expect(targets.filter(([name]) => !hosts.has(name)).map(([name, { cache }]) => [name, cache])).toEqual([['artifact', true]]);
  expect([...hosts].filter((name) => !targets.some(([target]) => target === name))).toEqual([]);
});

describe('the guards that lie in the targets', () => {
  const all = [...targetsOf(redis), ...targetsOf(zfs), ...targetsOf(pote)];

  it('base options name no environment and no host, and no configuration is the default', () => {
    for (const { options, defaultConfiguration, cache } of all) {
      expect(Object.keys(options).filter((key) => key !== 'step')).toEqual([]);
      expect(defaultConfiguration).toBeUndefined();
      expect(cache).toBe(false);
    }
  });

  it('every target has every environment', () => {
    for (const { configurations } of all)
      expect(configurations).toEqual({ local: { environment: 'local' }, prod: { environment: 'prod' } });
  });

  it('every edge forwards the flags', () => {
    expect(all.flatMap(({ dependsOn = [] }) => dependsOn).every((edge) => typeof edge === 'object' && edge.params === 'forward')).toBe(
      true,
    );
  });
});
