import type { Fact } from '../../engine/fact.ts';
import { shellProgram } from '../../shell/program.ts';
import { type Trial, trial } from '../trial.ts';
import { COMPLAINTS, UNIT } from './changes.ts';
import { CONF_PATH, desiredParameters, renderConf } from './conf.ts';
import { HIDDEN, UNTRIED } from './parameters.ts';
import type { RedisSettings } from './settings.ts';

/** What trial.sh says before the values. */
const VALUES = 'nx-mooring:values';

/** Whether Redis starts from the file: an empty server on a socket, in a folder of its own. It prints how it spells every value. */
export function trialOfConf(settings: RedisSettings): Fact<Trial> {
  return trial({
    name: `trial of ${CONF_PATH}`,
    path: CONF_PATH,
    content: renderConf(desiredParameters(settings)),
    program: shellProgram(import.meta.url, 'trial.sh'),
    parameters: [UNTRIED, UNIT, COMPLAINTS, HIDDEN],
    seconds: 10,
    ports: { unit: `${UNIT}.service` },
  });
}

/** How Redis spells the values that it was tried with, defaults included. */
export function spelled(said: string): Readonly<Record<string, string>> {
  const lines = said.split('\n');
  const start = lines.indexOf(VALUES) + 1;
  const pairs = start === 0 ? [] : lines.slice(start);
  return Object.fromEntries(pairs.flatMap((name, i) => (i % 2 === 0 && name !== '' ? [[name, pairs[i + 1] ?? '']] : [])));
}
