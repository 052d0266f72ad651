import { isDeepStrictEqual } from 'node:util';
import { formatJson } from '../shared/format-json.ts';

/**
 * The text of a JSON object with one more field at its end. The rest stays as somebody has formatted it.
 *
 * @param text of an object that does not have the field
 */
export function withField(text: string, name: string, value: unknown): string {
  const content = JSON.parse(text);
  const wanted = { ...content, [name]: value };
  const end = text.lastIndexOf('}');
  const before = text.slice(0, end).trimEnd();
  const field = formatJson({ [name]: value })
    .trim()
    .replace(/^\{\s*/, '')
    .replace(/\s*\}$/, '');
  const added = `${before}${Object.keys(content).length === 0 ? '' : ','}\n  ${field}\n${text.slice(end)}`;
  return isDeepStrictEqual(JSON.parse(added), wanted) ? added : formatJson(wanted);
}
