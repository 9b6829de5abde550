/** The types of a benchmark and its findings. */
import type { World } from "./world.ts";

export interface Scale {
  /** Interleaved rounds; the median of their ratios is reported. */
  readonly rounds: number;
  /** Duration of one measurement in milliseconds. */
  readonly ms: number;
  /** Use minimal sizes, because the run only checks that the benchmark works. */
  readonly smoke: boolean;
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  run(world: World, scale: Scale): Promise<Findings>;
}

export interface Findings {
  /** One or two sentences about the method. */
  readonly how: string;
  readonly aims: readonly Aim[];
  readonly tables: readonly Table[];
  readonly plots: readonly Plot[];
}

/** A target and the measured value. */
export interface Aim {
  readonly what: string;
  readonly aim: string;
  readonly measured: string;
  readonly met: boolean;
}

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export type Plot =
  | {
      readonly kind: "bars";
      readonly title: string;
      readonly unit: string;
      readonly bars: readonly { readonly label: string; readonly value: number }[];
    }
  | {
      readonly kind: "lines";
      readonly title: string;
      readonly xLabel: string;
      readonly yLabel: string;
      readonly lines: readonly {
        readonly label: string;
        readonly points: readonly (readonly [x: number, y: number])[];
      }[];
    };

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/**
 * Runs the measurements alternately, round by round, so that other load on the machine affects all of them equally. Every
 * second round runs in reverse order, so that no measurement always follows the same other one.
 */
export async function interleave<T>(rounds: number, measurements: readonly (() => Promise<T>)[]): Promise<T[][]> {
  const results: T[][] = measurements.map(() => []);
  for (let round = 0; round < rounds; round++) {
    const turn = [...measurements.entries()];
    for (const [index, measure] of round % 2 === 0 ? turn : turn.reverse()) {
      results[index]?.push(await measure());
    }
  }
  return results;
}

export const digits = (value: number, places: number) => (Number.isFinite(value) ? value.toFixed(places) : "–");
export const ms = (value: number) => `${digits(value, value < 10 ? 2 : 0)} ms`;
export const whole = (value: number) => Math.round(value).toLocaleString("en");
