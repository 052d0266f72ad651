import { z } from 'zod';
import { environment, flag, json, leaveBehind, names, newHost, skipTrial, text, without } from '../../engine/option-fields.ts';

/** Options of `plan`. */
export const schema = z.strictObject({
  environment,
  release: text(
    'The release that would be deployed: 40 lower-case hex digits; MOORING_RELEASE or HEAD when left out',
    '0123456789abcdef0123456789abcdef01234567',
  ).optional(),
  create: names('Containers that may be created although their name is known elsewhere', 'redis'),
  adopt: names('Containers without our marks that would be taken over', 'redis'),
  newHost,
  leaveBehind,
  without,
  skipTrial,
  failOnChanges: flag('Exit with 1 when there is anything to change'),
  out: text(
    'Write the plan to this file, absolute or relative to the workspace: as JSON, with --markdown as Markdown',
    'plan.json',
  ).optional(),
  markdown: flag('Print Markdown, for a comment'),
  json,
});

/** What the verb is given. */
export type PlanOptions = Omit<z.output<typeof schema>, 'environment'>;

/** Markdown is written as it is printed, of both tiers; JSON by the tier that it is of. */
export const answerFile = ({ markdown, json, out }: PlanOptions): string | undefined => (markdown && !json ? out : undefined);
