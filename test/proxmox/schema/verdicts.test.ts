import { expect, it } from 'vitest';
import { FEATURES, MOUNT, NET, parseStrictly, ROOTFS } from '../../../tools/executors/src/platforms/proxmox/formats.ts';
import {
  canonical,
  PropertyError,
  parseProperties,
  printProperties,
} from '../../../tools/executors/src/platforms/proxmox/property-string.ts';
import { load } from '../data/load.ts';
import { rulesOf, type Verdict, validateCall } from './call.ts';
import { checkNamed } from './formats.ts';
import { type Given, propertyStringProblem, type Rule } from './validate.ts';

type Call = { name: string; method: string; path: string; params: Record<string, Given>; result: Verdict };
type PropertyCase = {
  key: string;
  value: string;
  parsed?: Record<string, string | number>;
  printed?: string;
  valid?: boolean;
  error?: string | { message: string; errors: Record<string, string> };
};

/** Perl's hashes have no order: the lines about the properties of one string come in any. */
function unordered(verdict: Verdict): unknown {
  if (verdict.status === 200) return verdict;
  const errors = Object.fromEntries(Object.entries(verdict.errors).map(([key, text]) => [key, text.split('\n').sort()]));
  return { ...verdict, errors };
}

/** How many agree; the disagreeing ones are the failure. */
function report<T extends { name?: string; key?: string; value?: string }>(
  title: string,
  cases: readonly T[],
  given: (one: T) => unknown,
  wanted: (one: T) => unknown,
): void {
  const different = cases.flatMap((one) => {
    const [is, should] = [given(one), wanted(one)];
    return JSON.stringify(sorted(is)) === JSON.stringify(sorted(should))
      ? []
      : [{ name: one.name, key: one.key, value: one.value, is, should }];
  });
  console.log(`${title}: ${cases.length - different.length} of ${cases.length} verdicts agree`);
  expect(different).toEqual([]);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}

it.each(['validation-golden', 'validation-fuzz'] as const)('every call of %s gets the verdict of the real validator', (file) => {
  const { calls } = load<{ calls: Call[] }>(file);
  expect(calls.length).toBeGreaterThan(70);
  report(
    file,
    calls,
    ({ method, path, params }) => unordered(validateCall(method, path, params)),
    ({ result }) => unordered(result),
  );
});

it('every property string is parsed, refused and printed as by the real codec', () => {
  const { propstrings } = load<{ propstrings: PropertyCase[] }>('validation-golden');
  expect(propstrings.length).toBeGreaterThan(30);
  report(
    'property strings',
    propstrings,
    ({ key, value }) => readAndPrint(key, value),
    ({ key: _, value: __, ...wanted }) => wanted,
  );
});

function readAndPrint(key: string, value: string): Omit<PropertyCase, 'key' | 'value'> {
  const rule = rulesOf('POST', '/nodes/{node}/lxc')?.[key] as Rule;
  const { format } = rule;
  if (typeof format === 'string') {
    const problem = checkNamed(format, value);
    return problem === undefined ? { valid: true } : { error: `${problem}\n` };
  }
  if (format === undefined) throw new Error(`${key} has no format`);
  const problem = propertyStringProblem('', format, value);
  if (typeof problem === 'string') return { error: `${problem}\n` };
  if (problem !== undefined) return { error: { message: 'format error\n', errors: problem } };
  const properties = parseProperties(format, value);
  const parsed = Object.fromEntries(
    Object.entries(properties).map(([name, text]) => [name, format[name]?.type === 'boolean' ? Number(text) : text]),
  );
  return { parsed, printed: printProperties(format, canonical(format, properties)) };
}

it("the plugin's own formats accept and refuse what the schema's do", () => {
  const files = [load<{ calls: Call[] }>('validation-golden'), load<{ calls: Call[] }>('validation-fuzz')];
  const { propstrings } = load<{ propstrings: PropertyCase[] }>('validation-golden');
  const texts = new Set([
    ...files.flatMap(({ calls }) => calls.flatMap(({ params }) => Object.values(params).filter((value) => typeof value === 'string'))),
    ...propstrings.map(({ value }) => value),
    ...[
      'name=eth0,rate=1e3',
      'name=eth0,rate=.5',
      'name=eth0,mtu=070',
      'name=eth0,ip6=fe80::1%eth0/64',
      'name=eth0,tag=+7',
      './a,mp=b',
      'a,mp=..',
    ],
    ...[
      'name=eth0,hwaddr=bc:24:11:aa:bb:cc\n',
      'name=eth0,constructor=1',
      'constructor',
      '__proto__=1',
      'name=eth0,ip=::1/64',
      'name=\u00e9',
    ],
  ]);
  const formats = { net0: NET, rootfs: ROOTFS, mp0: MOUNT, features: FEATURES };
  const cases = Object.entries(formats).flatMap(([key, format]) => [...texts].map((value) => ({ key, format, value })));
  report(
    "the plugin's formats",
    cases,
    ({ format, value }) => accepts(() => parseStrictly(format, value)),
    ({ key, value }) =>
      propertyStringProblem('', rulesOf('POST', '/nodes/{node}/lxc')?.[key]?.format as Record<string, Rule>, value) === undefined,
  );
});

function accepts(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(PropertyError);
    return false;
  }
}
