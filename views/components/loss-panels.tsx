// Where the time went: the waterfall from calendar time down, and Pareto's list of what it was lost to.
/** @jsxImportSource preact */
import type { DashboardProps } from "../model.ts";
import { text } from "../text.ts";
import { Pareto } from "./pareto.tsx";
import { Waterfall } from "./waterfall.tsx";

export function LossPanels(props: Pick<DashboardProps, "asked" | "total" | "losses" | "reasons">) {
  const { total } = props;
  return (
    <div class="pair losses-pair">
      <section class="panel">
        <h2>{text.explain.waterfall}</h2>
        {total ? <Waterfall row={total} /> : <p class="hint">{text.oee.noFigures}</p>}
      </section>
      <Pareto {...props} />
    </div>
  );
}
