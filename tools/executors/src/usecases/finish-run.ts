import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { appendAudit } from '../audit/audit.ts';
import { releaseLease } from '../lease/lease.ts';
import { runMarker } from '../plugin/run-id.ts';
import { hostsOf, openRun, type Run } from './run.ts';

const markerSchema = z.strictObject({ environment: z.string(), release: z.string(), set: z.string().optional(), deploys: z.boolean() });

/**
 * Notes on this machine that a run of several processes holds leases, and what its last process has to write down: with
 * `--batch=false` no executor sees the end of the run. Removed by {@link finishRun}.
 */
export async function writeMarker(
  run: Pick<Run, 'root' | 'runId' | 'environment'>,
  { release, set, deploys }: { release: string; set: string | undefined; deploys: boolean },
): Promise<void> {
  const file = runMarker(run.root, run.runId);
  // A process that cut no set, or configures nothing, must not hide what an earlier process did.
  const earlier = existsSync(file) ? await readMarker(file) : undefined;
  const known = { environment: run.environment.name, release, set: set ?? earlier?.set, deploys: deploys || (earlier?.deploys ?? false) };
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify(known));
}

/** After the last task: writes the end of the deploy into the audit log and gives the leases back. */
export async function finishRun(request: { root: string; runId: string; success: boolean }): Promise<void> {
  const file = runMarker(request.root, request.runId);
  const { environment, release, set, deploys } = await readMarker(file);
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
    await rm(file, { force: true });
  } finally {
    await run.close();
  }
}

async function readMarker(file: string): Promise<z.output<typeof markerSchema>> {
  return markerSchema.parse(JSON.parse(await readFile(file, 'utf8')));
}
