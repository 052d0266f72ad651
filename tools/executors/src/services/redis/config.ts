import { type FoundFile, script } from '../../engine/command.ts';
import { commandFailed } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import { defineStage } from '../../engine/service.ts';
import { mustBeFile } from '../managed-look.ts';
import { unitState } from '../systemd.ts';
import { UNIT } from './changes.ts';
import { CONF_PATH } from './conf.ts';
import { liveServer } from './live.ts';
import { planConfig } from './plan.ts';
import type { ConfigFacts } from './refusals.ts';
import type { RedisSettings } from './settings.ts';
import { trialOfConf } from './trial.ts';

/** redis.conf and the running server, brought to the settings; data is kept through the switch to the append-only file. */
export const config = defineStage<RedisSettings, ConfigFacts>({
  name: 'config',
  facts: ({ settings }) => ({
    file: foundConf,
    unit: unitState(UNIT),
    live: liveServer(settings),
    trial: trialOfConf(settings),
  }),
  plan: planConfig,
});

const foundConf: Fact<FoundFile> = {
  name: CONF_PATH,
  command: script('read', 'stat -c "%.1A %a %U:%G" "$1"; exec cat "$1"', [CONF_PATH]),
  parse: (result) => {
    const [, letter, mode, owner, text] = /^(\S) (\d{3,4}) (\S+)\n([\s\S]*)$/.exec(result.stdout) ?? [];
    if (letter !== undefined) mustBeFile(CONF_PATH, letter);
    if (result.code !== 0 || mode === undefined || owner === undefined || text === undefined)
      throw commandFailed(result, `${CONF_PATH} could not be read`);
    return { text, mode, owner };
  },
};
