import type { VerbRequest } from '../../shared/request.ts';

/** What `artifact` is given. */
export type ArtifactOptions = { readonly json: boolean };

/** It asks no environment's host, and so needs no environment. */
export type ArtifactRequest = Omit<VerbRequest<ArtifactOptions>, 'environment'>;
