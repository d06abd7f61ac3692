// What a bench says: one line for each figure, and the words it goes with.
import type { Sizes } from "./sizes.ts";

/** One line of output. `limit` is the budget, where there is one; `ok` says whether the value keeps it. */
export type Line = {
  name: string;
  value: number;
  unit: string;
  limit?: number;
  ratio?: number;
  ok?: boolean;
  /** How it was measured, and what else was seen on the way. */
  [detail: string]: number | string | boolean | undefined;
};

export type Context = {
  sizes: Sizes;
  /** Writes one figure to stdout. */
  report(line: Line): void;
  /** Tells on stderr what is being done. */
  progress(message: string): void;
};

export type Bench = { name: string; run(context: Context): Promise<void> };

/** A budget that wants at least so much. */
export const atLeast = (limit: number, value: number): { limit: number; ok: boolean } => ({
  limit,
  ok: value >= limit,
});

/** A budget that allows at most so much. */
export const atMost = (limit: number, value: number): { limit: number; ok: boolean } => ({
  limit,
  ok: value <= limit,
});

/** Whether a line of a budget on `ratio` keeps it. */
export const ratioAtLeast = (ratio_limit: number, ratio: number) => ({
  ratio: round(ratio),
  ratio_limit,
  ok: ratio >= ratio_limit,
});

/** Three significant digits at least: a figure is no more exact than that. */
export const round = (value: number): number =>
  Math.abs(value) >= 1_000 ? Math.round(value) : Number(value.toPrecision(4));
