import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { appendAudit, type NewAuditEntry, newEntrySchema } from '../../audit/audit.ts';
import { runMarker } from '../../engine/run-id.ts';
import { releaseLease } from '../../lease/lease.ts';
import { onEvery } from '../../shared/every-host.ts';
import { hostsOf, type Invocation, openRun } from '../../shared/run.ts';
import type { World } from '../../shared/world.ts';

const noteSchema = z.strictObject({
  environment: z.string(),
  release: z.string(),
  set: z.string().optional(),
  deploys: z.boolean(),
  without: z.array(z.string()),
  /** Where containers are that a log did not know yet: each process sees its own hosts only, and all logs are told. */
  places: z.array(newEntrySchema),
});

/** How the name of a note ends that is there whole. */
const WHOLE = '.json';

/**
 * Notes on this machine that a run of several processes holds leases, and what its last process has to write down: with
 * `--batch=false` no executor sees the end of the run. Each note is a file of its own, and there whole or not at all: processes
 * come to their ends at once. Removed by {@link finishRun}.
 */
export async function writeMarker(
  run: Pick<Invocation, 'root' | 'runId' | 'environment' | 'without' | 'world'>,
  { release, set, deploys, places }: { release: string; set: string | undefined; deploys: boolean; places: readonly NewAuditEntry[] },
): Promise<void> {
  const folder = runMarker(run.root, run.runId);
  const note = { environment: run.environment.name, release, ...(set === undefined ? {} : { set }), deploys, without: run.without, places };
  const file = join(folder, Buffer.from(run.world.random(16)).toString('hex'));
  await mkdir(folder, { recursive: true });
  await writeFile(file, JSON.stringify(note));
  await rename(file, `${file}${WHOLE}`);
}

/** After the last task: writes the end of the deploy into the audit log and gives the leases back. */
export async function finishRun(request: { root: string; runId: string; success: boolean; world: World }): Promise<void> {
  const folder = runMarker(request.root, request.runId);
  const known = await readMarker(folder);
  if (known === undefined) return rm(folder, { recursive: true });
  const { environment, release, set, deploys, without, places } = known;
  const run = await openRun({
    root: request.root,
    environment,
    world: request.world,
    runId: request.runId,
    without,
    signal: new AbortController().signal,
    print: (line) => console.log(line),
  });
  try {
    const entry = {
      run: run.runId,
      who: run.who,
      release,
      what: 'deploy',
      result: request.success ? 'ok' : 'failed',
      ...(set === undefined ? {} : { set }),
      ...(without.length > 0 ? { without } : {}),
    } as const;
    const entries = [...places, ...(deploys || !request.success ? [entry] : [])];
    const last = [...(entries.length > 0 ? [appendAudit(environment, entries)] : []), releaseLease(environment, run.runId)];
    await onEvery(hostsOf(run.targets), async (name) => (await run.host(name)).run(last, 'sequence'));
    await rm(folder, { recursive: true });
  } finally {
    await run.close();
  }
}

/** What the processes of a run have noted, together; nothing where none came so far. */
export async function readMarker(folder: string): Promise<z.output<typeof noteSchema> | undefined> {
  const files = (await readdir(folder)).filter((name) => name.endsWith(WHOLE));
  const notes = await Promise.all(files.map(async (name) => noteSchema.parse(JSON.parse(await readFile(join(folder, name), 'utf8')))));
  const [first] = notes;
  if (first === undefined) return undefined;
  // A process that cut no set, or configures nothing, does not hide what another did.
  const set = notes.find((note) => note.set !== undefined)?.set;
  const places = notes.flatMap((note) => note.places);
  return { ...first, ...(set === undefined ? {} : { set }), deploys: notes.some(({ deploys }) => deploys), places };
}
