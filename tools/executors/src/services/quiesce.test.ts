import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../engine/secret.ts';
import type { Desired } from '../engine/service.ts';
import { settleAppendOnlyFile } from './redis/quiesce.ts';
import type { RedisSettings } from './redis/settings.ts';
import { syncFolder } from './sync.ts';

describe('Redis, made quiet', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mooring-quiesce-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Runs the hook against a `redis-cli` that gives these answers, one a call. */
  function hook(...answers: string[]) {
    const cli = join(folder, 'redis-cli');
    answers.forEach((answer, i) => {
      writeFileSync(join(folder, `answer-${i + 1}`), answer);
    });
    writeFileSync(join(folder, 'asked'), '');
    writeFileSync(cli, `#!/bin/sh\n{ echo "$*"; cat; } >>${folder}/asked\nn=$(grep -c AUTH ${folder}/asked)\ncat ${folder}/answer-$n\n`);
    chmodSync(cli, 0o755);
    const settings = { port: 6380, password: new Secret('geheim"1') } as RedisSettings;
    const { argv, stdin } = settleAppendOnlyFile({ settings } as Desired<RedisSettings>);
    const [program, ...args] = argv;
    const input = (stdin as Secret).reveal();
    const { status, stdout, stderr } = spawnSync(program, args, {
      input,
      encoding: 'utf8',
      env: { PATH: `${folder}:${process.env.PATH}` },
    });
    return { status, said: (stdout + stderr).trim(), argv: argv.join(' ') };
  }
  /** As redis-cli 7.0.15 prints it, shortened. */
  const info = (pending: number, enabled = 1, write = 'ok') =>
    `OK\n# Persistence\r\nloading:0\r\naof_enabled:${enabled}\r\naof_last_write_status:${write}\r\naof_pending_bio_fsync:${pending}\r\n`;

  it('is waited for until no fsync holds a write back; its password is no argument', () => {
    const { status, said, argv } = hook(info(1), info(1), info(0));
    expect([status, said]).toEqual([0, '']);
    expect(argv).not.toContain('geheim');
  });

  it('has nothing in memory when it is stopped', () => {
    expect(hook('Could not connect to Redis at 127.0.0.1:6380: Connection refused\n')).toMatchObject({
      status: 0,
      said: expect.stringContaining('no server runs'),
    });
  });

  it.each([
    ['has no append-only file', info(0, 0), 'there is no append-only file'],
    ['could not write it', info(0, 1, 'err'), 'the append-only file could not be written'],
    [
      'does not take the password',
      'ERR invalid password\nNOAUTH Authentication required.\n',
      'redis did not tell of its append-only file: NOAUTH',
    ],
    ['says nothing', '', 'redis did not tell'],
  ])('fails when it %s', (_, answer, said) => {
    expect(hook(answer)).toMatchObject({ status: 1, said: expect.stringContaining(said) });
  });
});

it('a folder is synced with its file system; one that is not there has nothing to sync', () => {
  const sync = (folder: string) => {
    const [program, ...args] = syncFolder(folder).argv;
    return spawnSync(program, args).status;
  };
  expect([sync(tmpdir()), sync('/no/such/folder')]).toEqual([0, 0]);
});
