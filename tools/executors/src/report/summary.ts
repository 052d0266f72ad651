import { changesOf, type Plan } from '../shared/plan-container.ts';

/** How much a plan changes, and what of it is felt, in a sentence. */
export function summary({ environment, containers, refused }: Pick<Plan, 'environment' | 'containers' | 'refused'>): string {
  const changes = containers.flatMap(changesOf);
  const others = refused.length === 0 ? '' : `; refused: ${refused.map(({ container }) => container).join(', ')}`;
  if (changes.length === 0)
    return others === '' ? `0 changes: ${environment} is as the settings say` : `0 changes in the rest of ${environment}${others}`;
  const felt = (['reload', 'restart', 'data-loss'] as const).flatMap((impact) => {
    const count = changes.filter((change) => change.impact === impact).length;
    return count === 0 ? [] : [`${count} with ${impact}`];
  });
  return `${changes.length} change${changes.length === 1 ? '' : 's'}${felt.length > 0 ? ` (${felt.join(', ')})` : ''} in ${environment}${others}`;
}
