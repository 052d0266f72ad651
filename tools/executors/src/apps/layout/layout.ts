import { defineStage } from '../../engine/service.ts';
import type { AppSettings } from '../settings.ts';
import { type FoundThings, placeChecked, planThings, things } from '../things.ts';
import { layoutFiles } from './files.ts';
import { KEY } from './paths.ts';

/** Folders, links, the environment file, the deploy key and the deploy script. */
export const layout = defineStage<AppSettings, { files: FoundThings }>({
  name: 'layout',
  facts: ({ settings }) => ({ files: things(layoutFiles(settings)) }),
  plan: ({ files }, { settings }) =>
    planThings(layoutFiles(settings), files, (file) => [
      // A key with a passphrase, or half of one, would be found by the first deploy only.
      placeChecked(file, file.path === KEY ? 'ssh-keygen -y -P "" -f "$1" >/dev/null' : ':'),
    ]),
});
