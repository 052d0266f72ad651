/** What an nx command line asks for, as far as the guards need it. */
export type Command = {
  readonly kind: 'run' | 'run-many' | 'affected';
  readonly targets: readonly string[];
  /** Project names or patterns; empty: all of them, or the one of the folder nx was started in. */
  readonly projects: readonly string[];
  /** Every configuration that was given, in any form. */
  readonly configurations: readonly string[];
  /** Long options of the tasks, without dashes, with or without a value: `step`, `dry-run`. */
  readonly flags: readonly string[];
};

/** Nx's own one-letter names of targets (nx `run-one.js`). */
const TARGET_ALIASES: Readonly<Record<string, string>> = { b: 'build', e: 'e2e', l: 'lint', s: 'serve', t: 'test' };

/** Nx commands that run no target of ours by themselves; everything else that is not listed is `nx <target> [project]`. */
const OTHER_COMMANDS = new Set(
  'add ai completion configure-ai-agents connect daemon exec format format:check format:write g generate graph import init list login logout mcp migrate new register release repair report reset run-commands show start-ci-run sync sync:check view-logs watch'.split(
    ' ',
  ),
);

/** Options of nx that take a list up to the next option (nx `init-local.js`, `rewriteTargetsAndProjects`); yargs takes `--t` for `-t`. */
const LISTS: Readonly<Record<string, 'targets' | 'projects' | 'other'>> = {
  '-t': 'targets',
  '--t': 'targets',
  '--target': 'targets',
  '--targets': 'targets',
  '-p': 'projects',
  '--p': 'projects',
  '--projects': 'projects',
  '--exclude': 'other',
  '--files': 'other',
};

/** Options of nx that take one value, so that the word after them is no target. */
const VALUED = new Set(
  '--parallel --maxParallel --max-parallel --runner --output-style --outputStyle --base --head --graph --tuiAutoExit --tui-auto-exit --profile'.split(
    ' ',
  ),
);

/**
 * Reads an nx command line the way nx does: `run p:t:c`, `run --project p --target t`, `<target> [project]`, `run-many -t a b`,
 * `affected -t a`, with `-c x`, `-c=x`, `--configuration x`, `--configuration=x`, in front of the command too.
 *
 * @param args what stands after `nx`
 * @returns nothing for commands that run no targets
 */
export function parseCommandLine(args: readonly string[]): Command | undefined {
  const end = args.indexOf('--');
  const read = readOptions(end === -1 ? args : args.slice(0, end));
  const [first = '', ...words] = read.words;
  const kind = first === 'run-many' || first === 'affected' ? first : 'run';
  if (first === '' || OTHER_COMMANDS.has(first)) return undefined;
  // After `--` everything goes to the tasks: a configuration there is none, but a flag is one.
  const flags = [...read.flags, ...(end === -1 ? [] : readOptions(args.slice(end + 1)).flags)];
  const { targets, projects, project, configurations } = read;
  // Nx wants one. Where none was read it stands in a form that is not known here, and may be any.
  if (kind !== 'run') return { kind, targets: targets.length === 0 ? ['*'] : targets, projects, configurations, flags };
  const [word, second] = first === 'run' ? words : [first, ...words];
  const [a = '', b, c] = (word ?? targets.join()).split(':');
  const target = b ?? targets[0] ?? a;
  return {
    kind,
    targets: [TARGET_ALIASES[target] ?? target],
    projects: [...projects, ...project, ...(b === undefined ? [] : [a]), ...(first !== 'run' && second !== undefined ? [second] : [])],
    configurations: [...new Set([...(c === undefined ? [] : [c]), ...configurations])],
    flags,
  };
}

function readOptions(args: readonly string[]) {
  const found = {
    targets: [] as string[],
    projects: [] as string[],
    /** Of `nx run` alone: to other commands it is an option of the tasks. */
    project: [] as string[],
    configurations: [] as string[],
    flags: [] as string[],
    words: [] as string[],
  };
  for (let i = 0; i < args.length; i++) {
    const word = args[i] as string;
    const equals = word.startsWith('-') ? word.indexOf('=') : -1;
    const name = equals === -1 ? word : word.slice(0, equals);
    const value = equals === -1 ? undefined : word.slice(equals + 1);
    const list = LISTS[name];
    if (list !== undefined) {
      const items = value === undefined ? [] : [value];
      while (value === undefined && args[i + 1] !== undefined && !args[i + 1]?.startsWith('-')) items.push(args[++i] as string);
      if (list !== 'other') found[list].push(...items.flatMap((item) => item.split(',')).filter(Boolean));
    } else if (name === '-c' || name === '--c' || name === '--configuration' || name === '--project') {
      found[name === '--project' ? 'project' : 'configurations'].push(value ?? nextValue(args, i));
      if (value === undefined) i++;
    } else if (name === '--prod') {
      found.configurations.push('production');
    } else if (VALUED.has(name)) {
      if (value === undefined) i++;
    } else if (name.startsWith('--')) {
      found.flags.push(name.slice(2));
    } else if (!name.startsWith('-')) {
      found.words.push(word);
    }
  }
  return found;
}

function nextValue(args: readonly string[], i: number): string {
  const next = args[i + 1];
  return next === undefined || next.startsWith('-') ? '' : next;
}
