import { execFile } from 'node:child_process';

export type Result = { code: number; stdout: string; stderr: string };

/** Runs incus, which must succeed. @returns its stdout @throws with what it printed */
export async function must(argv: readonly string[], stdin?: string): Promise<string> {
  const { code, stdout, stderr } = await incus(argv, stdin);
  if (code !== 0) throw new Error(`incus ${argv[0]}: ${stderr.trim() || stdout.trim()}`);
  return stdout;
}

/** Runs incus to its end. */
export const incus = (argv: readonly string[], stdin?: string): Promise<Result> => run('incus', argv, stdin);

/** Runs a program to its end. @throws when it cannot be started */
export function run(program: string, argv: readonly string[], stdin = ''): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, argv, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      if (typeof code === 'number') resolve({ code, stdout, stderr });
      else reject(error);
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(stdin);
  });
}
