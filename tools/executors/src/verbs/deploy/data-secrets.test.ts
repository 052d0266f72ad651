import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { converge } from '../../../../../test/scripted/deploy.ts';
import { place, requestOfC00 } from '../../../../../test/scripted/host.ts';
import { answer } from '../../../../../test/scripted/incus.ts';
import { workspace } from '../../../../../test/scripted/workspace.ts';
import { fileContent, rendered } from '../../executors/shared/answer.ts';
import { planReport } from '../../report/plan.ts';
import { verifyReport } from '../../report/verify.ts';
import { plan } from '../plan/data.ts';
import { verify } from '../verify/data.ts';

afterEach(() => rmSync(place.folder, { recursive: true, force: true }));

describe('a secret that is a word', () => {
  /** A service with a secret, a file that is called like it, and answers that quote what they were given. */
  const SECRET_SERVICE = (schema: string) => `
import { z } from '${schema}';
const path = ({ instance }) => process.env.TEST_FOLDER + '/' + instance;
const health = ({ settings }) => {
  if (process.env.TEST_FAILS) throw new Error('got ' + settings.value.reveal());
  return { version: '1', detail: 'asked as ROOT_USER=' + settings.value.reveal() };
};
export default {
  name: 'file', unit: 'file', settings: z.strictObject({ value: z.any() }),
  stages: [{
    name: 'content',
    facts: ({ context }) => ({ now: { name: 'file', command: { argv: ['cat', path(context)], effect: 'read' }, parse: (r) => r.stdout } }),
    plan: ({ now }, { settings, context }) => now === settings.value.reveal() ? [] : [{
      resource: 'file /etc/' + context.instance + '/c00/root-user', action: 'update', before: now, after: settings.value, impact: 'none',
      because: 'it differs', commands: [{ argv: ['sh', '-c', 'cat > "$1"', 'sh', path(context)], stdin: settings.value, effect: 'write' }],
    }],
  }],
  health: {
    inside: (desired) => ({ name: 'health', command: { argv: ['true'], effect: 'read' }, parse: () => health(desired) }),
    outside: async (desired) => health(desired),
  },
};`;

  beforeEach(() => {
    workspace(1);
    writeFileSync(
      join(place.folder, 'infra/c00/container.json'),
      JSON.stringify({ description: 'c00', service: './service.ts', settings: { value: { secret: 'ROOT_USER' } } }),
    );
    writeFileSync(join(place.folder, 'infra/c00/service.ts'), SECRET_SERVICE(import.meta.resolve('zod')));
    mkdirSync(join(place.folder, '.secrets'));
    // Of such a pool no restore point is cut.
    answer('/1.0/storage-pools?recursion=1', [{ name: 'pool', driver: 'dir', status: 'Created', config: {} }]);
    mkdirSync(join(place.folder, 'state/local'), { recursive: true });
  });

  const told = async (value: string) => {
    writeFileSync(join(place.folder, '.secrets/local.env'), `ROOT_USER='${value}'\n`, { mode: 0o600 });
    return (await converge()).printed;
  };

  it('is hidden as a value; names of things stay; it is warned of once in a deploy', async () => {
    const printed = await told('c00');
    expect(printed).toContain('c00: content: update file /etc/x-c00/c00/root-user: it differs');
    expect(printed).toContain('c00: provision: no changes: x-c00 is there and runs');
    expect(printed).toContain('is healthy (asked as ROOT_USER=(secret), from inside');
    expect(printed.match(/^warning: .*$/gm)).toEqual([
      'warning: ROOT_USER of local cannot be hidden everywhere: it is shorter than 8 characters; a random value can (docs/secrets.md)',
    ]);
    expect(readFileSync(join(place.folder, 'state/local/audit.jsonl'), 'utf8')).toContain('file /etc/x-c00/c00/root-user');
  });

  it('and one that nothing else holds is not warned of', async () => {
    const printed = await told('hunter2-hunter2');
    expect(printed).toContain('is healthy (asked as ROOT_USER=(secret), from inside');
    expect(printed).not.toContain('warning:');
    expect(printed).not.toContain('hunter2');
  });

  it('leaves the JSON of a plan valid, and what a verb throws without it', async () => {
    // As JSON writes a quote, so this ends.
    const value = 'hunter22\\';
    await told(value);
    writeFileSync(join(place.folder, 'instances/x-c00'), 'was hunter22"');
    const options = {
      create: [],
      newHost: [],
      leaveBehind: [],
      without: [],
      adopt: [],
      json: true,
      markdown: false,
      failOnChanges: false,
      skipTrial: false,
      release: undefined,
    };
    const request = requestOfC00();
    const answer = await plan({ ...request, options });
    const { output } = rendered(planReport, answer, options, true);
    expect(JSON.parse(output)).toEqual(JSON.parse(fileContent(planReport, answer)));
    expect(output).toContain('was hunter22\\"');
    vi.stubEnv('TEST_FAILS', 'yes');
    const asked = await verify({ ...request, options: { json: false } });
    expect(rendered(verifyReport, asked, { json: false }, false).output).toContain('got (secret)');
    vi.unstubAllEnvs();
  });
});
