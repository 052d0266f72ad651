import { connect } from 'amqplib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Application, makeSecrets } from './application.ts';
import { amqp } from './clients.ts';
import { makeWorkspace } from './make-workspace.ts';
import type { Workspace } from './workspace.ts';
import { Writer } from './writer.ts';

/** A bad setting of RabbitMQ never leaves it down, or without work: refused beforehand where it can be tried, else taken back. */

const ENVIRONMENT = 'e2e-rabbitmq-back';
const SECRETS = makeSecrets('rabbitmq-back');
const QUEUE = 'written';

let workspace: Workspace;
let address: string;
let writer: Writer;

beforeAll(async () => {
  workspace = await makeWorkspace({ environment: ENVIRONMENT, containers: ['rabbitmq'], secrets: SECRETS });
  const { code, output } = await workspace.configure();
  expect(code, output).toBe(0);
  address = await new Application(workspace, ['rabbitmq']).address('rabbitmq');
  writer = new Writer((number) => amqp(address, String(SECRETS.RABBITMQ_PASSWORD), QUEUE, String(number)));
});
afterAll(() => workspace?.remove());

const pid = () => workspace.guest('rabbitmq', 'systemctl show -P MainPID rabbitmq-server.service');
const conf = () => workspace.guest('rabbitmq', 'cat /etc/rabbitmq/rabbitmq.conf; stat -c "%a %U:%G" /etc/rabbitmq/*');

async function set(parameters: Record<string, string>): Promise<void> {
  await workspace.edit('infra/rabbitmq/container.json', (file) => Object.assign(file.settings as object, { parameters }));
  await workspace.commit(`parameters: ${JSON.stringify(parameters)}`);
}

/** Deploys parameters that RabbitMQ cannot work with, under a client that publishes. */
async function deployBad(parameters: Record<string, string>, ...flags: readonly string[]): Promise<string> {
  await set(parameters);
  await writer.start();
  const { code, output } = await workspace.configure(...flags);
  await writer.stop();
  expect(code, output).toBe(1);
  return output;
}

/** All that lies in the queue. */
async function written(): Promise<string[]> {
  const connection = await connect({ hostname: address, username: 'veza', password: String(SECRETS.RABBITMQ_PASSWORD), vhost: '/veza' });
  try {
    const channel = await connection.createChannel();
    const texts: string[] = [];
    for (;;) {
      const message = await channel.get(QUEUE);
      if (message === false) return texts;
      texts.push(message.content.toString());
    }
  } finally {
    await connection.close();
  }
}

it.each([
  [
    'a mistyped key',
    { 'vm_memory_hig_watermark.relative': '0.4' },
    /RabbitMQ does not take these settings, and none of them was written: [\s\S]*unknown variable: vm_memory_hig_watermark.relative/,
  ],
  ['a wrong value', { 'vm_memory_high_watermark.relative': 'half' }, /"half" cannot be converted/],
  [
    'limits that the node is beyond already',
    { 'vm_memory_high_watermark.relative': '0.0', 'disk_free_limit.absolute': '900GB' },
    /RabbitMQ would block all publishers [\s\S]*the node uses \d+ MB of memory, and the limit would be 0 MB [\s\S]*the disk has \d+ [GM]B free, and the limit would be 900 GB/,
  ],
])('refuses %s: no publish fails, and the node is the same', async (_, parameters, says) => {
  const before = [await pid(), await conf()];
  const output = await deployBad(parameters);
  expect(output).toMatch(says);
  expect(writer.failures).toEqual([]);
  expect([await pid(), await conf()]).toEqual(before);
  const plan = await workspace.run('rabbitmq', 'plan');
  expect(plan.code, plan.output).toBe(1);
  expect(plan.output).toMatch(says);
});

it('refuses a port that another program has: the plan names the program', async () => {
  await workspace.guest(
    'rabbitmq',
    `systemd-run --quiet --unit=taken perl -e 'use Socket; socket(S, PF_INET, SOCK_STREAM, 0); bind(S, sockaddr_in(5700, INADDR_ANY)) or die; listen(S, 5); sleep'`,
  );
  const onPort = (port: number) =>
    workspace.edit('infra/rabbitmq/container.json', (file) => Object.assign(file.settings as object, { port }));
  await onPort(5700);
  const { code, output } = await workspace.run('rabbitmq', 'plan');
  await onPort(5672);
  expect(code, output).toBe(1);
  expect(output).toMatch(/port 5700 of the container is taken: perl \(process \d+ of taken\.service\) listens on 0\.0\.0\.0:5700/);
});

