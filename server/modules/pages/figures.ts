// What the screens show, gathered from the reports: the same SQL as the API's (invariant 5).
import type { CalendarInput } from "../../../ingest/calendar.ts";
import type { Machine } from "../../../ingest/store/store.ts";
import type {
  DashboardMachineProps,
  DashboardProps,
  Policy,
  Shell,
  ShiftFigures,
} from "../../../views/model.ts";
import { type PeriodQuery, periodOf, type ShiftSpan, shiftAt } from "../../plant-time.ts";
import type { Reports } from "../analytics/service.ts";
import type { Machines } from "../machines/service.ts";

/** The wall's figures are computed at most this often, however many screens ask. */
const FRESH_MS = 3_000;

const calendarOf = (machine: Machine): CalendarInput | null => machine.calendar as CalendarInput | null;

export class Figures {
  readonly #machines: Machines;
  readonly #reports: Reports;
  readonly #recent = new Map<string, { until_ms: number; figures: Promise<ShiftFigures> }>();

  constructor(machines: Machines, reports: Reports) {
    this.#machines = machines;
    this.#reports = reports;
  }

  /** The plant's zone: that of its first calendar; this machine's own where there is none. */
  timezone(tenant_id: string | undefined): string {
    const own = tenant_id === undefined ? [] : this.#machines.list(tenant_id);
    return own.map(calendarOf).find((calendar) => calendar !== null)?.timezone ?? Temporal.Now.timeZoneId();
  }

  shifts(machines: Machine[], now_ms: number): Promise<ShiftFigures[]> {
    return Promise.all(machines.map((machine) => this.shift(machine, now_ms)));
  }

  /** The shift so far of one machine. */
  shift(machine: Machine, now_ms: number): Promise<ShiftFigures> {
    const known = this.#recent.get(machine.id);
    if (known && known.until_ms > now_ms) return known.figures;
    const span = shiftAt(calendarOf(machine), this.timezone(machine.tenant_id), now_ms);
    const figures = this.#compute(machine, span);
    this.#recent.set(machine.id, { until_ms: now_ms + FRESH_MS, figures });
    figures.catch(() => this.#recent.delete(machine.id));
    return figures;
  }

  async #compute(machine: Machine, { name, from_ms, to_ms }: ShiftSpan): Promise<ShiftFigures> {
    const [from_us, to_us] = [from_ms * 1_000, to_ms * 1_000];
    const span = { from_us, to_us };
    const [{ rows }, states, gaps] = await Promise.all([
      this.#reports.oee(machine.tenant_id, [machine.id], span, "total"),
      this.#reports.states(machine, span),
      this.#reports.gaps(machine, span),
    ]);
    const shift = { name, from: new Date(from_ms).toISOString(), to: new Date(to_ms).toISOString() };
    return { machine_id: machine.id, shift, oee: rows[0] ?? null, states, gaps };
  }

  /** The plant's dashboard. */
  async plant(
    tenant_id: string,
    query: PeriodQuery,
    shell: Shell,
  ): Promise<Omit<DashboardProps, "shell" | "sort">> {
    const own = this.#machines.list(tenant_id);
    const period = periodOf(query, shell.timezone, shell.now_ms);
    const span = { from_us: Date.parse(period.from) * 1_000, to_us: Date.parse(period.to) * 1_000 };
    const ids = own.map(({ id }) => id);
    if (own.length === 0) return { period, total: null, machines: [], trend: [], policy: null };
    const [total, rows, trend] = await Promise.all([
      this.#reports.oee(tenant_id, ids, span, "total"),
      this.#reports.oee(tenant_id, ids, span, "machine"),
      this.#reports.oee(tenant_id, ids, span, period.by),
    ]);
    const names = new Map(own.map(({ id, name }) => [id, name]));
    const machines = rows.rows.map((row) => {
      const machine_id = row.machine_id ?? row.key;
      return { ...row, machine_id, name: names.get(machine_id) ?? machine_id };
    });
    return { period, total: total.rows[0] ?? null, machines, trend: trend.rows, policy: total.policy };
  }

  /** One machine's dashboard. */
  async machine(
    machine: Machine,
    query: PeriodQuery,
    shell: Shell,
  ): Promise<Omit<DashboardMachineProps, "shell">> {
    const period = periodOf(query, shell.timezone, shell.now_ms);
    const span = { from_us: Date.parse(period.from) * 1_000, to_us: Date.parse(period.to) * 1_000 };
    const [total, trend, states, gaps] = await Promise.all([
      this.#reports.oee(machine.tenant_id, [machine.id], span, "total"),
      this.#reports.oee(machine.tenant_id, [machine.id], span, period.by),
      this.#reports.states(machine, span),
      this.#reports.gaps(machine, span),
    ]);
    return {
      machine: { machine_id: machine.id, name: machine.name },
      period,
      total: total.rows[0] ?? null,
      trend: trend.rows,
      states,
      gaps,
      policy: machine.policy as Policy,
    };
  }
}
