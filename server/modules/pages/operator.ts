// What an operator may say of a machine: why it stands, what it makes, what was no good.
import { iso } from "../../../analytics-sql/queries/window.ts";
import type { LiveHub } from "../../../ingest/live/hub.ts";
import type { Machine } from "../../../ingest/store/store.ts";
import type { Entered, HmiEntryProps, ShiftFigures } from "../../../views/model.ts";
import type { Reports, Span } from "../analytics/service.ts";
import type { Annotations } from "../downtime/service.ts";
import type { CycleTimes } from "../machines/model.ts";
import type { Machines } from "../machines/service.ts";
import type { Reasons } from "../reasons/service.ts";
import { likelyReasons, type Said } from "./likely-reasons.ts";
import { stopsOf } from "./stops.ts";

const DAY_US = 86_400_000_000;
const HABIT_US = 30 * DAY_US;
/** Habits change slowly; where there are none yet, the first reason makes one. */
const HABITS_FRESH_MS = { known: 10 * 60_000, none: 10_000 };
const RECENT_LOTS = 8;

type Deps = {
  machines: Machines;
  reports: Reports;
  annotations: Annotations;
  reasons: Reasons;
  hub: LiveHub;
};
type Remembered = { until_ms: number; said: Said[] };

export class Operator {
  readonly #deps: Deps;
  /** What reasons were given of late, by machine, and by tenant for all of them. */
  readonly #habits = new Map<string, Remembered>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async entry(
    machine: Machine,
    figures: ShiftFigures | null,
    now_ms: number,
  ): Promise<Omit<HmiEntryProps, "shell" | "machine_id">> {
    const { reports, reasons, machines, hub } = this.#deps;
    const now_us = now_ms * 1_000;
    const shift = {
      from_us: Date.parse(figures?.shift.from ?? "") * 1_000 || now_us - DAY_US,
      to_us: now_us,
    };
    const [tree, said, lots, entered] = await Promise.all([
      reasons.list(machine.tenant_id),
      this.#deps.annotations.list(machine, shift),
      reports.lots(machine, { from_us: now_us - HABIT_US, to_us: now_us }),
      this.#entered(machine, shift),
    ]);
    const [live = { state: "UNKNOWN", since_us: 0 } as const] = hub.snapshot([machine.id]).machines;
    const stops = stopsOf(figures?.states ?? [], said, live, now_ms);
    const state = stops[0]?.state ?? "STOPPED";
    const own = this.#habit(machine.id, [machine], now_us);
    const plant = this.#habit(`/${machine.tenant_id}`, machines.list(machine.tenant_id), now_us);
    const newest = lots.toReversed();
    const now = newest.find(({ to }) => to === null || to > iso(now_us));
    const parts = (machine.cycle_times as CycleTimes).map(({ part = "" }) => part);
    const named = new Map(tree.map(({ code, name }) => [code, name]));
    return {
      stops,
      reasons: likelyReasons(tree, state, own, plant),
      counts_by_hand: !machines.countsParts(machine),
      lot: now ? { lot: now.lot, part: now.part, order: now.order, from: now.from } : null,
      lots: [...new Map(newest.map(({ lot, part }) => [lot, { lot, part }])).values()].slice(0, RECENT_LOTS),
      parts: [...new Set([...parts, ...newest.map(({ part }) => part)])].filter((part) => part !== ""),
      entered: entered.map((one) =>
        one.kind === "reason" ? { ...one, what: named.get(one.what) ?? one.what } : one,
      ),
    };
  }

  /** Of this shift, newest first. What was taken back already adds up to nothing, and is left out. */
  async #entered(machine: Machine, shift: Span): Promise<Entered[]> {
    const { reports, annotations } = this.#deps;
    const [rejects, said, counts, lots] = await Promise.all([
      reports.rejects(machine, shift),
      annotations.list(machine, shift),
      reports.observations(machine, { ...shift, signal: "part_event", limit: 1_000 }),
      reports.lots(machine, shift),
    ]);
    const rejected = sums(rejects.map(({ ts, count, reason }) => ({ ts, what: reason, count })));
    const counted = this.#deps.machines.countsParts(machine)
      ? []
      : latest(counts.rows.map(({ ts, value }) => ({ ts, what: "", count: Number(value) })));
    const entered: Entered[] = [
      ...said.map(({ id, from, reason }): Entered => ({ kind: "reason", id, ts: from, what: reason })),
      ...rejected.map((one): Entered => ({ kind: "reject", id: one.ts, ...one })),
      ...counted.map((one): Entered => ({ kind: "count", id: one.ts, ...one })),
      ...lots
        .filter(({ from }) => Date.parse(from) * 1_000 >= shift.from_us)
        .map(
          ({ lot, from, event_id }): Entered => ({
            kind: "lot",
            id: event_id,
            ts: from,
            what: lot,
            count: 0,
          }),
        ),
    ];
    return entered.sort((a, b) => (a.ts < b.ts ? 1 : -1));
  }

  /** What is remembered, at once; what is old is asked for anew behind the page's back. */
  #habit(key: string, machines: Machine[], now_us: number): Said[] {
    const known = this.#habits.get(key);
    const now_ms = now_us / 1_000;
    if (!known || known.until_ms < now_ms) {
      this.#habits.set(key, { until_ms: now_ms + HABITS_FRESH_MS.known, said: known?.said ?? [] });
      this.#deps.reports
        .losses(machines, { from_us: now_us - HABIT_US, to_us: now_us }, "count", "recent")
        .then(({ rows }) => {
          const said = rows.filter(({ reason }) => reason !== "");
          const fresh_ms = said.length > 0 ? HABITS_FRESH_MS.known : HABITS_FRESH_MS.none;
          this.#habits.set(key, { until_ms: now_ms + fresh_ms, said });
        })
        .catch(() => this.#habits.delete(key));
    }
    return known?.said ?? [];
  }
}

type Line = { ts: string; what: string; count: number };

/** A negative one takes back another of its time. */
function sums(lines: Line[]): Line[] {
  const by_time = new Map<string, Line>();
  for (const line of lines) {
    const key = `${line.ts} ${line.what}`;
    by_time.set(key, { ...line, count: line.count + (by_time.get(key)?.count ?? 0) });
  }
  return [...by_time.values()].filter(({ count }) => count !== 0);
}

/** The last word on each time holds. */
const latest = (lines: Line[]): Line[] =>
  [...new Map(lines.map((line) => [line.ts, line])).values()].filter(({ count }) => count > 0);
