/** Files of a workspace with one container, for tests of what is read from them. */
export const environment = {
  host: 'local',
  incus: { project: 'default', profiles: ['veza-data'], image: 'debian/12' },
  prefix: 'veza-local-',
  network: 'veza-net0',
  retention: 5,
};
export const redis = {
  description: 'Sessions',
  service: 'redis',
  settings: { password: { secret: 'REDIS_PASSWORD' }, maxmemoryPolicy: 'noeviction' },
};
/** The text of a service of a workspace's own. */
export const ownService = `import { z } from ${JSON.stringify(import.meta.resolve('zod'))};
type Settings = { bucket: string };
const valkey = {
  name: 'valkey', unit: 'valkey', stages: [],
  settings: z.strictObject({ bucket: z.string().regex(/^[a-z-]+$/, 'expected lower-case letters and hyphens').meta({ examples: ['uploads'] }) }) as z.ZodType<Settings>,
  health: { inside() { throw new Error(); }, async outside() { throw new Error(); } },
};
export default valkey;
`;

/** All files of it. */
export const good: Record<string, unknown> = {
  'nx.json': { plugins: [{ plugin: 'nx-mooring/plugin', options: { infra: 'infra' } }] },
  'infra/environments/local.json': environment,
  'infra/environments/staging.json': { ...environment, host: 'veza-staging', prefix: 'veza-staging-' },
  'infra/zfs/storage.json': { description: 'Storage' },
  'infra/redis/container.json': redis,
};
