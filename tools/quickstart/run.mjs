import { spawn } from 'node:child_process';

/** A failure to be told in one paragraph, with what to type next. */
export class Problem extends Error {
  constructor(message, next, signal) {
    super(message);
    this.next = next;
    this.signal = signal;
  }
}

function start(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, options);
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'])
      child[name]?.setEncoding('utf8').on('data', (text) => {
        output[name] += text;
      });
    child.on('error', (error) => reject(new Problem(`${command} could not be started: ${error.message}.`, `which ${command}`)));
    child.on('close', (code, signal) => {
      // The terminal sends an interrupt to the child as well; it is over when the child is.
      if (signal || code === 130) reject(new Problem(`${command} was interrupted.`, 'npm run quickstart', signal ?? 'SIGINT'));
      else resolve({ code, ...output });
    });
  });
}

process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});

/** Runs a command whose output the user sees; answers its exit code. */
export async function stream(command, args, options) {
  return (await start(command, args, { ...options, stdio: ['ignore', 'inherit', 'inherit'] })).code;
}

export const capture = (command, args, options) => start(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });

/** Runs a command whose output matters only if it fails. */
export async function runQuietly(command, args, options, next) {
  const { code, stdout, stderr } = await capture(command, args, options);
  if (code === 0) return;
  const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('npm warn'));
  throw new Problem(`${next} failed with exit code ${code}:\n${ends(lines)}`, next);
}

/** npm says the cause first and its usage after it, others say the cause last. */
const ends = (lines) => (lines.length <= 20 ? lines : [...lines.slice(0, 10), '…', ...lines.slice(-10)]).join('\n');
