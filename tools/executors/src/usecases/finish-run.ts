import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { appendAudit } from '../audit/audit.ts';
import { releaseLease } from '../lease/lease.ts';
import { runMarker } from '../plugin/run-id.ts';
import { hostsOf, openRun, type Run } from './run.ts';

const noteSchema = z.strictObject({ environment: z.string(), release: z.string(), set: z.string().optional(), deploys: z.boolean() });

/** How the name of a note ends that is there whole. */
const WHOLE = '.json';

/**
 * Notes on this machine that a run of several processes holds leases, and what its last process has to write down: with
 * `--batch=false` no executor sees the end of the run. Each note is a file of its own, and there whole or not at all: processes
 * come to their ends at once. Removed by {@link finishRun}.
 */
export async function writeMarker(
  run: Pick<Run, 'root' | 'runId' | 'environment'>,
  { release, set, deploys }: { release: string; set: string | undefined; deploys: boolean },
): Promise<void> {
  const folder = runMarker(run.root, run.runId);
  const note = { environment: run.environment.name, release, ...(set === undefined ? {} : { set }), deploys };
  const file = join(folder, randomUUID());
  await mkdir(folder, { recursive: true });
  await writeFile(file, JSON.stringify(note));
  await rename(file, `${file}${WHOLE}`);
}

/** After the last task: writes the end of the deploy into the audit log and gives the leases back. */
export async function finishRun(request: { root: string; runId: string; success: boolean }): Promise<void> {
  const folder = runMarker(request.root, request.runId);
  const known = await readMarker(folder);
  if (known === undefined) return rm(folder, { recursive: true });
  const { environment, release, set, deploys } = known;
  const run = await openRun({
    root: request.root,
    environment,
    runId: request.runId,
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
    } as const;
    const ended = deploys || !request.success ? [appendAudit(environment, [entry])] : [];
    const last = [...ended, releaseLease(environment, run.runId)];
    await Promise.all(hostsOf(run.targets).map(async (name) => (await run.host(name)).run(last, 'sequence')));
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
  return { ...first, ...(set === undefined ? {} : { set }), deploys: notes.some(({ deploys }) => deploys) };
}
