import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostileTexts } from '../../../../test/hostile-texts.ts';
import { change, plan as ofRedis, redis } from '../../../../test/plan-of-redis.ts';
import type { Change } from '../engine/change.ts';
import { MooringError } from '../engine/errors.ts';
import { type MarkdownPlan, markdownPlan } from './markdown.ts';

const minio = { ...redis, container: 'minio', instance: 'veza-staging-minio', stages: [{ stage: 'packages', changes: [] }] };
const plan: MarkdownPlan = { ...ofRedis, containers: [minio, redis] };
const changed = (one: Change): MarkdownPlan => ({ ...plan, containers: [{ ...redis, stages: [{ stage: 'config', changes: [one] }] }] });

describe('the comment of a pull request', () => {
  it('says how much, then what, and of what does not change only that', () => {
    expect(markdownPlan(plan)).toMatchInlineSnapshot(`
      "## Plan for staging at \`0123456789ab\`

      **2 changes (1 with restart) in staging**

      | container | instance | changes |
      | --- | --- | --- |
      | minio | \`veza-staging-minio\` | none |
      | redis | \`veza-staging-redis\` | 2 changes, 1 with restart; more is known after config |

      Restore point: would be cut: there is no restore point yet

      ### redis

      - **config**: update \`running server\`: CONFIG SET changes it without a restart
        - \`maxmemory: 128mb -> 256mb\`
        - \`password: (secret, differs) -> (secret)\`
      - **config**: restart \`unit redis-server\` (**restart**): only a restart changes databases
      - **objects**: known after config
      "
    `);
  });

  it('of applications has what their address is and what would be refused', () => {
    const pote = {
      ...minio,
      container: 'pote',
      instance: 'pote-dev, guest 201',
      notes: ['address: 10.0.0.5 is taken', 'would be refused: it is not free'],
    };
    expect(markdownPlan({ environment: 'dev', containers: [pote], refused: [] })).toMatchInlineSnapshot(`
      "## Plan for dev

      **0 changes: dev is as the settings say**

      | container | instance | changes |
      | --- | --- | --- |
      | pote | \`pote-dev, guest 201\` | none |

      ### pote

      - address: 10.0.0.5 is taken
      - would be refused: it is not free
      "
    `);
  });

  it('has those that are refused in the table and first of the details, with what to type', () => {
    const error = new MooringError('redis is *not* ours', { next: 'nx run redis:plan -c staging' });
    const lines = markdownPlan({ ...plan, containers: [minio], refused: [{ container: 'redis', error }] }).split('\n');
    expect(lines).toContain('**0 changes in the rest of staging; refused: redis**');
    expect(lines).toContain('| redis |  | **refused** |');
    expect(lines.slice(lines.indexOf('### redis')).slice(2, 4)).toEqual([
      '- redis is \\*not\\* ours',
      '- next:    nx run redis:plan -c staging',
    ]);
  });

  it('without changes is short', () => {
    expect(markdownPlan({ ...plan, containers: [minio] })).not.toContain('###');
    expect(markdownPlan({ ...plan, containers: [minio] })).toContain('**0 changes: staging is as the settings say**');
  });

  it('has a place in a comment, however long the plan: what is left out is said', () => {
    const containers = Array.from({ length: 60 }, (_, i) => ({
      ...redis,
      container: `redis-${i}`,
      stages: [{ stage: 'config', changes: [{ ...change, before: undefined, after: 'x'.repeat(1000) }] }],
    }));
    const markdown = markdownPlan({ ...plan, containers });
    expect(markdown.length).toBeLessThan(40_000);
    expect(markdown).toMatch(/The changes of \d+ more are too long for a comment/);
    for (const { container } of containers) expect(markdown).toContain(`| ${container} |`);
  });
});

describe('a value that looks like Markdown', () => {
  it.each(hostileTexts)('stays one line: %j', (value) => {
    const lines = markdownPlan(changed({ ...change, before: undefined, after: value, because: value })).split('\n');
    expect(lines.filter((line) => /^ *- /.test(line))).toHaveLength(2);
  });

  it('is no code, HTML, table or mention', () => {
    const markdown = markdownPlan(changed({ ...change, before: undefined, after: '``` `x`', because: '<b>@team</b> [a](b) | **c**' }));
    expect(markdown).toContain('- ```` ``` `x` ````');
    expect(markdown).toContain('\\<b\\>@\u200bteam\\</b\\> \\[a\\](b) \\| \\*\\*c\\*\\*');
  });

  it('is in a code span whose fence is in no value', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('`', 'a', ' ', '\n') }), (value) => {
        const line = markdownPlan(changed({ ...change, before: undefined, after: value }))
          .split('\n')
          .find((one) => one.startsWith('  - '));
        const [, fence = '', inside = ''] = /^ {2}- (`+)(.*?)\1$/.exec(line ?? '') ?? [];
        expect(fence).not.toBe('');
        expect(inside.includes(fence)).toBe(false);
        expect(inside.trim()).toBe(value.replaceAll('\n', '\\n').trim());
      }),
    );
  });
});
