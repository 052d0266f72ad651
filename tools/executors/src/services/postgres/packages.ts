import { z } from 'zod';
import type { Change } from '../../engine/change.ts';
import { type Command, type CommandResult, script, writeFile } from '../../engine/command.ts';
import { commandFailed, MooringError, SafetyError } from '../../engine/errors.ts';
import { type Desired, defineStage, type Fetch } from '../../engine/service.ts';
import { shellProgram } from '../../shell/program.ts';
import { installedPackages, installPackages } from '../apt.ts';
import { addRepository, keyPath, renderSources, SOURCES_PATH } from './repository.ts';
import { defaultApt, type PostgresSettings } from './settings.ts';

/** The major that each Debian brings (packages.debian.org/postgresql); for one not listed an explicit version comes from PGDG. */
const DEBIAN_MAJOR: Readonly<Record<string, number>> = { bookworm: 15, trixie: 17 };

const image = z.strictObject({
  /** Of the image's Debian: `bookworm`. */
  codename: z.string().regex(/^[a-z]+$/),
  /** What there is of clusters: configuration in /etc, data in /var/lib. */
  clusters: z.array(z.strictObject({ version: z.string(), name: z.string(), part: z.enum(['configuration', 'data']) })),
  /** Text of our apt source; nothing when it is not there. */
  source: z.string().nullable(),
  /** Whether the pinned key is there. */
  key: z.boolean(),
});

export type PackagesFacts = { readonly installed: Readonly<Record<string, string | undefined>>; readonly image: z.infer<typeof image> };

/** The server, its repository if Debian has another major, and a cluster in UTF-8. */
export const packages = defineStage<PostgresSettings, PackagesFacts>({
  name: 'packages',
  facts: ({ settings }) => ({
    installed: installedPackages([serverPackage(settings)]),
    image: {
      name: 'Debian and its clusters',
      command: lookAround((settings.apt ?? defaultApt).fingerprint),
      parse: parseImage,
    },
  }),
  plan: planPackages,
});

/** The metapackage knows which major Debian has. */
function serverPackage({ version }: PostgresSettings): string {
  return version === 'debian' ? 'postgresql' : `postgresql-${version}`;
}

function planPackages({ installed, image }: PackagesFacts, { settings }: Desired<PostgresSettings>): Change[] {
  const name = serverPackage(settings);
  const present = installed[name];
  const major = settings.version === 'debian' ? debianMajor(present, image.codename) : settings.version;
  refuseOtherCluster(image, major);
  const changes: Change[] = [];
  const apt = repositoryOf(settings, image.codename);
  if (apt !== undefined) {
    const text = renderSources(apt, image.codename);
    if (image.source !== text || !image.key) {
      changes.push({
        resource: `apt repository ${apt.url}`,
        action: image.source === null ? 'create' : 'update',
        ...(image.source === null || image.source === text ? {} : { before: image.source.trim().split('\n') }),
        after: { suite: apt.suite ?? `${image.codename}-pgdg`, fingerprint: apt.fingerprint },
        impact: 'none',
        because: `${name} does not come from the image's Debian`,
        commands: addRepository(apt, text),
      });
    }
  }
  if (present === undefined) {
    changes.push({
      resource: `packages ${name}`,
      action: 'create',
      after: 'installed',
      impact: 'none',
      because: 'not installed',
      // Else the package creates a cluster of its own, with whatever locale the installation happens to run in.
      commands: [
        writeFile({
          path: '/etc/postgresql-common/createcluster.d/50-mooring.conf',
          content: 'create_main_cluster = false\n',
          mode: '0644',
          owner: 'root:root',
        }),
        installPackages([name]),
      ],
    });
  }
  const parts = image.clusters.filter((cluster) => cluster.name === 'main').map(({ part }) => part);
  if (!parts.includes('configuration')) {
    changes.push({
      resource: `cluster ${major ?? 'of that major'}/main`,
      action: 'create',
      after: parts.includes('data') ? 'configured around the data that is there' : { encoding: 'UTF8', locale: 'C.UTF-8', checksums: true },
      impact: 'none',
      because: parts.includes('data') ? 'its data is there, its configuration is not' : 'there is none',
      commands: [createCluster(settings)],
    });
  }
  return changes;
}

/** The major of Debian's metapackage, whose version begins with it: `15+248+deb12u2`. */
function debianMajor(version: string | undefined, codename: string): number | undefined {
  if (version === undefined) return DEBIAN_MAJOR[codename];
  const [, major] = /^(\d+)\+/.exec(version) ?? [];
  if (major === undefined) throw new MooringError(`the version of package postgresql has no major version: ${version}`);
  return Number(major);
}

