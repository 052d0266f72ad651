/** Signals that ask a run to end. Nx sends SIGTERM to its executors (sometimes twice) and ends them 5 s later. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** One run's wish to end: by a signal, or because nx itself is gone. */
export type Interruption = {
  /** Aborted with a text as its reason: what ended the run. */
  readonly signal: AbortSignal;
  /** Whether nx can still be told something. */
  connected(): boolean;
  /** The work is done: what comes now (nx closes the channel after a normal end) is no interruption. */
  done(): void;
};

/** Listens for the end of the run, from now until `done()`. */
export function listenForInterruption(): Interruption {
  const controller = new AbortController();
  const abort = (reason: string) => controller.abort(reason);
  const listeners = SIGNALS.map((name) => ({ name, listener: () => abort(`ended by ${name}`) }));
  const onDisconnect = () => abort('nx is gone');
  for (const { name, listener } of listeners) process.on(name, listener);
  process.on('disconnect', onDisconnect);
  surviveBrokenPipes();
  return {
    signal: controller.signal,
    connected: () => process.send === undefined || process.connected,
    done() {
      process.off('disconnect', onDisconnect);
      for (const { name, listener } of listeners) process.off(name, listener);
    },
  };
}

let surviving = false;

/** After a kill -9 of nx nobody reads what we print: without a listener the broken pipe would end us in mid-change. */
function surviveBrokenPipes(): void {
  if (surviving) return;
  surviving = true;
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}
