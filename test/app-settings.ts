import { type AppSettings, appSettings } from '../tools/executors/src/apps/settings.ts';
import { caseSettings } from './cases.ts';

/** Settings of an application of each kind, as app.json and its guest give them, for tests that care about some of them. */
const KEY = `ssh-ed25519 ${'A'.repeat(68)}`;

const common = {
  name: 'notes',
  environment: 'dev',
  branch: 'main',
  repository: 'git@git.example.org:team/notes.git',
  deployKey: { secret: 'DEPLOY_KEY' },
  gitHostKeys: [`${KEY} git`],
  authorizedKeys: [`${KEY} ann`],
};

export const baseSettings = {
  node: {
    ...common,
    kind: 'node',
    node: { backend: { start: ['node', 'server.js'] }, frontend: { start: ['node', 'server.js'] }, migrate: ['node', 'migrate.js'] },
  },
  python: { ...common, kind: 'python', python: { alembic: true, start: ['python', '-m', 'pote'] } },
} as const;

/** Such settings, parsed, with some fields of one's own. */
export function settings(kind: keyof typeof baseSettings, over: Readonly<Record<string, unknown>> = {}): AppSettings {
  return appSettings.parse(caseSettings({ ...baseSettings[kind], ...over }));
}
