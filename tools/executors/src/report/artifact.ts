import type { ObtainedArtifact } from '../verbs/artifact/index.ts';
import type { ArtifactOptions } from '../verbs/artifact/options.ts';
import type { Report } from './report.ts';

/** What artifact has obtained, a line a binary. */
export const artifactReport: Report<readonly ObtainedArtifact[], ArtifactOptions> = {
  text: (artifacts) => artifacts.map(({ version, path, sha256 }) => `${version}: ${path}, sha256 ${sha256}`).join('\n'),
  json: (artifacts, clean) => clean.json({ artifacts }, 2),
};