it('takes back what only the real start refuses: it works again within its start time, and nothing confirmed is lost', async () => {
  await writer.start();
  await workspace.guest('rabbitmq', 'systemctl restart rabbitmq-server.service');
  await writer.nextAcknowledged();
  await writer.stop();
  const restart = writer.outage;
  await workspace.guest(
    'rabbitmq',
    `printf '[Service]\\nExecStartPre=/bin/sh -c "! grep collect_statistics_interval /etc/rabbitmq/rabbitmq.conf"\\n' \\
      >/etc/systemd/system/rabbitmq-server.service.d/not-with-statistics.conf; systemctl daemon-reload`,
  );
  const before = await conf();
  const output = await deployBad({ collect_statistics_interval: '10000' });
  expect(output).toContain('rabbitmq-server.service: did not restart');
  expect(output).toMatch(/taking back: update file \/etc\/rabbitmq\/rabbitmq.conf/);
  expect(output).toContain('the former configuration runs again: rabbitmq');
  expect(await conf()).toBe(before);
  // The node stops once and starts once. Between the two the start that fails is tried, and the former files are put back.
  expect(writer.outage / restart).toBeLessThan(3);
});

it("takes back a limit that blocks all publishers and was not tried, at its user's wish", async () => {
  const before = await conf();
  const output = await deployBad({ 'disk_free_limit.absolute': '900GB' }, '--skip-trial');
  expect(output).toContain('WARNING: not tried beforehand: --skip-trial');
  expect(output).toContain('RabbitMQ blocks all publishers: low on disk');
  expect(output).toContain('the former configuration runs again: rabbitmq');
  expect(await conf()).toBe(before);
});

/** As an administrator might, on the running node: it takes no more messages, whatever its file says. */
const block = () =>
  workspace.guest(
    'rabbitmq',
    'rabbitmqctl set_disk_free_limit 900GB; until rabbitmqctl eval "rabbit_alarm:get_alarms()." | grep disk; do sleep 0.5; done',
  );

it('lets the repair of a node through that blocks all publishers, and takes nothing back of a failed one', async () => {
  await block();
  const verified = await workspace.run('rabbitmq', 'verify');
  expect(verified.code, verified.output).toBe(1);
  expect(verified.output).toContain('RabbitMQ blocks all publishers: low on disk');
  await set({ 'disk_free_limit.absolute': '70MB' });
  const repaired = await workspace.configure();
  expect(repaired.code, repaired.output).toBe(0);

  await block();
  await set({ collect_statistics_interval: '10000' });
  const failed = await workspace.configure();
  expect(failed.code, failed.output).toBe(1);
  expect(failed.output).toMatch(
    /nothing was taken back: \S+ did not work before this run either \(RabbitMQ blocks all publishers: low on disk\)/,
  );
  expect(failed.output).not.toContain('taking back:');
  expect(await conf()).toContain('collect_statistics_interval = 10000');
});

it('deploys the corrected setting: all that was confirmed is there, and a file that others may write to is corrected without a restart', async () => {
  await set({ 'disk_free_limit.absolute': '60MB' });
  const { code, output } = await workspace.configure();
  expect(code, output).toBe(0);
  await writer.start();
  await writer.stop();
  expect(await written()).toEqual(expect.arrayContaining(writer.acknowledged.map(String)));

  const before = await pid();
  await workspace.guest('rabbitmq', 'chmod 666 /etc/rabbitmq/rabbitmq.conf; chown rabbitmq /etc/rabbitmq/inetrc');
  const corrected = await workspace.configure();
  expect(corrected.output).toContain('update file /etc/rabbitmq/rabbitmq.conf');
  expect(await conf()).toMatch(/(644 root:root\n?){3}$/);
  expect(await pid()).toBe(before);
  expect((await workspace.configure()).output).toContain('0 changes');
});
