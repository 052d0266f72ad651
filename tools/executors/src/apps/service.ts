import type { z } from 'zod';
import { type ArtifactSpec, defineService, type Service, type Stage } from '../engine/service.ts';
import { inside, outside } from './health.ts';
import { type AppSettings, appSettings } from './settings.ts';

// biome-ignore lint/suspicious/noExplicitAny: each stage has a fact type of its own
type AnyStage = Stage<AppSettings, any>;

/** Setting up the guest of one application, with the stages that these settings need. */
export function appService(settings: AppSettings): Service<AppSettings> {
  return defineService<AppSettings>({
    name: settings.kind,
    settings: appSettings as unknown as z.ZodType<AppSettings>,
    stages: stagesOf(settings),
    health: { inside, outside },
    unit: 'app-backend',
    artifacts,
  });
}

function stagesOf(_settings: AppSettings): readonly AnyStage[] {
  return [];
}

/** The archive of Node, where Debian's is not wanted. It goes over this machine: a guest need not reach the Internet. */
function artifacts({ node }: AppSettings): Record<string, ArtifactSpec> {
  return node?.archive === undefined ? {} : { node: { kind: 'url', ...node.archive } };
}
