import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { read, script } from '../../tools/executors/src/engine/command.ts';
import type { OpenHost } from '../../tools/executors/src/engine/transport.ts';
import { openHost } from '../../tools/executors/src/hosts/index.ts';
import { hostContract } from './host.contract.ts';
import { refusedBy } from './refused.ts';
import { freePort, startSshd, type TestSshd } from './sshd.ts';
import { stateContract } from './state.contract.ts';

let sshd: TestSshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.stop());

const open = (host = 'contract') => openHost({ host, sshConfig: sshd.config });
const refused = (host: string) => refusedBy(sshd, host);

hostContract('ssh', open);
stateContract('ssh', open);

describe('the connection is cut in the middle', () => {
  test('the command that ran is an error that says so, and so is the next one', async () => {
    const host = await open();
    const running = host.run([script('write', 'sleep 20')]);
    const failed = expect(running).rejects.toThrow(/connection was lost.*unknown whether it was done/);
    await new Promise((resolve) => setTimeout(resolve, 300));
    sshd.cutConnections();
    await failed;
    await expect(host.run([read(['true'])])).rejects.toThrow(/connection was lost.*before the command was started/);
    await host.close();
  });
});

describe('a host that cannot be reached', () => {
  test('refused: nothing listens there', async () => {
    sshd.alias('refused', `Port ${await freePort()}`);
    const error = await refused('refused');
    expect(error.message).toContain('refuses the connection');
    expect(error.detail.next).toContain('is sshd running there');
  });

  test('unreachable: it takes the connection and says nothing', async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    sshd.alias('silent', `Port ${(silent.address() as { port: number }).port}`, 'ConnectTimeout 1');
    const error = await refused('silent').finally(() => silent.close());
    expect(error.message).toContain('does not answer within 1 seconds');
  });

  test('a name that does not resolve', async () => {
    sshd.alias('nameless', 'HostName mooring-no-such-host.invalid');
    const error = await refused('nameless');
    expect(error.message).toContain('the name mooring-no-such-host.invalid cannot be resolved');
    expect(error.detail.next).toContain(sshd.config);
  });

  test('an alias that could be an option, and a configuration that is not there', async () => {
    await expect(open('-oProxyCommand=id')).rejects.toThrow('is not an SSH host alias');
    await expect(openHost({ host: 'contract', sshConfig: '/no/such/config' })).rejects.toThrow('does not take the configuration');
  });
});

describe('ways around', () => {
  test('over a jump host (itself), and over a proxy command', async () => {
    sshd.alias('inner', 'ProxyJump contract');
    const pipe = join(sshd.folder, 'pipe.mjs');
    writeFileSync(
      pipe,
      "import { connect } from 'node:net';\nconst [, , host, port] = process.argv;\nconst s = connect(port, host);\nprocess.stdin.pipe(s).pipe(process.stdout);\n",
    );
    sshd.alias('piped', `ProxyCommand '${process.execPath}' '${pipe}' %h %p`);
    for (const name of ['inner', 'piped']) {
      const host = await open(name);
      expect((await host.run([read(['echo', name])]))[0]?.stdout).toBe(`${name}\n`);
      await host.close();
    }
  });

  test('a jump host that fails is named with its own words', async () => {
    sshd.alias('dead-hop', `Port ${await freePort()}`);
    sshd.alias('behind', 'ProxyJump dead-hop');
    const error = await refused('behind');
    expect(error.message).toContain('the way to behind');
    expect(error.detail.stderr).toContain('Connection refused');
  });
});

describe('a host that allows few sessions', () => {
  let narrow: TestSshd;
  let host: OpenHost;
  beforeAll(async () => {
    narrow = await startSshd('MaxSessions 2', 'AllowTcpForwarding no');
    host = await openHost({ host: 'contract', sshConfig: narrow.config });
  });
  afterAll(async () => {
    await host.close();
    await narrow.stop();
  });

  test('what it refuses waits for what runs, and is done once', async () => {
    const log = join(narrow.folder, 'log');
    await Promise.all(Array.from({ length: 7 }, (_, i) => host.run([script('write', 'echo "$2" >>"$1"; sleep 0.2', [log, String(i)])])));
    expect(readFileSync(log, 'utf8').trim().split('\n').sort()).toEqual(['0', '1', '2', '3', '4', '5', '6']);
  });

  test('forbidden forwarding is said with the setting that allows it', async () => {
    await expect(host.connect('127.0.0.1', narrow.port)).rejects.toMatchObject({
      detail: { next: expect.stringContaining('AllowTcpForwarding') },
    });
  });
});
