import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { read, showCommand } from '../../engine/command.ts';
import { INCUS, incus } from './command.ts';
import { instanceBundle } from './inside.ts';

const SOURCES = join(import.meta.dirname, '..', '..');
const files = globSync('**/*.ts', { cwd: SOURCES }).filter((file) => !file.endsWith('.test.ts') && file !== 'platforms/incus/command.ts');
const VERB = '\\bincus (?:--\\S+ )*(?:query|exec|config|create|copy|start|stop|delete|snapshot|storage|list|image|info|operation)\\b';

it('every command for Incus says that it goes to the Incus of its own host', () => {
  expect(showCommand(read(incus('query', '/1.0')))).toBe('env INCUS_CONF=/nonexistent incus --force-local query /1.0');
  expect(INCUS).toBe('env INCUS_CONF=/nonexistent incus --force-local');
  expect(showCommand(instanceBundle({ instance: 'veza-redis', project: 'p' }, [read(['true'])]))).toMatch(
    `${INCUS} exec veza-redis --project p -T -- `,
  );
});

it('no command for Incus is written without it', () => {
  // The first word of an argv; `on` of a generator is a list of platforms.
  const ofArgv = /\[\s*(?:\.\.\.\[\s*)?['"`]incus['"`]\s*,(?!\s*['"`]proxmox)/g;
  // In a script: at its beginning, after what may stand before a command, or in $( ).
  const ofScript = new RegExp(`(?:\\$\\(|\\bexec |^|[;&|!{] *|\\b(?:then|do|else|if|while) )${VERB}`, 'gm');
  const found = files.flatMap((file) => {
    const text = readFileSync(join(SOURCES, file), 'utf8');
    return [...text.matchAll(ofArgv), ...text.matchAll(ofScript)].map(([words]) => `${file}: ${words}`);
  });
  expect(files.length).toBeGreaterThan(300);
  expect(found).toEqual([]);
});
