import type { FoundGuest } from '../../engine/guest-platform.ts';
import type { GuestSession } from '../../shared/app/guest.ts';
import { reach } from '../../shared/app/reach.ts';
import type { AppInvocation } from '../../shared/app/run.ts';
import { mustRun } from '../../shared/app/running.ts';
import { Session } from '../../shared/app/session.ts';
import type { PreparedApp } from '../../shared/app/target.ts';
import { remember } from '../../shared/remember.ts';
import type { AppRequest } from './options.ts';

const UP_MS = 180_000;

/** The guests that a deploy is at work in: each is reached once, and the steps after it go on there. */
export class AppSessions {
  readonly #run: AppInvocation;
  readonly #options: AppRequest['options'];
  readonly #opened = new Map<string, Promise<Session>>();

  constructor(run: AppInvocation, options: AppRequest['options']) {
    this.#run = run;
    this.#options = options;
  }

  /** The guest, reached once it is up. @param guest as it was found; else it is looked for, and must run */
  reached(target: PreparedApp, guest?: FoundGuest): Promise<Session> {
    return remember(this.#opened, target.project, async () => {
      const { acceptHostKey, timeout } = this.#options;
      const accepts = acceptHostKey || this.#run.environment.proxmox.acceptHostKeys;
      const found = guest ?? (await mustRun(this.#run, target));
      const host = await reach(this.#run, target, found, { acceptHostKey: accepts, timeoutMs: timeout ?? UP_MS });
      return new Session(this.#run, target, host);
    });
  }

  /** The guest, if it is there and runs. */
  async reachedIfThere(target: PreparedApp): Promise<Session | undefined> {
    const guest = await this.#run.platform.find(target.wanted);
    return guest?.state === 'running' ? this.reached(target) : undefined;
  }

  /** The guest at work under its lease, which says what is being deployed: zeros where the newest commit is not known yet. */
  leased(session: Session): Promise<GuestSession> {
    return session.leased(this.#options, this.#options.commit ?? '0'.repeat(40));
  }

  /** Each guest's log is told what failed of its own application. One that was not reached can be told nothing. */
  async end(failures: readonly string[]): Promise<void> {
    await Promise.all(
      [...this.#opened].map(async ([project, opening]) => {
        const session = await opening.catch(() => undefined);
        if (session === undefined) return;
        for (const detail of failures.filter((text) => text.startsWith(`${project}:`)))
          session.note({ what: 'failure', result: 'failed', detail });
        await session.end();
      }),
    );
  }
}