function refuseOtherCluster({ clusters }: PackagesFacts['image'], major: number | undefined): void {
  const other = clusters.find(({ version }) => version !== String(major));
  if (other !== undefined) {
    throw new SafetyError(
      `there is a cluster ${other.version}/${other.name}, and the settings want major ${major ?? '(what Debian has)'}: a major jump is not done in place`,
      {
        next: `set "version": ${other.version}, or move the data yourself (pg_dumpall, or pg_upgradecluster after a restore point) and remove the old cluster`,
      },
    );
  }
  const beside = clusters.find(({ name }) => name !== 'main');
  if (beside !== undefined && !clusters.some(({ name }) => name === 'main')) {
    throw new SafetyError(`there is a cluster ${beside.version}/${beside.name}, and none named main`, {
      next: `if it holds the data, rename it: pg_renamecluster ${beside.version} ${beside.name} main; no empty cluster is created beside it`,
    });
  }
  const main = clusters.filter(({ name }) => name === 'main').map(({ part }) => part);
  if (main.includes('configuration') && !main.includes('data')) {
    throw new SafetyError(`cluster ${major}/main is configured, but there is no data in /var/lib/postgresql/${major}/main`, {
      next: 'find out where the data went (a volume that is not mounted, another data_directory) and bring it back there; nothing is created in its place',
    });
  }
}

/** What a container gets that is not of its Debian. Which Debian it is, is not known before it is there: for the majors of both, nothing is sure. */
export function fetches({ version, apt }: PostgresSettings): Fetch[] {
  if (version === 'debian' || (apt === undefined && Object.values(DEBIAN_MAJOR).includes(version))) return [];
  const { url, suite, keyUrl } = apt ?? defaultApt;
  return [
    { what: 'the apt repository', url, ...(suite === undefined ? {} : { path: `/dists/${suite}/InRelease` }) },
    ...(keyUrl.startsWith('file:') ? [] : [{ what: 'the key of the apt repository', url: keyUrl, path: '' }]),
  ];
}

function repositoryOf(settings: PostgresSettings, codename: string) {
  if (settings.version === 'debian') return undefined;
  return settings.apt ?? (DEBIAN_MAJOR[codename] === settings.version ? undefined : defaultApt);
}

/**
 * Around data that is there pg_createcluster changes nothing of it, but moves the configuration files from it to /etc, and so wants them there
 * (a Debian data directory has none: it may come from a volume of a container that is gone). It does not start the server.
 */
function createCluster({ version, port }: PostgresSettings): Command {
  return script('write', shellProgram(import.meta.url, 'create-cluster.sh'), [String(version), String(port)], { timeoutMs: 300_000 });
}

/** Shell builtins only: one process. */
function lookAround(fingerprint: string): Command {
  return script(
    'read',
    `. /etc/os-release; printf 'codename %s\\n' "$VERSION_CODENAME"
for file in /etc/postgresql/*/*/postgresql.conf /var/lib/postgresql/*/*/PG_VERSION; do
  if [ -e "$file" ]; then printf 'cluster %s\\n' "$file"; fi
done
if [ -e "$1" ]; then printf 'source\\n'; while IFS= read -r line; do printf '> %s\\n' "$line"; done <"$1"; fi
if [ -s "$2" ]; then printf 'key\\n'; fi`,
    [SOURCES_PATH, keyPath(fingerprint)],
  );
}

function parseImage(result: CommandResult): PackagesFacts['image'] {
  if (result.code !== 0) throw commandFailed(result, 'the container could not be looked at');
  const lines = result.stdout.split('\n').slice(0, -1);
  const quoted = lines.filter((line) => line.startsWith('> ')).map((line) => `${line.slice(2)}\n`);
  const unknown = lines.find((line) => !/^(codename [a-z]+|cluster \/.+|source|> .*|key)$/.test(line));
  if (unknown !== undefined) throw new MooringError(`unexpected line about the container: ${unknown}`);
  return image.parse({
    codename: lines.find((line) => line.startsWith('codename '))?.slice('codename '.length),
    clusters: lines.filter((line) => line.startsWith('cluster ')).map((line) => clusterPart(line.slice('cluster '.length))),
    source: lines.includes('source') ? quoted.join('') : null,
    key: lines.includes('key'),
  });
}

function clusterPart(path: string) {
  const [, root, version, name] = /^\/(etc|var\/lib)\/postgresql\/([^/]+)\/([^/]+)\/[^/]+$/.exec(path) ?? [];
  return { version, name, part: root === 'etc' ? 'configuration' : 'data' };
}
