import type { LiveInterface } from '../double/state.ts';
import type { BackendGuest, Birth, GuestBackend } from './backend.ts';

/** Guests that are nowhere: for tests of the API alone. */
export class MemoryBackend implements GuestBackend {
  readonly guests = new Map<number, { guest: BackendGuest; birth: Birth; running: boolean }>();

  async create(guest: BackendGuest, birth: Birth): Promise<void> {
    this.guests.set(guest.vmid, { guest, birth, running: false });
  }

  async start(guest: BackendGuest): Promise<void> {
    Object.assign(this.#get(guest.vmid), { guest, running: true });
  }

  async stop(vmid: number): Promise<void> {
    this.#get(vmid).running = false;
  }

  async update(guest: BackendGuest): Promise<void> {
    this.#get(guest.vmid).guest = guest;
  }

  async destroy(vmid: number): Promise<void> {
    this.guests.delete(vmid);
  }

  async running(vmid: number): Promise<boolean> {
    return this.guests.get(vmid)?.running ?? false;
  }

  async interfaces(vmid: number): Promise<LiveInterface[]> {
    return this.#get(vmid).guest.interfaces.map(({ name, hwaddr, ip }) => ({
      name,
      hwaddr: hwaddr.toLowerCase(),
      ...(ip.includes('/') ? { inet: ip } : {}),
    }));
  }

  async exec(): Promise<never> {
    throw new Error('a guest in memory runs nothing');
  }

  #get(vmid: number) {
    const found = this.guests.get(vmid);
    if (found === undefined) throw new Error(`the backend has no guest ${vmid}`);
    return found;
  }
}
