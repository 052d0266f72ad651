import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IncusBackend, LAB } from './backend/incus.ts';
import { serveControl } from './control.ts';
import { certificate } from './double/certificate.ts';
import { type Double, serve } from './double/server.ts';
import { Store } from './double/state.ts';
import { connectEnvironment, type Settings } from './environment.ts';

type Running = { readonly store: Store; readonly double: Double; readonly closeControl: () => Promise<void> };

/** A double of a test's own, with real guests in an Incus project of its own. */
export class LabDouble {
  readonly backend: IncusBackend;
  readonly folder: string;
  #store: Store;
  #double: Double;
  #closeControl: () => Promise<void>;

  private constructor(folder: string, backend: IncusBackend, running: Running) {
    this.folder = folder;
    this.backend = backend;
    this.#store = running.store;
    this.#double = running.double;
    this.#closeControl = running.closeControl;
  }

  /** @param project an Incus project that only this test uses */
  static async start(project: string): Promise<LabDouble> {
    const folder = mkdtempSync(join(tmpdir(), 'mooring-pve-'));
    const backend = new IncusBackend({ ...LAB, project });
    await backend.prepare();
    return new LabDouble(folder, backend, await open(folder, backend, 0));
  }

  get port(): number {
    return this.#double.port;
  }

  /** Ends it and starts it again, as a process that was restarted. */
  async restart(): Promise<void> {
    const { port } = this;
    await this.stop();
    const running = await open(this.folder, this.backend, port);
    this.#store = running.store;
    this.#double = running.double;
    this.#closeControl = running.closeControl;
  }

  /** Ends it; guests and state stay. */
  async stop(): Promise<void> {
    await this.#closeControl();
    await this.#double.close();
  }

  /** Makes a token for an environment of a workspace. @returns its settings */
  connect(workspace: string, environment: string): Promise<Settings> {
    return connectEnvironment(this.folder, workspace, environment, { port: this.port });
  }

  /** Takes everything away; may be called again. */
  async remove(): Promise<void> {
    await this.stop();
    await this.backend.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function open(folder: string, backend: IncusBackend, port: number): Promise<Running> {
  const store = new Store(join(folder, 'state.json'));
  const double = await serve({ store, backend, certificate: certificate(join(folder, 'certificate')), port });
  return { store, double, closeControl: await serveControl(store, join(folder, 'control.sock')) };
}
