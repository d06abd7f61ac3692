// Which reason it probably is: what was said most often on this machine in this state, then on it, then in the plant.
import type { LossRow } from "../../../analytics-sql/queries/losses.ts";
import type { State } from "../../../domain/state-rules.ts";
import type { ReasonsInput } from "../../../ingest/reasons.ts";
import type { ReasonChoice } from "../../../views/model.ts";

export type Said = Pick<LossRow, "state" | "reason" | "count">;

/**
 * @param tree the tenant's reasons: those with others below them are headings
 * @param own what was said of this machine, `plant` of all
 * @returns every reason once, the likeliest first; those never said in the tree's order
 */
export function likelyReasons(
  tree: ReasonsInput,
  state: State,
  own: readonly Said[],
  plant: readonly Said[],
): ReasonChoice[] {
  const names = new Map(tree.map(({ code, name }) => [code, name]));
  const headings = new Set(tree.map(({ parent }) => parent));
  const often = (said: readonly Said[], code: string): number =>
    said.reduce((sum, { reason, count }) => (reason === code ? sum + count : sum), 0);
  const in_state = own.filter((said) => said.state === state);
  return tree
    .filter(({ code }) => !headings.has(code))
    .map(({ code, name, parent }) => ({
      choice: { code, name, group: names.get(parent ?? "") ?? "" },
      weight: [in_state, own, plant].map((said) => often(said, code)),
    }))
    .sort((a, b) => compare(b.weight, a.weight))
    .map(({ choice }) => choice);
}

/** By the first place in which they differ. */
const compare = (a: readonly number[], b: readonly number[]): number =>
  a.map((n, i) => n - (b[i] ?? 0)).find((difference) => difference !== 0) ?? 0;
