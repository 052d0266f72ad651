import type { Tree } from '@nx/devkit';
import type { Secret } from '../../engine/secret.ts';
import type { AgeFiles } from '../../secrets/age-file.ts';
import type { SecretsSettings } from '../../secrets/settings.ts';
import type { Variables } from '../../secrets/types.ts';
import type { SecretsOptions } from './options.ts';

/** What the generator asks of the world beside the tree. */
export type Edge = {
  readonly variables: Variables;
  /** The value of a secret, from a person or from stdin. */
  readonly ask: (name: string) => Promise<Secret>;
};

/** What an action works on. */
export type Work = {
  readonly tree: Tree;
  readonly options: SecretsOptions;
  readonly edge: Edge;
  /** The environment's file, relative to the workspace. */
  readonly file: string;
  readonly settings: SecretsSettings;
  readonly files: AgeFiles;
};
