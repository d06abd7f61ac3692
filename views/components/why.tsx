// A figure as a link to its explanation.
/** @jsxImportSource preact */
import type { ComponentChildren } from "preact";
import type { ExplainedFigure, Only } from "../model.ts";
import { text } from "../text.ts";

/** Which figure of which row: of a machine, or without one of the plant, or of some of its machines. */
export type Whose = {
  machine_id?: string;
  machines?: readonly string[];
  group?: string | undefined;
  from: string;
  to: string;
  only?: Partial<Only>;
  by?: string;
  key?: string;
};

/** The page that explains a figure. */
export function explainPath(figure: ExplainedFigure, whose: Whose): string {
  const { machine_id, machines = [], group, from, to, only = {}, by, key } = whose;
  const params = new URLSearchParams({ figure, from, to });
  if (by !== undefined && key !== undefined) {
    params.set("by", by);
    params.set("key", key);
  }
  for (const [name, value] of Object.entries(only)) if (value !== undefined) params.set(name, value);
  if (machine_id !== undefined) return `/dashboard/${encodeURIComponent(machine_id)}/explain?${params}`;
  if (group !== undefined) params.set("group", group);
  if (machines.length > 0) params.set("machine", machines.join(","));
  return `/dashboard/explain?${params}`;
}

/** The page that explains a machine's state from an instant on. */
export const statePath = (machine_id: string, at: string, to: string, signal?: string): string =>
  `/dashboard/${encodeURIComponent(machine_id)}/explain/state?${new URLSearchParams({ at, to, ...(signal ? { signal } : {}) })}`;

/** Without `whose` (on the live screens) the figure stands as it is. */
export function Why({
  figure,
  whose,
  children,
}: {
  figure: ExplainedFigure;
  whose: Whose | undefined;
  children: ComponentChildren;
}) {
  if (!whose) return <>{children}</>;
  return (
    <a class="why" href={explainPath(figure, whose)} title={text.explain.why}>
      {children}
    </a>
  );
}
