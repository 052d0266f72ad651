import { expect, it } from 'vitest';
import { Secret } from '../../engine/secret.ts';
import { confTrial } from './conf-trial.ts';
import { desiredFiles } from './files.ts';
import { settings } from './settings.ts';

const fact = confTrial(
  desiredFiles({ ...settings.parse({ password: new Secret('x') }), password: new Secret('x'), erlangCookie: undefined }),
);

it('leads to no path of the live node', () => {
  const program = fact.command.argv.find((argument) => argument.includes('rabbitmq-server >said')) ?? '';
  expect(
    program.match(/RABBITMQ_(CONFIG_FILE|MNESIA_BASE|LOG_BASE|GENERATED_CONFIG_DIR|PLUGINS_EXPAND_DIR|PID_FILE)="\$\$PWD\//g),
  ).toHaveLength(6);
});
