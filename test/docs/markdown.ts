import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import GithubSlugger from 'github-slugger';
import type { Nodes } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';

export const ROOT = join(import.meta.dirname, '..', '..');

/** A block of code, as its fence names it. */
export type Block = { readonly language: string; readonly text: string; readonly line: number };

/** A document, and what of it can be wrong. */
export type Document = {
  /** Relative to the workspace. */
  readonly file: string;
  /** Targets of links and images, without those that lead to another machine. */
  readonly links: readonly { readonly url: string; readonly line: number }[];
  readonly blocks: readonly Block[];
  /** Code inside of sentences and tables. */
  readonly words: readonly { readonly text: string; readonly line: number }[];
  /** What a link can lead to inside of it, as the usual forges name its headings. */
  readonly anchors: ReadonlySet<string>;
};

const read = new Map<string, Document>();

/** Reads a document once. @param file relative to the workspace */
export function documentOf(file: string): Document {
  const known = read.get(file);
  if (known !== undefined) return known;
  const nodes = [...all(fromMarkdown(readFileSync(join(ROOT, file), 'utf8')))];
  const slugger = new GithubSlugger();
  const made: Document = {
    file,
    links: nodes.flatMap((node) =>
      (node.type === 'link' || node.type === 'image' || node.type === 'definition') && !/^[a-z][a-z0-9+.-]*:/i.test(node.url)
        ? [{ url: node.url, line: lineOf(node) }]
        : [],
    ),
    blocks: nodes.flatMap((node) =>
      node.type === 'code' ? [{ language: node.lang ?? '', text: node.value, line: lineOf(node) + 1 }] : [],
    ),
    words: nodes.flatMap((node) => (node.type === 'inlineCode' ? [{ text: node.value, line: lineOf(node) }] : [])),
    anchors: new Set(nodes.flatMap((node) => (node.type === 'heading' ? [slugger.slug(textOf(node))] : []))),
  };
  read.set(file, made);
  return made;
}

function* all(node: Nodes): Generator<Nodes> {
  yield node;
  if ('children' in node) for (const child of node.children) yield* all(child);
}

function textOf(node: Nodes): string {
  return 'children' in node ? node.children.map(textOf).join('') : 'value' in node ? node.value : '';
}

function lineOf({ position }: Nodes): number {
  return position?.start.line ?? 0;
}
