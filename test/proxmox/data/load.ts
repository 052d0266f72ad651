import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** The data of a file of this folder. */
export function load<T>(name: 'api-schema-lxc' | 'validation-golden' | 'validation-fuzz'): T {
  return JSON.parse(gunzipSync(readFileSync(new URL(`${name}.json.gz`, import.meta.url))).toString('utf8'));
}
