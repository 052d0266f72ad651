/** A word that any POSIX shell reads back as the same text. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
