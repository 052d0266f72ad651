// One command to a QEMU's monitor (QMP): monitor.mjs SOCKET "savevm ready". Prints the answer; one that begins with "Error" is a failure.
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

const [socket, command] = process.argv.slice(2);
const connection = connect(socket);
const send = (message) => connection.write(`${JSON.stringify(message)}\n`);
const fail = (because) => {
  console.error(`${command}: ${because}`);
  process.exit(1);
};
connection.on('error', (error) => fail(error.message));
for await (const line of createInterface({ input: connection })) {
  const message = JSON.parse(line);
  if ('QMP' in message) send({ execute: 'qmp_capabilities', id: 'hello' });
  else if (message.error) fail(message.error.desc);
  else if (message.id === 'hello') send({ execute: 'human-monitor-command', arguments: { 'command-line': command }, id: 'answer' });
  else if (message.id === 'answer') {
    const said = message.return.trim();
    if (/^error/i.test(said)) fail(said);
    if (said !== '') console.log(said);
    process.exit(0);
  }
}
fail('the machine has hung up');
