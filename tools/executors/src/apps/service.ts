import type { z } from 'zod';
import { type ArtifactSpec, defineService, type Service, type Stage } from '../engine/service.ts';
import { firewall } from './base/firewall.ts';
import { hardening } from './base/hardening.ts';
import { node } from './base/node.ts';
import { packages } from './base/packages.ts';
import { user } from './base/user.ts';
import { databaseStages, hasOwnDatabase } from './database.ts';
import { inside, outside } from './health.ts';
import { layout } from './layout/layout.ts';
import { units } from './layout/units.ts';
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

function stagesOf(settings: AppSettings): readonly AnyStage[] {
  return [
    packages,
    ...(settings.node?.archive === undefined ? [] : [node]),
    user,
    hardening,
    firewall,
    ...(hasOwnDatabase(settings) ? databaseStages : []),
    layout,
    units,
  ];
}

/** The archive of Node, where Debian's is not wanted. It goes over this machine: a guest need not reach the Internet. */
function artifacts(settings: AppSettings): Record<string, ArtifactSpec> {
  const archive = settings.node?.archive;
  return archive === undefined ? {} : { node: { kind: 'url', ...archive } };
}
