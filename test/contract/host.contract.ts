import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Command, read, script, write, writeFile } from '../../tools/executors/src/engine/command.ts';
import { CommandError, HostError } from '../../tools/executors/src/engine/errors.ts';
import { Secret } from '../../tools/executors/src/engine/secret.ts';
import type { OpenHost } from '../../tools/executors/src/engine/transport.ts';

/** What every kind of host must do. `open` gives a host that is this machine, seen over its transport. */
export function hostContract(kind: string, open: () => Promise<OpenHost>): void {
  describe(`${kind} keeps the contract of a host`, () => {
    let host: OpenHost;
    let folder: string;
    beforeAll(async () => {
      process.env.MOORING_CONTRACT_PASSWORD = 'only-in-our-environment';
      folder = mkdtempSync(join(tmpdir(), `mooring ${kind} $(x) 'é" `));
      host = await open();
    });
    afterAll(async () => {
      delete process.env.MOORING_CONTRACT_PASSWORD;
      await host.close();
      rmSync(folder, { recursive: true });
    });
    const one = async (command: Command) => {
      const [result] = await host.run([command]);
      if (result === undefined) throw new Error('no result');
      return result;
    };

    test('exit codes are told, 0 to 255, and a failure is a result', async () => {
      const codes = [0, 1, 2, 126, 127, 255];
      const results = await host.run(codes.map((code) => script('read', 'exit "$1"', [String(code)])));
      expect(results.map(({ code }) => code)).toEqual(codes);
      expect((await one(read(['mooring-no-such-program']))).code).toBe(127);
    });

    test('words on stderr are no failure, and come apart from stdout', async () => {
      expect(await one(script('read', 'echo out; echo err >&2'))).toMatchObject({ code: 0, stdout: 'out\n', stderr: 'err\n' });
    });

    test('an empty batch asks nobody', async () => {
      const before = host.roundTrips;
      expect(await host.run([])).toEqual([]);
      expect(host.roundTrips).toBe(before);
    });

    test('a batch is one round trip, and a file is one', async () => {
      const before = host.roundTrips;
      await host.run(Array.from({ length: 30 }, () => read(['true'])));
      await host.spare.run([read(['true'])]);
      await host.putFile(fileSpec(join(folder, 'counted'), 'x'));
      expect(host.roundTrips).toBe(before + 3);
    });

    test.each([
      ['nothing', ''],
      ['no newline at the end', 'last line'],
      ['newlines only', '\n\n\n'],
      ['NUL and control characters', 'a\0b\x01\x1b[31m\r\n\0'],
      ['letters of four bytes', '🛟 é ß 日本語'],
      ["a shell's own words", `'$(id)' "\`id\`" $HOME \\ EOF\nEOF\n`],
    ])('stdin arrives as it is: %s', async (_, stdin) => {
      expect((await one(read(['cat'], { stdin }))).stdout).toBe(stdin);
    });

    test('stdin of 1 MB arrives as it is, and comes back', async () => {
      const stdin = `${'é🛟-0123456789'.repeat(60_000)}!`;
      expect((await one(read(['cat'], { stdin }))).stdout === stdin).toBe(true);
    });

    test('stdin that nobody reads is no failure', async () => {
      expect(await one(read(['true'], { stdin: 'x'.repeat(1_000_000) }))).toMatchObject({ code: 0 });
      expect(await host.transport.exec(read(['true'], { stdin: 'x'.repeat(1_000_000) }))).toMatchObject({ code: 0 });
    });

    test('a secret goes through stdin, and a command without stdin gets none', async () => {
      expect((await one(read(['cat'], { stdin: new Secret("it's $(me)") }))).stdout).toBe("it's $(me)");
      expect((await one(read(['cat']))).stdout).toBe('');
      expect((await host.transport.exec(read(['cat']))).stdout).toBe('');
    });

    test('arguments arrive as they are, whatever is in them', async () => {
      const word = fc.oneof(
        fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '')),
        fc.constantFrom(
          '',
          ' ',
          '-n',
          '--',
          "'",
          '"',
          '\\',
          '\n',
          '\r\n',
          '$(id)',
          '`id`',
          '$HOME',
          '*',
          '~',
          '#',
          '!',
          'é',
          '🛟',
          ';',
          '&',
          '>x',
        ),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 60 }), async (words) => {
          const { stdout } = await one(read(['printf', '%s\\0', ...words]));
          expect(stdout.split('\0').slice(0, -1)).toEqual(words);
          expect((await host.transport.exec(read(['printf', '%s\\0', ...words], { stdin: 'x' }))).stdout).toBe(stdout);
        }),
        { numRuns: 30 },
      );
    });

    test('a parallel batch is parallel: two commands that wait for each other both end', async () => {
      const pipe = join(folder, 'pipe');
      await one(write(['mkfifo', pipe]));
      const results = await host.run([
        script('read', 'cat "$1"', [pipe], { timeoutMs: 10_000 }),
        script('read', 'echo met >"$1"', [pipe], { timeoutMs: 10_000 }),
      ]);
      expect(results.map(({ code, stdout }) => [code, stdout])).toEqual([
        [0, 'met\n'],
        [0, ''],
      ]);
    });

    test('batches run at once, more of them than there are sessions', async () => {
      const all = await Promise.all(Array.from({ length: 20 }, (_, i) => host.run([script('read', 'sleep 0.1; echo "$1"', [String(i)])])));
      expect(all.map(([result]) => result?.stdout)).toEqual(Array.from({ length: 20 }, (_, i) => `${i}\n`));
    });

    test('a sequence goes in order and stops at its first failure', async () => {
      const log = join(folder, 'order');
      const say = (word: string, code: number) => script('write', 'echo "$2" >>"$1"; exit "$3"', [log, word, String(code)]);
      const results = await host.run([say('one', 0), say('two', 0), say('three', 7), say('four', 0)], 'sequence');
      expect(results.map(({ code }) => code)).toEqual([0, 0, 7]);
      expect(readFileSync(log, 'utf8')).toBe('one\ntwo\nthree\n');
    });

    test('a command over its time is ended, with code 124, even if it will not hear', async () => {
      const results = await host.run([
        read(['sleep', '30'], { timeoutMs: 300 }),
        script('read', 'trap "" TERM; sleep 30 & wait; sleep 30', [], { timeoutMs: 300 }),
        read(['true'], { timeoutMs: 5000 }),
      ]);
      expect(results.map(({ code }) => code)).toEqual([124, 124, 0]);
    });

    test('the environment is minimal: no secret of ours, sbin in PATH', async () => {
      const { stdout } = await one(read(['env']));
      expect(stdout).not.toContain('only-in-our-environment');
      const names = stdout.split('\n').map((line) => line.split('=')[0] as string);
      // The last three are the shell's own.
      expect(names.filter((name) => name !== '' && !/^(PWD|OLDPWD|_)$/.test(name)).sort()).toEqual(['HOME', 'LANG', 'PATH']);
      expect(stdout).toMatch(/^PATH=.*\/usr\/sbin/m);
      expect(stdout).toMatch(/^LANG=C\.UTF-8$/m);
    });

    test('a file is put in place with its mode and owner, NUL and all', async () => {
      const path = join(folder, 'a new', 'sub folder', 'file');
      const content = Buffer.concat([randomBytes(1_500_000), Buffer.from('\0')]);
      await host.putFile(fileSpec(path, content, { mode: '0751', owner: 'daemon:bin' }));
      expect(readFileSync(path).equals(content)).toBe(true);
      const { mode, uid, gid } = statSync(path);
      expect([(mode & 0o7777).toString(8), uid, gid]).toEqual(['751', 1, 2]);
    });

    test('a file with the wrong sha256 leaves the old one as it was, and nothing beside it', async () => {
      const path = join(folder, 'kept', 'file');
      await host.putFile(fileSpec(path, 'old'));
      const wrong = { ...fileSpec(path, 'new'), sha256: '0'.repeat(64) };
      await expect(host.putFile(wrong)).rejects.toThrow(CommandError);
      expect(readFileSync(path, 'utf8')).toBe('old');
      expect((await one(read(['ls', '-A', join(folder, 'kept')]))).stdout).toBe('file\n');
    });

    test('a local file that cannot be read is an error that names it', async () => {
      const spec = { ...fileSpec(join(folder, 'never'), 'x'), source: join(folder, 'no such') };
      await expect(host.putFile(spec)).rejects.toThrow(/no such.*cannot be read|cannot be read.*no such/);
    });

    test('a file with a secret is written in one step', async () => {
      const path = join(folder, 'secret.conf');
      await one(writeFile({ path, content: new Secret('password=$(x)\n'), mode: '0640', owner: 'root:daemon' }));
      expect(readFileSync(path, 'utf8')).toBe('password=$(x)\n');
      expect((statSync(path).mode & 0o7777).toString(8)).toBe('640');
    });

    test('a process that is killed is an error: nobody knows what was done', async () => {
      await expect(host.transport.exec(script('write', 'kill -9 $$'))).rejects.toThrow(
        /SIGKILL.*unknown whether it was done|unknown whether it was done/,
      );
      await expect(host.transport.exec(script('write', 'kill -9 $$'))).rejects.toThrow(HostError);
    });

    test('an answer over the limit is an error, and the host can be asked again', async () => {
      await expect(host.transport.exec(script('read', 'exec cat /dev/zero'))).rejects.toThrow(/64 MiB/);
      expect((await one(read(['echo', 'still here']))).stdout).toBe('still here\n');
    });

    describe('connect()', () => {
      let echo: Server;
      let port: number;
      beforeAll(async () => {
        echo = createServer((socket) => socket.pipe(socket));
        await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
        port = (echo.address() as { port: number }).port;
      });
      afterAll(() => void echo.close());

      test('reaches a TCP port, and ends when the other side does', async () => {
        const stream = await host.connect('127.0.0.1', port);
        stream.end('hello é\0');
        expect(await text(stream)).toBe('hello é\0');
      });

      test('a port that nobody listens on is an error', async () => {
        await expect(host.connect('127.0.0.1', 1)).rejects.toThrow(HostError);
      });
    });

    function fileSpec(path: string, content: string | Buffer, { mode = '0644', owner = 'root:root' } = {}) {
      const source = join(folder, 'source');
      writeFileSync(source, content);
      chmodSync(source, 0o600);
      return { source, path, mode, owner, sha256: createHash('sha256').update(content).digest('hex') };
    }
  });
}
