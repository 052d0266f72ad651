// The Proxmox double as a process: node test/proxmox/serve.ts <folder> [--port 28006] [--project mooring-pve]
// Everything it has to remember is in the folder: certificate, state, control socket. It ends on SIGTERM.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { IncusBackend, LAB } from './backend/incus.ts';
import { serveControl } from './control.ts';
import { certificate } from './double/certificate.ts';
import { serve } from './double/server.ts';
import { Store } from './double/state.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { port: { type: 'string', default: '28006' }, project: { type: 'string', default: LAB.project } },
});
const [folder] = positionals;
if (folder === undefined) throw new Error('name the folder of the state: node test/proxmox/serve.ts <folder>');

// The name by which the lab knows its process again.
process.title = 'mooring-pve';
mkdirSync(folder, { recursive: true, mode: 0o700 });
const store = new Store(join(folder, 'state.json'));
const backend = new IncusBackend({ ...LAB, project: values.project });
await backend.prepare();
const double = await serve({ store, backend, certificate: certificate(join(folder, 'certificate')), port: Number(values.port) });
const closeControl = await serveControl(store, join(folder, 'control.sock'));
console.log(`${new Date().toISOString()} listening on https://127.0.0.1:${double.port}`);
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, async () => {
    await closeControl();
    await double.close();
    console.log(`${new Date().toISOString()} ended`);
    process.exit(0);
  });
}
