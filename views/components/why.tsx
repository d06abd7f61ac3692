// A figure as a link to its explanation.
/** @jsxImportSource preact */
import type { ComponentChildren } from "preact";
import type { ExplainedFigure } from "../model.ts";
import { text } from "../text.ts";

/** Which figure of which row: of a machine, or of the plant without one. */
export type Whose = { machine_id?: string; from: string; to: string; by?: string; key?: string };

/** The page that explains a figure. */
export function explainPath(figure: ExplainedFigure, { machine_id, from, to, by, key }: Whose): string {
  const params = new URLSearchParams({ figure, from, to });
  if (by !== undefined && key !== undefined) {
    params.set("by", by);
    params.set("key", key);
  }
  const room = machine_id === undefined ? "" : `/${encodeURIComponent(machine_id)}`;
  return `/dashboard${room}/explain?${params}`;
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
