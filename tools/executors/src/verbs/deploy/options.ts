import { z } from 'zod';
import { duration, environment, flag, leaveBehind, names, newHost, skipTrial, text, without } from '../../engine/option-fields.ts';
import { APP_STEPS, type AppStep, STEPS, type Step } from '../../engine/steps.ts';
import type { StepRequest, StepTask } from '../../shared/request.ts';

/*
 * Flags of the steps of a deploy. `nx run-many -t configure` meets both tiers, and an application's chain begins with the data that
 * it needs: flags are forwarded along the chain, so every step takes all of them, and each tier heeds its own.
 */

/** What both tiers heed. */
const common = {
  leaseWait: duration('How long to wait for the lease of another run', '90s').optional(),
  leaseTake: text('Run id whose lease is taken over; for a run that is known to be dead', '20260131T235959-0f1e2d3c4b5a').optional(),
  adopt: names('Containers and guests without our marks that are taken over', 'redis'),
  dryRun: flag('Show what would be done; change nothing'),
  skipTrial,
  timeout: duration('How long to wait for a container or guest to be up', '5m').optional(),
};

/** What the containers' steps heed. */
const dataFlags = {
  release: text(
    'The release: 40 lower-case hex digits; MOORING_RELEASE or HEAD when left out',
    '0123456789abcdef0123456789abcdef01234567',
  ).optional(),
  allowDirty: flag('Deploy from a work tree with uncommitted changes, outside `local`'),
  ...common,
  create: names('Containers that may be created although their name is known elsewhere', 'redis'),
  newHost,
  leaveBehind,
  without,
};

/** What the applications' steps heed. */
const appFlags = {
  ...common,
  commit: text(
    "Applications: the commit to deploy, 40 lower-case hex digits; the branch's newest when left out",
    '0123456789abcdef0123456789abcdef01234567',
  ).optional(),
  allowRestart: flag('Guests: restart one where a setting needs it'),
  allowIpConflicts: flag('Guests: go on although the address is taken, or not known to be free; it is written down'),
  acceptHostKey: flag('Guests: record the host key of a guest that is seen for the first time, once its address is proved to be its own'),
};

/** Options of a step as its target and the command line may give them. */
const stepOptions = { ...dataFlags, ...appFlags };

const step = <S extends readonly [string, ...string[]]>(steps: S) =>
  z.enum(steps).meta({ description: 'Which step this target is: set by the plugin, never on the command line' });

/** The four steps of a deploy of containers. */
export const data = {
  schema: z.strictObject({ environment, step: step(STEPS), ...stepOptions }),
  heed: (options: Readonly<Record<string, unknown>>): DataOptions => pick(options, dataFlags),
};

/** The three steps of the deploy of an application. */
export const app = {
  schema: z.strictObject({ environment, step: step(APP_STEPS), ...stepOptions }),
  heed: (options: Readonly<Record<string, unknown>>): AppOptions => pick(options, appFlags),
};

/** What the containers' steps heed; times in milliseconds. */
export type DataOptions = z.output<z.ZodObject<typeof dataFlags>>;
/** What the applications' steps heed; times in milliseconds. */
export type AppOptions = z.output<z.ZodObject<typeof appFlags>>;

export type DataTask = StepTask<Step>;
export type DataRequest = StepRequest<Step, DataOptions>;
export type AppTask = StepTask<AppStep>;
export type AppRequest = StepRequest<AppStep, AppOptions>;

type Flags = Readonly<Record<string, z.ZodType>>;

/** The options are parsed by the schemas above, which have all of these flags. */
function pick<F extends Flags>(options: Readonly<Record<string, unknown>>, flags: F): z.output<z.ZodObject<F>> {
  return Object.fromEntries(Object.entries(options).filter(([name]) => name in flags)) as z.output<z.ZodObject<F>>;
}
