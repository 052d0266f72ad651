import { beforeEach, describe, expect, it } from 'vitest';
import { caseSettings } from '../../../../../test/cases.ts';
import { emptyWorkspace, expectFormatted, json, written } from '../../../../../test/trees.ts';
import { services } from '../../services/index.ts';
import { containerSchema } from '../../workspace/container.ts';
import container from './generator.ts';

let tree: ReturnType<typeof emptyWorkspace>;
beforeEach(() => {
  tree = emptyWorkspace();
});

const secretNamesOf = (text: string | null) => text?.match(/^[A-Z_]+=$/gm);

describe.each(Object.keys(services))('a container of %s', (service) => {
  it('has settings that the service takes, and its secrets are named after the container', async () => {
    await container(tree, { name: 'first-one', service });
    const file = containerSchema.parse(json(tree, 'infra/first-one/container.json'));
    expect(file.service).toBe(service);
    const settings = JSON.parse(JSON.stringify(file.settings).replaceAll('${environment}', 'local'));
    const loaded = await services[service]?.();
    expect(loaded?.settings.safeParse(caseSettings(settings))).toMatchObject({ success: true });
    for (const name of secretNamesOf(tree.read('.secrets/example.env', 'utf-8')) ?? []) expect(name).toMatch(/^FIRST_ONE_[A-Z_]+=$/);
  });

  it('is the one that its name alone means, well formatted', async () => {
    await container(tree, { name: service });
    expect(json(tree, `infra/${service}/container.json`).service).toBe(service);
    expect(tree.children(`infra/${service}`)).toEqual(['container.json']);
    expectFormatted(tree);
  });
});

describe("a container of a service of one's own", () => {
  it('gets the service file, cases and a README, and the workspace is made ready first', async () => {
    await container(tree, { name: 'valkey' });
    expect(Object.keys(written(tree)).sort()).toMatchInlineSnapshot(`
      [
        ".gitignore",
        ".secrets/example.env",
        "infra/environments/local.json",
        "infra/package.json",
        "infra/valkey/README.md",
        "infra/valkey/container.json",
        "infra/valkey/service.test.ts",
        "infra/valkey/service.ts",
        "infra/zfs/storage.json",
        "nx.json",
      ]
    `);
    expect(written(tree)['infra/valkey/container.json']).toMatchInlineSnapshot(`
      "{
        "$schema": "../../node_modules/nx-mooring/schemas/container.schema.json",
        "description": "valkey: a service of this workspace's own",
        "service": "./service.ts",
        "settings": {
          "password": { "secret": "VALKEY_PASSWORD" }
        }
      }
      "
    `);
    expect(secretNamesOf(tree.read('.secrets/example.env', 'utf-8'))).toEqual(['VALKEY_PASSWORD=']);
  });

  it('marks what is to be filled in, each place with what may stand there', async () => {
    await container(tree, { name: 'valkey' });
    const lines = tree.read('infra/valkey/service.ts', 'utf-8')?.split('\n') ?? [];
    const open = lines.flatMap((line, i) => (/fillIn(<.*>)?\(\d/.test(line) ? [lines[i + 1]] : []));
    expect(open.length).toBeGreaterThan(4);
    for (const line of open) expect(line).toMatch(/^ *\/\/ \S/);
  });

  it('may have another name than its service', async () => {
    await container(tree, { name: 'cache', service: 'valkey' });
    expect(tree.read('infra/cache/service.ts', 'utf-8')).toContain("name: 'valkey'");
    expect(tree.read('infra/cache/README.md', 'utf-8')).toContain('npx nx run cache:configure -c local');
    expect(secretNamesOf(tree.read('.secrets/example.env', 'utf-8'))).toEqual(['CACHE_PASSWORD=']);
  });

  it('is well formatted, whatever it is called', async () => {
    await container(tree, { name: 'valkey' });
    await container(tree, { name: 'q' });
    expectFormatted(tree);
  });

  it('needs no package.json of its own where the workspace is made of modules', async () => {
    tree.write('package.json', '{"type": "module"}');
    await container(tree, { name: 'valkey' });
    expect(tree.exists('infra/package.json')).toBe(false);
  });
});

describe('a second time', () => {
  it.each(['redis', 'valkey'])('%s: nothing changes, what was edited neither', async (name) => {
    await container(tree, { name });
    tree.write(`infra/${name}/container.json`, (tree.read(`infra/${name}/container.json`, 'utf-8') ?? '').replace('Redis', 'Our Redis'));
    if (name === 'valkey') tree.write('infra/valkey/service.ts', '// ours\n');
    const before = written(tree);
    await container(tree, { name });
    expect(written(tree)).toEqual(before);
  });

  it('of another service: refused', async () => {
    await container(tree, { name: 'cache', service: 'redis' });
    await expect(container(tree, { name: 'cache', service: 'valkey' })).rejects.toThrow(
      'infra/cache/container.json: service: found "redis"; expected "./service.ts", as the options say',
    );
  });

  it('two containers of one service have secrets of their own', async () => {
    await container(tree, { name: 'redis' });
    await container(tree, { name: 'cache', service: 'redis' });
    expect(secretNamesOf(tree.read('.secrets/example.env', 'utf-8'))).toEqual(['REDIS_PASSWORD=', 'CACHE_PASSWORD=']);
  });
});

describe('environments', () => {
  beforeEach(() => {
    for (const name of ['staging', 'prod']) tree.write(`infra/environments/${name}.json`, '{}');
  });

  it('a container is in all of them; their files stay as they are', async () => {
    await container(tree, { name: 'redis' });
    expect(json(tree, 'infra/redis/container.json')).not.toHaveProperty('environments');
    expect(tree.read('infra/environments/staging.json', 'utf-8')).toBe('{}');
    expect(tree.exists('infra/environments/local.json')).toBe(false);
  });

  it('one of applications only is not what the next steps name', async () => {
    tree.write('infra/environments/dev.json', '{"proxmox": {}}');
    await container(tree, { name: 'valkey' });
    expect(tree.read('infra/valkey/README.md', 'utf-8')).toContain('npx nx run valkey:plan -c prod');
  });

  it('or in those that are named', async () => {
    await container(tree, { name: 'redis', environments: 'staging,prod' });
    expect(json(tree, 'infra/redis/container.json').environments).toEqual(['staging', 'prod']);
  });
});

describe('what is refused', () => {
  it.each([
    ['no name', {}, 'nx-mooring:container options: --name: found nothing; expected a part of a host name'],
    ['a name that is none', { name: 'Redis Cache' }, 'expected a part of a host name'],
    ['a service that is mistyped', { name: 'db', service: 'postgress' }, 'there is no service "postgress"; did you mean postgres?'],
    [
      'an environment that is not there',
      { name: 'redis', environments: 'lcoal' },
      'There is no environment "lcoal". Known environments: local. Did you mean local?',
    ],
  ])('%s', async (_, options, message) => {
    await expect(container(tree, options)).rejects.toThrow(message);
  });

  it('a file that is no JSON, by its name', async () => {
    tree.write('infra/redis/container.json', '{');
    await expect(container(tree, { name: 'redis' })).rejects.toThrow('infra/redis/container.json: not valid JSON');
  });
});
