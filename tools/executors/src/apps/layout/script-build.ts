import { quote } from '../../engine/quote.ts';
import type { AppSettings, NodeSettings, PythonSettings } from '../settings.ts';

const line = (argv: readonly string[]) => argv.map(quote).join(' ');

/**
 * Shell functions `build_app` and `migrate_app`: what is peculiar to the kind of application. Both run as appuser, their output goes to the
 * terminal; `$1` is the release's folder. `within` changes into a folder of it with the programs of the release first in PATH.
 */
export function kindFunctions({ node, python }: AppSettings): string {
  if (node !== undefined) return nodeFunctions(node);
  if (python !== undefined) return pythonFunctions(python);
  throw new TypeError('an application of no kind');
}

function nodeFunctions({ backend, frontend, migrate }: NodeSettings): string {
  const parts = [backend, ...(frontend === undefined || frontend.folder === backend.folder ? [] : [frontend])];
  const build = parts.map(
    (part) => `  within "$1" ${quote(part.folder)}
  [ -e package-lock.json ] || die "$PWD has no package-lock.json: what would be installed is not known"
  npm ci --no-audit --no-fund --include=dev
  ${part.build === undefined ? 'npm run build --if-present' : line(part.build)}`,
  );
  return `build_app() {
${build.join('\n')}
}

migrate_app() {
  ${migrate === undefined ? ':' : `within "$1" ${quote(backend.folder)}\n  ${line(migrate)}`}
}
`;
}

function pythonFunctions({ folder, requirements, build, alembic, migrate }: PythonSettings): string {
  const steps = [
    `within "$1" ${quote(folder)}`,
    `[ -e ${quote(requirements)} ] || die "$PWD has no "${quote(requirements)}`,
    'python3 -m venv .venv',
    `pip install --quiet --disable-pip-version-check --no-input --require-hashes -r ${quote(requirements)}`,
    ...(build === undefined ? [] : [line(build)]),
  ];
  const migration = [`within "$1" ${quote(folder)}`, ...(migrate !== undefined ? [line(migrate)] : alembic ? ALEMBIC : [])];
  return `build_app() {
  ${steps.join('\n  ')}
}

migrate_app() {
  ${migrate === undefined && !alembic ? ':' : migration.join('\n  ')}
}
`;
}

/** With several heads `upgrade head` would fail as well, but without a word on how that came about. */
const ALEMBIC = [
  'heads=$(alembic heads)',
  'count=$(printf \'%s\\n\' "$heads" | grep -c .) || true',
  '[ "$count" -le 1 ] || die "Alembic has $count heads; merge them (alembic merge heads), commit, deploy again:" "$heads"',
  'alembic upgrade head',
];
