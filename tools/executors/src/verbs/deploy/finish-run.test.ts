import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runMarker } from '../../engine/run-id.ts';
import type { Invocation } from '../../shared/run.ts';
import { machine } from '../../world/machine.ts';
import { readMarker, writeMarker } from './finish-run.ts';

/* `--batch=false`: the processes of one run come to their ends in any order, also all at once. */

const runId = '20260131T235959-0f1e2d3c4b5a';
const release = 'a'.repeat(40);
const PLACE = { run: runId, who: 'mike@laptop', what: 'place', container: 'c-1', project: 'one', host: 'a', result: 'ok' };
let run: Parameters<typeof writeMarker>[0];
let folder: string;

beforeEach(async () => {
  const root = await mkdtemp(join(tmpdir(), 'mooring-marker-'));
  run = { root, runId, environment: { name: 'prod' } as Invocation['environment'], without: [], world: machine as Invocation['world'] };
  folder = runMarker(root, runId);
});
afterEach(() => rm(run.root, { recursive: true }));

it('many notes at once: what one process cut, and that another deploys, is known at the end', async () => {
  const notes = Array.from({ length: 40 }, (_, i) => ({
    release,
    set: i === 7 ? 'the-set' : undefined,
    deploys: i === 23,
    places: i === 9 ? [PLACE] : [],
  }));
  await Promise.all(notes.map((note) => writeMarker(run, note)));
  expect(await readMarker(folder)).toEqual({ environment: 'prod', release, set: 'the-set', deploys: true, without: [], places: [PLACE] });
});

it('a note that a killed process left in the middle is none', async () => {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, '0f1e2d3c'), '{"environ');
  expect(await readMarker(folder)).toBeUndefined();
  await writeMarker(run, { release, set: undefined, deploys: false, places: [] });
  expect(await readMarker(folder)).toEqual({ environment: 'prod', release, deploys: false, without: [], places: [] });
});
