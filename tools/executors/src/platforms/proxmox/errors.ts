import { AGAIN, type ErrorDetail, HostError, MooringError } from '../../engine/errors.ts';
import type { Page } from '../../engine/pages.ts';

/** An answer of the API that is no success, as it came. */
export type Refusal = {
  /** `PUT /nodes/pve/lxc/101/config`. */
  readonly call: string;
  readonly status: number;
  /** Of the status line. Old versions say what is wrong nowhere else. */
  readonly reason: string;
  /** The body's `message`, trimmed; empty when it has none. */
  readonly message: string;
  /** Parameter -> what is wrong with it. */
  readonly errors: Readonly<Record<string, string>>;
};

/** The API was asked and said no. Nothing was changed by the call. */
export class ProxmoxError extends MooringError {
  static override readonly page: Page | undefined = 'guests';
  readonly refusal: Refusal;

  constructor(refusal: Refusal, detail: ErrorDetail) {
    super(`${refusal.call}: ${told(refusal)}`, { command: refusal.call, ...detail });
    this.refusal = refusal;
  }
}

/** A parameter is not what it must be (400); `refusal.errors` says which and why. */
export class ParameterError extends ProxmoxError {}

/** The token is unknown, or may not do this (401, 403). */
export class DeniedError extends ProxmoxError {}

/** There is no such guest on this node. Proxmox says so with 500; it has no 404. */
export class NotFoundError extends ProxmoxError {}

/** The guest was changed since its `digest` was read. */
export class DigestError extends ProxmoxError {}

/** Something else holds the guest's lock. This alone may be tried again without looking first. */
export class LockedError extends ProxmoxError {}

/**
 * The call was sent and its outcome is unknown: 595, 596, 599, a lost connection, a time-out. It may have happened. Whoever catches this
 * reads again and decides by what is there; the call is never just repeated.
 */
export class MaybeDone extends HostError {
  static override readonly page: Page | undefined = 'guests';
}

/** The API could not be reached, or its answer to a reading call was cut: nothing is known, nothing was changed. */
export class UnreachableError extends HostError {
  static override readonly page: Page | undefined = 'guests';
}

/** The server is not the one whose certificate is pinned. Not a byte of the token was sent. */
export class CertificateError extends HostError {
  static override readonly page: Page | undefined = 'guests';
}

/** Whether a text of the API or of a task says that a lock was held by somebody else. */
export function saysLocked(text: string): boolean {
  return /\b(?:CT|VM) is locked \([a-z-]+\)|can't lock file '[^']*' - got timeout|can't acquire lock/.test(text);
}

/** The error for an answer that is no success. `writes`: the call was to change something. */
export function refused(refusal: Refusal, writes: boolean, host: string): MooringError {
  const { status, call } = refusal;
  const text = `${refusal.reason} ${refusal.message}`;
  if ([595, 596, 599].includes(status)) {
    const why = `${call}: the API's own daemon did not answer it in time (${status} ${refusal.reason})`;
    return writes
      ? new MaybeDone(`${why}: it is unknown whether it was done`, { host, command: call, next: AGAIN })
      : new UnreachableError(why, { host, command: call, next: 'is the node up? systemctl status pvedaemon pveproxy (on it)' });
  }
  if (status === 400) return new ParameterError(refusal, { host });
  if (status === 401) {
    return new DeniedError(refusal, { host, next: "check tokenId and the token's secret: pveum user token list <user> (on the node)" });
  }
  if (status === 403)
    return new DeniedError(refusal, {
      host,
      next: 'grant the right to the token itself: pveum acl modify <path> --tokens <token> --roles <role>',
    });
  if (/[Cc]onfiguration file '[^']*' does not exist/.test(text)) return new NotFoundError(refusal, { host });
  if (/detected modified configuration/.test(text)) return new DigestError(refusal, { host, next: AGAIN });
  if (saysLocked(text))
    return new LockedError(refusal, { host, next: 'wait until the backup, migration or snapshot is done; look at: pct config <vmid>' });
  return new ProxmoxError(refusal, { host });
}

/** What the API said, in one line: its message or else its reason phrase, and the parameters. */
function told({ status, reason, message, errors }: Refusal): string {
  const parts = Object.entries(errors).map(([name, text]) => `${name}: ${text.trim().replaceAll(/\s*\n\s*/g, ', ')}`);
  const head = message || reason || 'no reason given';
  return [`${head} (${status})`, ...parts].join('; ');
}
