// docs/oee-definitions.md: every figure with its formula, unit and source, and what the formulas' terms are.
import { FORMULAS, isIdeal, ROW_FIGURES, SUM_NAMES, SUMS, unitOf } from "../domain/figures.ts";

const UNITS = { ratio: "0…1", s: "s", parts: "parts", failures: "failures", stops: "stops" };

/** As the formatter writes it. */
function table(head: string[], rows: string[][]): string {
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((cells) => cells[i]?.length ?? 0)));
  const line = (cells: string[], fill = " "): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0, fill)).join(" | ")} |`;
  return [
    line(head),
    line(
      head.map(() => ""),
      "-",
    ),
    ...rows.map((cells) => line(cells)),
  ].join("\n");
}

export const definitions = (): string => `# Figures and their formulas

<!-- Written by \`bun run generate\` from domain/figures.ts. -->

What the API, CSV and analysts' views have of each row, in this order. What the words mean, and how a ratio without a denominator
reads, is in [SPEC.md](../SPEC.md#10-figures). Sums come first: a figure over several machines or days is its formula over their sums.

${table(
  ["figure", "name", "formula", "unit", "source"],
  ROW_FIGURES.map((figure) => {
    const { name, text, unit, source, terms } = FORMULAS[figure];
    const known = terms.some(isIdeal) ? `${text} ¹` : text;
    return [`\`${figure}\``, name, known, UNITS[unit], source];
  }),
)}

¹ Null where a part or reject without an ideal cycle was counted, or none is listed at all.

## Terms

${table(
  ["term", "is", "unit"],
  SUM_NAMES.map((sum) => [SUMS[sum].name, SUMS[sum].from, unitOf(sum)]),
)}
`;
