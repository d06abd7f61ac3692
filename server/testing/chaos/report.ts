// For tests: what a chaos run tried and what came of it, as lines for whoever started it.
import { quantile } from "../quantile.ts";
import type { Outcome } from "./run.ts";

/** So many of what is wrong are printed. */
const SHOWN = 20;

/** Nothing lost, doubled or different, everything recovered and answered. */
export const isSound = ({ verdict, failed, health }: Outcome): boolean =>
  [verdict.lost, verdict.doubled, verdict.different, failed, health.unwell].every(
    ({ length }) => length === 0,
  );

/** The table of a run, and its ledger. */
export function report(outcome: Outcome): string[] {
  const { tally, verdict, silent, health, failed, skipped } = outcome;
  const wrong = { ...verdict, "not recovered": failed, "not well": health.unwell };
  return [
    ...table(outcome),
    ...skipped.map((words) => `not tried: ${words}`),
    `deliveries: ${Object.entries(tally)
      .map(([what, times]) => `${what} ${times}`)
      .join(", ")}`,
    `seconds without an acknowledgement: ${silent.silent_s} of ${silent.seconds}, the longest ${Math.round(silent.longest_ms)} ms`,
    `/healthz: ${health.asked} answers, ${health.unwell.length} wrong`,
    `acknowledged: ${outcome.batches} batches, ${outcome.observations} observations; told by sources: ${outcome.told_by_sources}`,
    `lost ${verdict.lost.length}, doubled ${verdict.doubled.length}, figures different ${verdict.different.length}, not recovered ${failed.length}`,
    ...Object.entries(wrong).flatMap(([what, all]) =>
      all.slice(0, SHOWN).map((words) => `${what}: ${words}`),
    ),
  ];
}

function table({ recoveries }: Outcome): string[] {
  const kinds = Map.groupBy(recoveries, ({ fault }) => fault);
  const width = Math.max(...[...kinds.keys(), "fault"].map(({ length }) => length));
  const line = (what: string, ...cells: string[]): string =>
    `${what.padEnd(width)}  ${cells.map((cell) => cell.padStart(9)).join("  ")}`;
  return [
    line("fault", "tried", "median ms", "max ms"),
    ...[...kinds].toSorted().map(([fault, own]) => {
      const times_ms = own.map(({ ms }) => ms);
      return line(fault, ...[own.length, quantile(times_ms, 0.5), quantile(times_ms, 1)].map(String));
    }),
  ];
}
