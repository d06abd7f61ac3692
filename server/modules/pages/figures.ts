// What the live screens show of the shifts, gathered from the reports: the same SQL as the API's (invariant 5).
import { SetAside } from "../../../analytics-sql/rollup/set-aside.ts";
import { calendarAt, calendarsOf } from "../../../ingest/calendar.ts";
import type { LiveHub } from "../../../ingest/live/hub.ts";
import type { Machine } from "../../../ingest/store/store.ts";
import { idealCycle, partOf, partsTarget } from "../../../views/index.ts";
import type { ShiftFigures } from "../../../views/model.ts";
import { type ShiftSpan, shiftAt } from "../../plant-time.ts";
import type { Reports } from "../analytics/service.ts";
import type { CycleTimes, Policy as PolicyInput } from "../machines/model.ts";
import type { Machines } from "../machines/service.ts";

/** Shift figures are computed at most this often, however many screens ask (each asks every 10 s). */
const FRESH_MS = 9_000;

const calendarNow = ({ calendar }: Machine) => calendarAt(calendarsOf(calendar), Date.now());

export class Figures {
  readonly #machines: Machines;
  readonly #reports: Reports;
  readonly #hub: LiveHub;
  readonly #recent = new Map<string, { until_ms: number; figures: Promise<ShiftFigures> }>();

  constructor(machines: Machines, reports: Reports, hub: LiveHub) {
    this.#machines = machines;
    this.#reports = reports;
    this.#hub = hub;
  }

  /** The plant's zone: that of its first calendar; this machine's own where there is none. */
  timezone(tenant_id: string | undefined): string {
    const own = tenant_id === undefined ? [] : this.#machines.list(tenant_id);
    return own.map(calendarNow).find((calendar) => calendar !== null)?.timezone ?? Temporal.Now.timeZoneId();
  }

  /**
   * The shift so far of each machine: machines with the same shift are asked for together. Those that are set aside have
   * none, and their screens go on without.
   */
  async shifts(asked: Machine[], now_ms: number): Promise<ShiftFigures[]> {
    const aside = new Set(this.#reports.setAside(asked).map(({ machine }) => machine));
    const machines = asked.filter(({ id }) => !aside.has(id));
    const stale = machines.filter(({ id }) => (this.#recent.get(id)?.until_ms ?? 0) <= now_ms);
    const spans = Map.groupBy(stale, (machine) => JSON.stringify(this.#span(machine, now_ms)));
    for (const [span, together] of spans) this.#compute(together, JSON.parse(span) as ShiftSpan, now_ms);
    const figures = await Promise.all(
      machines.map(({ id }) =>
        this.#recent.get(id)?.figures.catch((error: unknown) => {
          if (error instanceof SetAside) return undefined;
          throw error;
        }),
      ),
    );
    return figures.filter((one) => one !== undefined);
  }

  async shift(machine: Machine, now_ms: number): Promise<ShiftFigures | null> {
    return (await this.shifts([machine], now_ms))[0] ?? null;
  }

  #span(machine: Machine, now_ms: number): ShiftSpan {
    return shiftAt(calendarsOf(machine.calendar), this.timezone(machine.tenant_id), now_ms);
  }

  /** Remembers the promise of each machine's figures; one that fails is asked for again. */
  #compute(machines: Machine[], { name, from_ms, to_ms }: ShiftSpan, now_ms: number): void {
    const tenant_id = machines[0]?.tenant_id ?? "";
    const ids = machines.map(({ id }) => id);
    const span = { from_us: from_ms * 1_000, to_us: to_ms * 1_000 };
    const asked = Promise.all([
      this.#reports.oee(machines, span, "machine", "recent"),
      this.#reports.statesOf(machines, span, "recent"),
      this.#reports.gapsOf(tenant_id, ids, span),
    ]);
    const shift = { name, from: new Date(from_ms).toISOString(), to: new Date(to_ms).toISOString() };
    for (const machine of machines) {
      const { id } = machine;
      const figures = asked.then(([oee, states, gaps]) => {
        const row = oee.rows.find(({ machine_id }) => machine_id === id) ?? null;
        return {
          machine_id: id,
          shift,
          oee: row,
          target: partsTarget(row, this.#goal(machine, now_ms)),
          states: states.get(id) ?? [],
          gaps: gaps.get(id) ?? [],
        };
      });
      const recent = { until_ms: now_ms + FRESH_MS, figures };
      this.#recent.set(id, recent);
      figures.catch(() => {
        if (this.#recent.get(id) === recent) this.#recent.delete(id);
      });
    }
  }

  /** What the machine should reach: the OEE that is aimed at, and the ideal cycle of what it makes now. */
  #goal({ id, policy, cycle_times }: Machine, now_ms: number) {
    const [live] = this.#hub.snapshot([id]).machines;
    const ideal_cycle_s = idealCycle(cycle_times as CycleTimes, live ? partOf(live) : "", now_ms);
    return { target_oee: (policy as PolicyInput).target_oee ?? null, ideal_cycle_s };
  }
}
