import { defineStage } from '../../engine/service.ts';
import { type FoundFiles, placeChecked, planFiles } from '../../services/managed-file.ts';
import { managedFiles } from '../../services/managed-look.ts';
import type { AppSettings } from '../settings.ts';
import { layoutFiles } from './files.ts';
import { KEY } from './paths.ts';

/** Folders, links, the environment file, the deploy key and the deploy script. */
export const layout = defineStage<AppSettings, { files: FoundFiles }>({
  name: 'layout',
  facts: ({ settings }) => ({ files: managedFiles(layoutFiles(settings)) }),
  plan: ({ files }, { settings }) =>
    planFiles(layoutFiles(settings), files, {
      // A key with a passphrase, or half of one, would be found by the first deploy only.
      place: (file) => [placeChecked(file, file.path === KEY ? 'ssh-keygen -y -P "" -f "$1" >/dev/null' : ':')],
      takenBack: false,
    }),
});
