import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { ROOT } from './markdown.ts';

export const SOURCES = join(ROOT, 'tools/executors/src');

/** Classes whose errors are told to the user, and which of their arguments is the text. */
const CLASSES =
  /^(?:Mooring|Input|Host|Command|Safety|Unhealthy|Problems|Unreachable|Certificate|Property|Task|FileVersion)Error$|^MaybeDone$|^SessionRefused$/;
/** Functions that make such an error of a result; their second argument is the text. */
const MAKERS = /^(?:commandFailed|mustSucceed|zfsFailed|failed)$/;

/** A text that an error can have. What it fills in stands as `…`. */
export type ErrorText = { readonly at: string; readonly text: string };

/** Every text of an error that is written in the plugin's sources as it is; not those that are put together elsewhere. */
export function errorTexts(): ErrorText[] {
  return sourceFiles().flatMap((source) =>
    textsIn(source).map(({ node, text }) => ({
      at: `${source.fileName}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`,
      text: text.replaceAll(/\s+/g, ' '),
    })),
  );
}

/** Every text in the plugin's sources, of an error or not. */
export function everyText(): string[] {
  const texts: string[] = [];
  const visit = (node: ts.Node) => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) texts.push(node.text);
    ts.forEachChild(node, visit);
  };
  for (const source of sourceFiles()) visit(source);
  return texts;
}

/** The shell programs of the plugin, which have texts too. */
export function shellPrograms(): string[] {
  return filesWith('.sh').map((file) => readFileSync(join(SOURCES, file), 'utf8'));
}

function sourceFiles(): ts.SourceFile[] {
  return filesWith('.ts')
    .filter((file) => !file.endsWith('.test.ts'))
    .map((file) => ts.createSourceFile(file, readFileSync(join(SOURCES, file), 'utf8'), ts.ScriptTarget.ESNext, true));
}

function filesWith(end: string): string[] {
  return readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith(end));
}

function textsIn(node: ts.Node): { node: ts.Node; text: string }[] {
  const found: { node: ts.Node; text: string }[] = [];
  const visit = (at: ts.Node) => {
    const message = messageOf(at);
    for (const text of message === undefined ? [] : written(message)) found.push({ node: at, text });
    ts.forEachChild(at, visit);
  };
  visit(node);
  return found;
}

function messageOf(node: ts.Node): ts.Expression | undefined {
  if (ts.isNewExpression(node) && CLASSES.test(node.expression.getText())) return node.arguments?.[0];
  if (ts.isCallExpression(node) && MAKERS.test(node.expression.getText())) return node.arguments[1];
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.SuperKeyword) return node.arguments[0];
  return undefined;
}

/** What an expression can say; nothing for one that says only what it was given. */
function written(node: ts.Expression): string[] {
  if (ts.isStringLiteralLike(node)) return node.text === '' ? [] : [node.text];
  if (ts.isConditionalExpression(node)) return [...written(node.whenTrue), ...written(node.whenFalse)];
  if (!ts.isTemplateExpression(node)) return [];
  const text = [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join('…');
  // `…: … is …` cannot be searched for.
  return text.replaceAll(/[^\p{L}]/gu, '').length > 3 ? [text] : [];
}
