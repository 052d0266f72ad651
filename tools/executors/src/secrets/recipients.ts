import { InputError, type MooringError, SafetyError } from '../engine/errors.ts';
import { isRecipient } from './age.ts';

/**
 * Reads a file of public keys as `age -R` does: one in a line, `#` begins a comment, which says whose it is.
 *
 * @param file as messages name it
 */
export async function parseRecipients(text: string, file: string): Promise<{ recipients: string[]; problems: MooringError[] }> {
  const recipients: string[] = [];
  const problems: MooringError[] = [];
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const place = `${file}:${i + 1}`;
    if (/^AGE-SECRET-KEY-/i.test(line))
      problems.push(
        new SafetyError(`${place}: this is a private key: whoever can read this repository can use it`, {
          next: 'take it out, make a new key, re-encrypt, and change every secret that it opens',
        }),
      );
    else if (!(await isRecipient(line)))
      problems.push(
        new InputError(`${place}: found ${shortened(line)}; expected a public key of age`, {
          next: 'for example age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p; keys of SSH are not taken, age-keygen makes one',
        }),
      );
    else if (recipients.includes(line))
      problems.push(new InputError(`${place}: this key is there already`, { next: 'take one of the two out' }));
    else recipients.push(line);
  }
  if (recipients.length === 0 && problems.length === 0)
    problems.push(new InputError(`${file} has no public key in it`, { next: 'age-keygen -y .secrets/age.key prints yours' }));
  return { recipients, problems };
}

function shortened(line: string): string {
  return JSON.stringify(line.length > 20 ? `${line.slice(0, 19)}…` : line);
}
