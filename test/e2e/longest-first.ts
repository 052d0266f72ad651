import { basename } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes minutes, the longest first: begun last, one of them would run alone. */
const LONGEST = [
  'apps',
  'guest-node',
  'killed',
  'services',
  'taken-back-rabbitmq',
  'taken-back-postgres',
  'guest-python',
  'sops',
  'registry',
  'drill',
  'old-environment',
  'rollback',
  'taken-back-redis',
];

/** Without it vitest begins with the largest file, where it has not yet seen how long each takes. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const index = LONGEST.indexOf(basename(moduleId, '.test.ts'));
      return index === -1 ? LONGEST.length : index;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
