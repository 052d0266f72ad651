import { expect, it } from 'vitest';
import { confTrial } from './conf-trial.ts';

const fact = confTrial('listeners.tcp.default = 5672\n');

it('leads to no path of the live node', () => {
  const program = fact.command.argv.find((argument) => argument.includes('rabbitmq-server >said')) ?? '';
  expect(
    program.match(/RABBITMQ_(CONFIG_FILE|MNESIA_BASE|LOG_BASE|GENERATED_CONFIG_DIR|PLUGINS_EXPAND_DIR|PID_FILE)="\$\$PWD\//g),
  ).toHaveLength(6);
});
