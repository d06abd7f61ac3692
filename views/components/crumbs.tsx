// The way down to a page, from the plant to the group, the machine, the shift, the interval.
/** @jsxImportSource preact */
import type { Asked, MachineName, Only } from "../model.ts";
import { text } from "../text.ts";
import { reportPath } from "./asked.ts";
import { named } from "./period.tsx";

export type Crumb = { href: string; name: string };

/** @param trail from the top; the page itself is not part of it */
export function Crumbs({ trail }: { trail: readonly Crumb[] }) {
  if (trail.length === 0) return null;
  return (
    <nav class="crumbs" aria-label={text.report.crumbs}>
      <ol>
        {trail.map(({ href, name }) => (
          <li key={href}>
            <a href={href}>{name}</a>
          </li>
        ))}
      </ol>
    </nav>
  );
}

/**
 * Down to a figure or a state of a window: the reports above it, of the same window.
 * @param narrowed what the figure is narrowed to
 */
export function trailDown(
  { from, to }: { from: string; to: string },
  machine: (MachineName & { group: string }) | null,
  narrowed: { only?: Only; machines?: readonly string[]; group?: string | undefined } = {},
): Crumb[] {
  const path = machine ? `/dashboard/${encodeURIComponent(machine.machine_id)}` : "/dashboard";
  const { only = NO_FILTER, machines = [], group } = narrowed;
  const period = {
    kind: "custom",
    from,
    to,
    by: "hour",
    shift: "",
    previous: { from, to },
    problem: null,
  } as const;
  const asked: Asked = { path, period, only, machines, group, pareto: "time", sort: "" };
  const above = trailOf({ ...asked, only: { ...only, shift: undefined } }, machine);
  const here = machine?.name ?? (group === undefined ? text.report.plant : named(group));
  return [...above, { href: reportPath(asked), name: only.shift ? `${here}, ${only.shift}` : here }];
}

const NO_FILTER: Only = { shift: undefined, part: undefined, lot: undefined, order: undefined };

/** Above a report: the plant, the machine's group, and of a shift alone the machine. */
export function trailOf(asked: Asked, machine: (MachineName & { group: string }) | null): Crumb[] {
  const plant = { ...asked, path: "/dashboard", sort: "" };
  const top = { href: reportPath(plant, { group: undefined }), name: text.report.plant };
  if (!machine) return asked.group === undefined ? [] : [top];
  const { group, name } = machine;
  const trail = group === "" ? [top] : [top, { href: reportPath(plant, { group }), name: group }];
  if (asked.only.shift === undefined) return trail;
  return [...trail, { href: reportPath(asked, { only: { shift: undefined }, by: "shift" }), name }];
}
