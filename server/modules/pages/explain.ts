// What the pages of explanations show, from what the API says: the same SQL (invariant 5).

import { iso } from "../../../analytics-sql/queries/window.ts";
import { FIGURES } from "../../../domain/figures.ts";
import { badInput } from "../../../ingest/problem.ts";
import type { Machine } from "../../../ingest/store/store.ts";
import { time_us } from "../../../ingest/time.ts";
import type { ExplainProps, ExplainStateProps, Shell } from "../../../views/model.ts";
import { notFound } from "../../plugins/errors.ts";
import { OEE_CUTS, type Reports } from "../analytics/service.ts";
import { askedOf } from "../explain/index.ts";
import type { Explanations } from "../explain/service.ts";

type Query = Record<string, string | undefined>;

/** A page holds so many intervals and counts; the files that it links hold all. */
const SHOWN_ROWS = 100;

/** @throws BadInput, as the API */
function askedBy(query: Query): ReturnType<typeof askedOf> {
  const figure = FIGURES.find((one) => one === (query.figure ?? "oee"));
  if (!figure) throw badInput("/figure", "unknown_figure");
  const by = OEE_CUTS.find((one) => one === (query.by ?? "total"));
  if (!by) throw badInput("/by", "unknown_cut");
  const { from, to, key, shift, part, lot, order } = query;
  return askedOf({ figure, by, from, to, key, shift, part, lot, order });
}

/** @param some which of the plant's machines */
function links(
  path: string,
  { figure, by, key, from_us, to_us, filter }: ReturnType<typeof askedOf>,
  some: { machine?: string | undefined; group?: string | undefined } = {},
) {
  const params = new URLSearchParams({ figure, from: iso(from_us), to: iso(to_us), by, key });
  for (const [name, value] of Object.entries({ ...filter, ...some }))
    if (value !== undefined) params.set(name, value);
  return { json: `${path}?${params}`, csv: `${path}?${params}&limit=100000&format=csv` };
}

const windowOf = ({ from_us, to_us, filter }: ReturnType<typeof askedOf>) => {
  const { shift, part, lot, order } = filter;
  return { window: { from: iso(from_us), to: iso(to_us) }, only: { shift, part, lot, order } };
};

export async function explainMachine(
  explanations: Explanations,
  machine: Machine,
  query: Query,
  shell: Shell,
): Promise<ExplainProps> {
  const asked = askedBy(query);
  const page = { after_us: 0, limit: SHOWN_ROWS };
  const found = await explanations.machine(machine, asked, page, "recent");
  const { intervals, counts, truncated, gaps, calendars, links: more, ...explained } = found;
  return {
    shell,
    ...windowOf(asked),
    of: { machines: [], group: undefined },
    machine: { machine_id: machine.id, name: machine.name, group: machine.group },
    explained: { ...explained, machines: [] },
    machines: [],
    listed: { intervals, counts, truncated },
    gaps,
    calendars,
    links: {
      ...links(`/api/v1/machines/${encodeURIComponent(machine.id)}/explain`, asked),
      observations: more.observations,
    },
  };
}

export async function explainPlant(
  explanations: Explanations,
  machines: Machine[],
  query: Query,
  shell: Shell,
): Promise<ExplainProps> {
  const asked = askedBy(query);
  if (machines.length === 0) throw notFound("any_machine");
  const { machines: parts, ...explained } = await explanations.plant(machines, asked, "recent");
  const { machine, group } = query;
  const { json, csv } = links("/api/v1/explain", asked, { machine, group });
  return {
    shell,
    ...windowOf(asked),
    of: { machines: machine?.split(",") ?? [], group },
    machine: null,
    explained: { ...explained, machines: [] },
    machines: parts,
    listed: { intervals: [], counts: [], truncated: false },
    gaps: [],
    calendars: [],
    links: { json, csv: csv.replace("&limit=100000", ""), observations: [] },
  };
}

export async function explainState(
  explanations: Explanations,
  reports: Reports,
  machine: Machine,
  query: Query,
  shell: Shell,
): Promise<ExplainStateProps> {
  const at_us = time_us(query.at ?? "", "/at");
  const to_us = query.to === undefined ? at_us + 1_000_000 : time_us(query.to, "/to");
  if (to_us <= at_us) throw badInput("/to", "not_after", { than: "at" });
  const state = await explanations.state(machine, at_us, "recent");
  if (!state) throw notFound("state", iso(at_us));
  const signals = [...new Set(["execution", ...state.values.map(({ signal }) => signal), "part_count"])];
  const signal = query.signal ?? "execution";
  const raw = { from_us: at_us, to_us, signal, limit: SHOWN_ROWS };
  const { rows, next_cursor } = await reports.observations(machine, raw);
  const base = `/api/v1/machines/${encodeURIComponent(machine.id)}`;
  const span = new URLSearchParams({ signal, from: query.at ?? "", to: iso(to_us) });
  return {
    shell,
    machine: { machine_id: machine.id, name: machine.name, group: machine.group },
    state,
    to: iso(to_us),
    signal,
    signals: signals.includes(signal) ? signals : [...signals, signal],
    observations: rows,
    truncated: next_cursor !== null,
    links: {
      json: `${base}/explain/state?${new URLSearchParams({ at: query.at ?? "" })}`,
      observations: `${base}/observations?${span}`,
    },
  };
}
