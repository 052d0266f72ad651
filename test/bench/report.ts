import { cpus } from 'node:os';
import { type DeployRound, deployRatio, secondsOf } from './deploy.ts';
import type { ServiceName } from './fleet.ts';
import { marginal, type NoopFigures, noopRatio } from './noop.ts';
import { median } from './rounds.ts';

/** The goals of the project (docs/benchmarks.md): ratios without a unit, the marginal cost in seconds. */
const GOALS = { noopRatio: 1.5, marginal: 0.05, roundTrips: 3, deployRatio: 1.25 } as const;

/** All that was measured. */
export type Figures = { readonly noops: readonly [NoopFigures, NoopFigures]; readonly deploys: readonly DeployRound[] };

/** The figures in numbers, with what follows from them, for `--json`. */
export function asJson(figures: Figures): object {
  const [few, many] = figures.noops;
  return {
    machine: machine(),
    goals: GOALS,
    noops: figures.noops.map((noop) => ({ ...noop, ratio: noopRatio(noop) })),
    marginalSeconds: { command: marginal(few, many, 'command'), floor: marginal(few, many, 'floor'), empty: marginal(few, many, 'empty') },
    deploys: figures.deploys,
    deployRatio: {
      againstSlowestAlone: deployRatio(figures.deploys, 'alone'),
      againstSlowestByHand: deployRatio(figures.deploys, 'byHand'),
    },
  };
}

/** The figures for a reader. */
export function asText({ noops, deploys }: Figures): string {
  const [few, many] = noops;
  const own = marginal(few, many, 'command');
  return `
${machine()}

No-op over SSH: the whole command, medians of ${few.rounds.length} runs in turn (load ${few.load.join(' to ')}, then ${many.load.join(' to ')})
${table(
  [
    'containers',
    'command',
    'script by hand',
    'empty nx batch',
    'ratio',
    `goal ${GOALS.noopRatio}`,
    'round trips',
    `goal ${GOALS.roundTrips}`,
  ],
  noops.map((noop) => [
    String(noop.containers),
    ...(['command', 'floor', 'empty'] as const).map((what) => seconds(median(noop.rounds.map((round) => round[what])))),
    noopRatio(noop).toFixed(2),
    met(noopRatio(noop) <= GOALS.noopRatio),
    String(noop.roundTrips),
    met(noop.roundTrips <= GOALS.roundTrips),
  ]),
)}
One more container: ${ms(own)} (goal ${ms(GOALS.marginal)}: ${met(own <= GOALS.marginal)}); of the script by hand ${ms(marginal(few, many, 'floor'))}, of the empty batch ${ms(marginal(few, many, 'empty'))}

First deploy over SSH, new containers, medians of ${deploys.length} (load ${deploys.map(({ load }) => load.join(' to ')).join(', then ')})
${table(
  ['', 'all at once', ...servicesOf(deploys)],
  [
    [
      'our command',
      seconds(median(deploys.map(({ all }) => all.seconds))),
      ...servicesOf(deploys).map((service) => cell(deploys, 'alone', service)),
    ],
    [
      'its round trips',
      String(median(deploys.map(({ all }) => all.roundTrips))),
      ...servicesOf(deploys).map((service) => roundTrips(deploys, service)),
    ],
    ['installed by hand', '', ...servicesOf(deploys).map((service) => cell(deploys, 'byHand', service))],
  ],
)}
${ratioLine(deploys, 'alone', 'the slowest service alone, by our command')}
${ratioLine(deploys, 'byHand', 'the slowest service alone, installed by hand and not configured')}
`;
}

function ratioLine(deploys: readonly DeployRound[], against: 'alone' | 'byHand', words: string): string {
  const ratio = deployRatio(deploys, against);
  return `All at once against ${words}: ${ratio.toFixed(2)} (goal ${GOALS.deployRatio}: ${met(ratio <= GOALS.deployRatio)})`;
}

function servicesOf(deploys: readonly DeployRound[]): ServiceName[] {
  return Object.keys(deploys[0]?.alone ?? {}) as ServiceName[];
}

function cell(deploys: readonly DeployRound[], against: 'alone' | 'byHand', service: ServiceName): string {
  const all = deploys.flatMap((round) => secondsOf(round, against).filter((one) => one.service === service));
  return all.length === 0 ? '-' : seconds(median(all.map((one) => one.seconds)));
}

function roundTrips(deploys: readonly DeployRound[], service: ServiceName): string {
  return String(median(deploys.flatMap(({ alone }) => alone[service]?.roundTrips ?? [])));
}

function machine(): string {
  return `${cpus().length} cores, ${cpus()[0]?.model ?? 'of an unknown kind'}, Node ${process.versions.node}`;
}

function met(is: boolean): string {
  return is ? 'met' : 'MISSED';
}

function seconds(value: number): string {
  return `${value.toFixed(2)} s`;
}

function ms(value: number): string {
  return `${Math.round(value * 1000)} ms`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((text, i) => text.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
