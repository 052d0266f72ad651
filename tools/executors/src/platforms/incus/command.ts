/**
 * What is in front of every `incus` command: it means the Incus of the very host, whatever its user has set. By itself the client goes
 * to the default remote of `~/.config/incus/config.yml` (`incus remote switch`) or of `INCUS_REMOTE`, and expands aliases of that file
 * (`incus alias add delete "delete --interactive"`). A folder that is not there is a client without settings, whose one server is the
 * local socket; `--force-local` keeps it from being made (Incus 6.0.4 and 7.3, `cmd/incus/main.go`, `shared/cliconfig/file.go`:
 * `LoadConfig`; the flag alone does not change the remote).
 */
const LOCAL = ['env', 'INCUS_CONF=/nonexistent', 'incus', '--force-local'] as const;

/** An `incus` command for the Incus of the host that runs it. */
export function incus(...words: readonly string[]): [string, ...string[]] {
  return [...LOCAL, ...words];
}

/** The same in the text of a shell script: what stands for `incus`. */
export const INCUS: string = LOCAL.join(' ');
