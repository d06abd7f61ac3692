// Medians of what was measured several times.
import { quantile } from "../../server/testing/quantile.ts";
import { round } from "./report.ts";

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** The median as a line's value, with the rounds it is the median of. */
export const spread = (values: readonly number[]) => ({
  value: round(median(values)),
  min: round(Math.min(...values)),
  max: round(Math.max(...values)),
  rounds: values.length,
});

/** Slope of the least-squares line through (x, y). */
export function slope(points: readonly { x: number; y: number }[]): number {
  const n = points.length;
  const x_mean = points.reduce((sum, { x }) => sum + x, 0) / n;
  const y_mean = points.reduce((sum, { y }) => sum + y, 0) / n;
  const over = points.reduce((sum, { x, y }) => sum + (x - x_mean) * (y - y_mean), 0);
  const under = points.reduce((sum, { x }) => sum + (x - x_mean) ** 2, 0);
  return under === 0 ? 0 : over / under;
}
