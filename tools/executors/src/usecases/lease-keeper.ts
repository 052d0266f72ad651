import type { Command } from '../engine/command.ts';
import { read } from '../engine/command.ts';
import type { OpenHost } from '../hosts/index.ts';
import type { Run } from './run.ts';
import type { Opening } from './survey.ts';
export type LeaseFlags = { readonly leaseWait?: number | undefined; readonly leaseTake?: string | undefined };
export class LeaseKeeper {
  constructor(_run: Run, _host: OpenHost, _flags: LeaseFlags, _release: string) {}
  hold<T>(work: (opening: Opening | undefined) => Promise<T>): Promise<T> { return work(undefined); }
  stop(): void {}
  release(): Command { return read(['true']); }
}
