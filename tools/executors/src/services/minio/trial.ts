import type { Fact } from '../../engine/fact.ts';
import { shellProgram } from '../../shell/program.ts';
import { type Trial, trial } from '../trial.ts';
import { BINARY } from './binaries.ts';
import type { MinioSettings } from './settings.ts';
import { ENV_PATH, environmentFile, UNIT, UNIT_PATH, unitText } from './unit.ts';

/** Whether MinIO takes the settings, asked beside the live server where its EnvironmentFile would change. */
export function trialOf(settings: MinioSettings): Fact<Trial> {
  return trial({
    name: `trial of ${ENV_PATH}`,
    path: ENV_PATH,
    content: environmentFile(settings),
    program: shellProgram(import.meta.url, 'trial.sh'),
    parameters: [BINARY],
    seconds: 30,
    ports: { unit: UNIT, files: { [UNIT_PATH]: unitText } },
  });
}
