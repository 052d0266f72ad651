import { readFileSync } from 'node:fs';
import { Secret } from '../engine/secret.ts';
export async function loadSecrets(root: string, environment: string, names: readonly string[]): Promise<Map<string, Secret>> {
  const text = readFileSync(`${root}/.secrets/${environment}.env`, 'utf8');
  const all = new Map(text.split('\n').flatMap((l) => { const m = /^([A-Z_]+)=(.*)$/.exec(l); return m ? [[m[1], m[2]]] : []; }) as [string, string][]);
  return new Map(names.map((n) => [n, new Secret(all.get(n) as string)]));
}
