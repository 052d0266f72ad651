import { describe, expect, test } from 'vitest';
import { appendAudit, BROKEN, type NewAuditEntry, readAudit } from './audit.ts';

const entry: NewAuditEntry = { run: 'r1', who: 'mike@laptop', what: 'deploy', result: 'ok' };
const parse = (stdout: string, code = 0, stderr = '') => {
  const fact = readAudit('staging', 10);
  return fact.parse({ command: fact.command, code, stdout, stderr });
};
const line = (more = {}) => `${JSON.stringify({ time: '2026-11-23T05:00:00.123456Z', ...entry, ...more })}\n`;

describe('appendAudit', () => {
  test('sends one line an entry on stdin, and nothing of it as an argument', () => {
    const command = appendAudit('staging', [entry, { ...entry, detail: 'two\nlines' }]);
    expect(command.stdin).toBe(
      '{"run":"r1","who":"mike@laptop","what":"deploy","result":"ok"}\n{"run":"r1","who":"mike@laptop","what":"deploy","result":"ok","detail":"two\\nlines"}\n',
    );
    expect(command.argv.slice(4)).toEqual(['append', '/var/lib/mooring/staging', '200']);
    expect(command.effect).toBe('write');
  });

  test.each(['../etc', 'Staging', '', 'a b', '-x'])('refuses %j as an environment', (environment) => {
    expect(() => appendAudit(environment, [])).toThrow('is not a name of an environment');
  });
});

describe('readAudit', () => {
  test('no file is no entry; a failure is not', () => {
    expect(parse('absent\n')).toEqual([]);
    expect(() => parse('', 1, "stat: cannot statx '/var/lib/mooring/staging/audit.jsonl': Permission denied")).toThrow('could not be read');
    expect(() => parse('hello\n')).toThrow('not understood');
  });

  test('fields of a newer version are tolerated, missing ones are not', () => {
    expect(parse(`present\n${line({ phase: 'of the moon' })}`)).toEqual([{ time: '2026-11-23T05:00:00.123456Z', ...entry }]);
    expect(() => parse(`present\n${line({ who: undefined })}`)).toThrow(/not an audit entry.*who/s);
  });

  test('a line that a crash cut off is said, wherever it is, and the others are read', () => {
    const cut = line().slice(0, 40);
    const entries = parse(`present\n${cut}\n${line()}${cut}`);
    expect(entries.map(({ result, time }) => [result, time.slice(0, 4)])).toEqual([
      [BROKEN, '1970'],
      ['ok', '2026'],
      [BROKEN, '2026'],
    ]);
    expect(entries[2]?.detail).toContain('was cut off');
  });
});
