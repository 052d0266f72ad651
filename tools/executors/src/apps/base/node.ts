import { script } from '../../engine/command.ts';
import { MooringError, mustSucceed } from '../../engine/errors.ts';
import { defineStage } from '../../engine/service.ts';
import { shellProgram } from '../../shell/program.ts';
import type { AppSettings, NodeSettings } from '../settings.ts';

const LIB = '/usr/local/lib';

/** What /usr/local/bin/node points to, and whether what it names was unpacked to its end. */
export type NodeFacts = { readonly node: { readonly target: string | null; readonly whole: boolean } };

/**
 * Node from an archive, beside whatever Debian has. Each archive has a folder of its own, named by its content: a folder that is there is
 * whole, since it is unpacked beside and renamed.
 */
export const node = defineStage<AppSettings, NodeFacts>({
  name: 'node',
  facts: ({ settings }) => ({
    node: {
      name: 'Node',
      command: script('read', `if [ -d "$1" ]; then echo whole; else echo absent; fi; readlink /usr/local/bin/node || echo none`, [
        folderOf(settings.node?.archive),
      ]),
      parse(result) {
        const [state, target, rest] = mustSucceed(result, 'it is not known which Node is there').stdout.split('\n');
        if ((state !== 'whole' && state !== 'absent') || target === undefined || rest !== '')
          throw new MooringError(`unexpected answer about Node: ${result.stdout}`);
        return { target: target === 'none' ? null : target, whole: state === 'whole' };
      },
    },
  }),
  plan({ node: { target, whole } }, { settings }) {
    const archive = settings.node?.archive;
    const folder = folderOf(archive);
    if (archive === undefined || (whole && target === `${folder}/bin/node`)) return [];
    const tarball = `${folder}.tar`;
    return [
      {
        resource: 'Node',
        action: target === null ? 'create' : 'update',
        ...(target === null ? {} : { before: target }),
        after: archive.version,
        impact: 'none',
        because: whole ? 'another one is in use' : 'not installed',
        commands: [
          ...(whole
            ? []
            : [
                { artifact: 'node', path: tarball, mode: '0644', owner: 'root:root' },
                script('write', shellProgram(import.meta.url, 'unpack-node.sh'), [tarball, folder]),
              ]),
          script('write', LINK, [folder]),
        ],
      },
    ];
  },
});

const LINK = `for program in npm npx node; do ln -sfn "$1/bin/$program" "/usr/local/bin/$program.new"; mv -fT "/usr/local/bin/$program.new" "/usr/local/bin/$program"; done`;

function folderOf(archive: NodeSettings['archive']): string {
  return archive === undefined ? '/nonexistent' : `${LIB}/node-${archive.version}-${archive.sha256.slice(0, 12)}`;
}
