import type { MooringError } from '../engine/errors.ts';
import type { Secret } from '../engine/secret.ts';
import type { SecretsSettings } from './settings.ts';

/** Variables, as `process.env`. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** An environment, as far as its secrets need it. */
export type SecretsOf = { readonly name: string; readonly secrets: SecretsSettings };

/** Secrets by name, empty ones too. Problems never quote a value; with problems the values are not to be used. */
export type SecretsContent = { readonly values: Map<string, Secret>; readonly problems: MooringError[] };

/** One place that secrets come from. */
export type SecretSource = {
  /** As messages name it: `.secrets/staging.env`. */
  readonly name: string;
  /** Everything that is there. */
  read(): Promise<SecretsContent>;
  /** What to do to give a secret a value there. `missing`: its name is not there yet. */
  howToSet(secret: string, missing: boolean): string;
};

/** What a source may use of the process. */
export type SourceContext = {
  /** The workspace, absolute. */
  readonly root: string;
  /** The folder of its environments' files, relative to it. */
  readonly infra: string;
  readonly variables: Variables;
  /** Ends what is being waited for. */
  readonly signal?: AbortSignal | undefined;
};
