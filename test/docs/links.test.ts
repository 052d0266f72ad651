import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, it } from 'vitest';
import { documents } from './documents.ts';
import { documentOf, ROOT } from './markdown.ts';

it.each(documents.map((document) => [document.file, document] as const))('%s: every link leads somewhere', (file, { links }) => {
  const broken = links.flatMap(({ url, line }) => {
    const [path = '', anchor] = decodeURI(url).split('#');
    const target = path === '' ? file : normalize(join(dirname(file), path));
    if (target.startsWith('..') || !existsSync(join(ROOT, target))) return [`${file}:${line}: ${url}: there is no ${target}`];
    if (anchor === undefined || documentOf(target).anchors.has(anchor)) return [];
    return [`${file}:${line}: ${url}: ${target} has no heading of that name; it has ${[...documentOf(target).anchors].join(', ')}`];
  });
  expect(broken).toEqual([]);
});

it('docs/README.md lists every page of its folder', () => {
  const listed = documentOf('docs/README.md').links.map(({ url }) => normalize(join('docs', url.split('#')[0] ?? '')));
  const pages = documents.map(({ file }) => file).filter((file) => /^docs\/[^/]+\.md$/.test(file) && file !== 'docs/README.md');
  expect(pages.filter((page) => !listed.includes(page))).toEqual([]);
});
