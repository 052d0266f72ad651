import { CommandError, commandFailed } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import type { Census, CensusEntry, Desired } from '../../engine/service.ts';
import { shellProgram } from '../../shell/program.ts';
import { bash } from './bash.ts';
import { rootOf } from './objects-facts.ts';
import { SignedRequests } from './requests.ts';
import { bucketsOf, type MinioResponse, responsesOf, unexpected } from './responses.ts';
import type { MinioSettings } from './settings.ts';

/** What S3 gives in one listing. A next one would need a token of the first, and one command cannot wait for that. */
const PAGE = 1000;

/** Objects of every bucket: the settings' own by listing it, as far as one listing goes, all others by their files. */
export function census({ settings }: Desired<MinioSettings>): Fact<Census> {
  const signer = rootOf(settings);
  const requests = new SignedRequests(settings, [
    { signer, method: 'GET', path: '/' },
    // Without it a name may hold bytes that are no UTF-8.
    { signer, method: 'GET', path: `/${settings.bucket}?encoding-type=url&list-type=2&max-keys=${PAGE}` },
  ]);
  return {
    name: 'objects of all buckets',
    command: bash('read', shellProgram(import.meta.url, 'count-objects.sh'), [String(settings.port), settings.dataDir], {
      stdin: requests,
      timeoutMs: 10 * 60_000,
    }),
    parse(result) {
      const at = result.stdout.indexOf('answers\n');
      if (result.code !== 0 || at < 0) throw commandFailed({ ...result, stdout: '' }, 'the objects could not be counted');
      const files = parseFiles(result.stdout.slice(0, at));
      const [buckets, listing] = responsesOf({ ...result, stdout: result.stdout.slice(at + 'answers\n'.length) }, 2);
      const names = bucketsOf(buckets as MinioResponse);
      if (!names.includes(settings.bucket)) throw new CommandError(`there is no bucket ${settings.bucket}`);
      const listed = listingOf(listing as MinioResponse, settings.bucket);
      const entries = names.map(
        (name): CensusEntry =>
          name === settings.bucket && listed !== undefined
            ? { kind: 'bucket', name, ...listed, of: 'objects' }
            : { kind: 'bucket', name, count: files.get(name) ?? 0, of: 'objects', estimated: true },
      );
      return { entries, proves: 'objects were listed, and not read' };
    },
  };
}

/** Lines of uniq(1): a count and a folder's name with a slash at its end. */
function parseFiles(text: string): Map<string, number> {
  return new Map(
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => {
        const [, count, name] = /^ *(\d+) ([^/]+)\/$/.exec(line) ?? [];
        if (name === undefined) throw new CommandError(`a line about the files of MinIO is not known: ${JSON.stringify(line)}`);
        return [name, Number(count)];
      }),
  );
}

/** Objects of a listing and their bytes; nothing when there are more than it holds. */
function listingOf(answer: MinioResponse, bucket: string): { count: number; bytes: number } | undefined {
  const [, truncated] = /<IsTruncated>(true|false)<\/IsTruncated>/.exec(answer.body) ?? [];
  if (answer.status !== 200 || truncated === undefined) throw unexpected(answer, `the objects of bucket ${bucket} could not be listed`);
  if (truncated === 'true') return undefined;
  const sizes = [...answer.body.matchAll(/<Size>(\d+)<\/Size>/g)].map(([, size]) => Number(size));
  return { count: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}
