import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { hostileTexts } from '../../../../test/hostile-texts.ts';
import { Secret } from '../engine/secret.ts';
import { isEnvironmentValue, renderEnvironmentFile } from './environment-file.ts';

/** What a POSIX shell makes of the file. */
function readByShell(text: string): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'mooring env '));
  try {
    writeFileSync(join(folder, 'env'), text);
    const out = execFileSync('env', ['-i', 'sh', '-euc', 'set -a; . "$1"; exec /usr/bin/env -0', 'sh', join(folder, 'env')], {
      encoding: 'utf8',
    });
    return Object.fromEntries(
      out
        .split('\0')
        .filter((line) => line.startsWith('V'))
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it('a shell reads any value back as it was (systemd: test/e2e/guest-node.test.ts)', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }).filter(isEnvironmentValue), { maxLength: 40 }), (values) => {
      const all = Object.fromEntries([...values, ...hostileTexts].map((value, i) => [`V${i}`, value]));
      expect(readByShell(renderEnvironmentFile(all).reveal())).toEqual(all);
    }),
    { numRuns: 20 },
  );
});

it('knows what systemd would leave out', () => {
  for (const text of ['\0', 'a\rb', '\x1b[0m', '\x7f', '\ud800', '\ufffe', '\u{1ffff}', '\ufdd0'])
    expect(isEnvironmentValue(text), JSON.stringify(text)).toBe(false);
  for (const text of ['', 'a\tb\nc', 'é', '\u{1f6a2}', '\u0085']) expect(isEnvironmentValue(text), JSON.stringify(text)).toBe(true);
});

it('a secret in it is hidden, other values are not', () => {
  const file = renderEnvironmentFile({ PLAIN: 'seen', TOKEN: new Secret('hunter2-hunter2') });
  expect(String(file)).toContain('PLAIN="seen"');
  expect(String(file)).toContain('TOKEN=(secret)');
  expect(String(file)).not.toContain('hunter2');
  expect(file.reveal()).toContain('TOKEN="hunter2-hunter2"');
});
