import {
  PropertyError,
  type PropertyFormat,
  type PropertyRule,
  parseProperties,
} from '../../../tools/executors/src/platforms/proxmox/property-string.ts';
import { checkNamed } from './formats.ts';
import { isInteger, isNumber, perlPattern } from './perl.ts';

/** One property of the API schema, in its own words. */
export type Rule = PropertyRule & {
  readonly format?: string | Readonly<Record<string, Rule>>;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number | string;
  readonly maximum?: number | string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly requires?: string;
  readonly items?: Rule;
  readonly properties?: Readonly<Record<string, Rule>>;
  readonly additionalProperties?: number | Rule;
};

/** What a parameter may be: a text, or several of the same name. */
export type Given = string | readonly string[];

/** Parameter -> what is wrong with it. Empty: nothing. */
export type Wrong = Record<string, string>;

/** To be filled; a key may be `__proto__`. */
export const nothingWrong = (): Wrong => Object.create(null);

const MISSING = 'property is missing and it is not optional';
const UNKNOWN = 'property is not defined in schema and the schema does not allow additional properties';

/** Checks an object against the rules of its properties. Messages as the API's. */
export function checkObject(
  path: string,
  rules: Readonly<Record<string, Rule>>,
  value: Readonly<Record<string, Given>>,
  open: boolean,
  wrong: Wrong,
): void {
  const at = (key: string) => (path === '' ? key : `${path}.${key}`);
  for (const [key, rule] of Object.entries(rules)) {
    if (Object.hasOwn(value, key)) checkProperty(at(key), rule, value[key] as Given, wrong);
    else if (!rule.optional && rule.alias === undefined) add(wrong, at(key), MISSING);
  }
  for (const key of Object.keys(value)) {
    const rule = Object.hasOwn(rules, key) ? rules[key] : undefined;
    if (rule === undefined) {
      if (!open) add(wrong, at(key), UNKNOWN);
    } else if (rule.requires !== undefined && value[rule.requires] === undefined) {
      add(wrong, at(rule.requires), `missing property required by '${at(key)}'`);
    }
  }
}

function checkProperty(path: string, rule: Rule, value: Given, wrong: Wrong): void {
  if (typeof value !== 'string' && rule.type === 'array') {
    for (const [i, item] of value.entries()) checkProperty(`${path}[${i}]`, rule.items ?? {}, item, wrong);
    return;
  }
  const problem = problemOf(path, rule, value);
  if (problem !== undefined) add(wrong, path, problem);
}

/** What is wrong with a value; the first of it. */
function problemOf(path: string, rule: Rule, value: Given): string | undefined {
  const { type } = rule;
  if (typeof value !== 'string') return `type check ('${type}') failed - got ARRAY`;
  if (type === 'array' || type === 'object') return `type check ('${type}') failed`;
  if (!isOfType(type, value)) return `type check ('${type}') failed - got '${value}'`;
  return formatProblem(path, rule, value) ?? textProblem(rule, value) ?? rangeProblem(rule, value) ?? enumProblem(rule, value);
}

function isOfType(type: string | undefined, value: string): boolean {
  switch (type) {
    case 'integer':
      return isInteger(value);
    case 'number':
      return isNumber(value);
    case 'boolean':
      return value === '0' || value === '1';
    case 'string':
    case 'any':
    case undefined:
      return true;
    default:
      throw new Error(`the double does not know the type ${type}`);
  }
}

function formatProblem(path: string, { format }: Rule, value: string): string | undefined {
  if (format === undefined) return undefined;
  if (typeof format === 'string') {
    const problem = checkNamed(format, value);
    return problem === undefined ? undefined : `invalid format - ${problem}\n`;
  }
  const problem = propertyStringProblem(path, format, value);
  if (problem === undefined) return undefined;
  if (typeof problem === 'string') return `invalid format - ${problem}\n`;
  const lines = Object.entries(problem).map(([key, text]) => `${key}: ${text}\n`);
  return `invalid format - format error\n${lines.join('')}`;
}

/** What is wrong with a property string: its grammar (a text), or its properties (one by one). */
export function propertyStringProblem(path: string, format: Readonly<Record<string, Rule>>, value: string): string | Wrong | undefined {
  try {
    const wrong = nothingWrong();
    checkObject(path, format, parseProperties(format as PropertyFormat, value), false, wrong);
    return Object.keys(wrong).length === 0 ? undefined : wrong;
  } catch (error) {
    if (error instanceof PropertyError) return error.message;
    throw error;
  }
}

function textProblem({ pattern, minLength, maxLength }: Rule, value: string): string | undefined {
  if (pattern !== undefined && !perlPattern(pattern).test(value)) return 'value does not match the regex pattern';
  const length = [...value].length;
  if (maxLength !== undefined && length > maxLength) return `value may only be ${maxLength} characters long`;
  if (minLength !== undefined && length < minLength) return `value must be at least ${minLength} characters long`;
  return undefined;
}

function rangeProblem({ minimum, maximum }: Rule, value: string): string | undefined {
  if (!isNumber(value)) return undefined;
  if (maximum !== undefined && Number(value) > Number(maximum)) return `value must have a maximum value of ${maximum}`;
  if (minimum !== undefined && Number(value) < Number(minimum)) return `value must have a minimum value of ${minimum}`;
  return undefined;
}

function enumProblem(rule: Rule, value: string): string | undefined {
  if (rule.enum === undefined || rule.enum.includes(value)) return undefined;
  return `value '${value}' does not have a value in the enumeration '${rule.enum.join(', ')}'`;
}

function add(wrong: Wrong, path: string, text: string): void {
  wrong[path] = wrong[path] === undefined ? text : `${wrong[path]}\n${text}`;
}
