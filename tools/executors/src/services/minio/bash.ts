import type { Command } from '../../engine/command.ts';

/**
 * A bash script as a command, like `script` for sh. For what sh needs a process for each time and bash does itself:
 * reading a file, the time, a TCP connection. Debian always has it (Essential: yes).
 */
export function bash(
  effect: Command['effect'],
  text: string,
  parameters: readonly string[],
  options: Partial<Pick<Command, 'stdin' | 'timeoutMs'>> = {},
): Command {
  return { argv: ['bash', '-euc', text, 'bash', ...parameters], effect, ...options };
}
