// The reports: the analytics' SQL, asked for machines of one tenant.
import type { Engine } from "../../../analytics-sql/engine/engine.ts";
import type { Lake } from "../../../analytics-sql/lake/lake.ts";
import { type AssetDocument, type AssetRow, asset, assets } from "../../../analytics-sql/queries/assets.ts";
import { type LotRow, lots, type RejectRow, rejects } from "../../../analytics-sql/queries/entries.ts";
import { type Filters, filters } from "../../../analytics-sql/queries/filters.ts";
import { gaps } from "../../../analytics-sql/queries/gaps.ts";
import { history, type SignalHistory } from "../../../analytics-sql/queries/history.ts";
import { latest } from "../../../analytics-sql/queries/latest.ts";
import { type LossReport, losses } from "../../../analytics-sql/queries/losses.ts";
import {
  BadCursor,
  type ObservationsPage,
  observations,
} from "../../../analytics-sql/queries/observations.ts";
import { type OeeCut, type OeeReport, oee } from "../../../analytics-sql/queries/oee.ts";
import { type MachinePolicy, policies } from "../../../analytics-sql/queries/policies.ts";
import { type SpikeRow, spikes } from "../../../analytics-sql/queries/spikes.ts";
import { type StateRow, states } from "../../../analytics-sql/queries/states.ts";
import type { Filter, Window } from "../../../analytics-sql/queries/window.ts";
import { firstDays } from "../../../analytics-sql/rollup/roll.ts";
import type { Roller } from "../../../analytics-sql/rollup/roller.ts";
import type { Aside } from "../../../analytics-sql/rollup/set-aside.ts";
import { type GapCause, MIN_TS_US } from "../../../ingest/event.ts";
import type { LastKnown } from "../../../ingest/live/hub.ts";
import { badInput } from "../../../ingest/problem.ts";
import { isByHand } from "../../../ingest/signals.ts";
import type { Machine } from "../../../ingest/store/store.ts";
import { forAll } from "../../plugins/deadline.ts";
import { Remembered, untilRolled } from "./remembered.ts";

export { OEE_CUTS, type OeeCut } from "../../../analytics-sql/queries/oee.ts";

export type { Filter } from "../../../analytics-sql/queries/window.ts";

export type Span = { from_us: number; to_us: number };

export type States = Omit<StateRow, "machine_id">[];
/** `to` is null while a gap is open. */
export type Gaps = { from: string; to: string | null; cause: GapCause; detail: string }[];

/** Rows by machine, in the order they came in. */
function byMachine<Row extends { machine_id: string }>(rows: Row[]): Map<string, Omit<Row, "machine_id">[]> {
  const found = new Map<string, Omit<Row, "machine_id">[]>();
  for (const { machine_id, ...row } of rows) {
    const own = found.get(machine_id);
    if (own) own.push(row);
    else found.set(machine_id, [row]);
  }
  return found;
}

/** The groups of a window's machines, in their order: screens leave out those that are set aside. */
export function groupsIn({ machines }: Pick<Window, "machines">, asked: Machine[]): string[] {
  const groups = new Map(asked.map(({ id, group }) => [id, group]));
  return machines.map((id) => groups.get(id) ?? "");
}

/** The policies of a window's machines, in their order, out of those of all that were asked for. */
export async function policiesIn(
  { machines }: Pick<Window, "machines">,
  inForce: Promise<MachinePolicy[]>,
): Promise<MachinePolicy[]> {
  const own = new Map((await inForce).map((policy) => [policy.machine_id, policy]));
  return machines.flatMap((id) => own.get(id) ?? []);
}

/** How far back the live screens look for signals that have no lasting meaning. */
const RECENT_US = 2 * 86_400_000_000;

/** What is behind by no more is what a roll-up is behind in any case; steps of it are shared by what screens ask. */
const BEHIND_MS = 10_000;

/** So old may the policies be that a screen's reports share. */
const POLICIES_MS = 4_000;

/** Everything that has arrived counts; or, for screens, what had arrived some seconds ago, at once. */
export type Freshness = "exact" | "recent";

export class Reports {
  readonly #engine: Engine;
  readonly #roller: Roller;
  readonly #lake: Lake | undefined;
  readonly #arrived_ms: () => number;
  readonly #oees = new Remembered<OeeReport>();
  readonly #losses = new Remembered<LossReport>();
  readonly #policies = new Remembered<MachinePolicy[]>();

  /** @param arrived_ms until when what was acknowledged is in analytics, as far as it was seen */
  constructor(engine: Engine, roller: Roller, lake?: Lake, arrived_ms: () => number = Date.now) {
    this.#engine = engine;
    this.#roller = roller;
    this.#lake = lake;
    this.#arrived_ms = arrived_ms;
  }

  /** Until when the figures of all of a tenant's machines are rolled up; undefined where nobody asked for them yet. */
  rolledUntil_us(machines: Machine[]): number | undefined {
    const [first] = machines;
    if (!first) return undefined;
    const ids = machines.map(({ id }) => id);
    return this.#roller.until_us(first.tenant_id, ids) || undefined;
  }

  /** Machines of a tenant whose figures cannot be calculated, with the engine's words. */
  setAside(machines: Machine[]): Aside[] {
    const tenant = machines[0]?.tenant_id ?? "";
    return this.#roller.setAside({ tenant, machines: machines.map(({ id }) => id) });
  }

  /** Figures over machines of one tenant: sums first (invariant 5). Nothing is known of the time after now. */
  async oee(
    machines: Machine[],
    span: Span,
    by: OeeCut,
    freshness: Freshness = "exact",
    filter: Filter = {},
  ): Promise<OeeReport> {
    const inForce = this.policies(machines, freshness);
    const rolled = await this.#rolled(machines, span, freshness, inForce);
    const window = { ...rolled, filter, by, groups: groupsIn(rolled, machines) };
    const ask = () => oee(this.#engine, window, policiesIn(window, inForce()));
    return freshness === "recent" ? this.#oees.of(untilRolled(window), ask) : ask();
  }

  /**
   * The policies in force, of machines of one tenant, for one report: read when the first of it needs them, and once. All
   * reports share them while no entry comes in; where the engine cannot tell that, those of a screen do, for some seconds. The
   * turn in which they are read may be that of others as well, so they are read to the end though whoever asked is gone.
   */
  policies(own: Machine[], freshness: Freshness): () => Promise<MachinePolicy[]> {
    let inForce: Promise<MachinePolicy[]> | undefined;
    return () => (inForce ??= forAll(() => this.#policiesOf(own, freshness)));
  }

  #policiesOf(own: Machine[], freshness: Freshness): Promise<MachinePolicy[]> {
    const [tenant, machines] = [own[0]?.tenant_id ?? "", own.map(({ id }) => id)];
    const ask = () => policies(this.#engine, { tenant, machines });
    const recent = freshness === "recent" ? Math.floor(Date.now() / POLICIES_MS) : undefined;
    const unchanged = this.#engine.entriesVersion() ?? recent;
    if (unchanged !== undefined) return this.#policies.of([tenant, machines, unchanged], ask);
    const asked = ask();
    // Who waits for them is told where that fails; where what runs beside it fails first, nobody does.
    asked.catch(() => undefined);
    return asked;
  }

  /** What scheduled time was lost to, the most first. */
  async losses(
    machines: Machine[],
    span: Span,
    order: "time" | "count",
    freshness: Freshness = "exact",
    filter: Filter = {},
  ): Promise<LossReport> {
    const inForce = this.policies(machines, freshness);
    const window = { ...(await this.#rolled(machines, span, freshness, inForce)), filter };
    const ask = () => losses(this.#engine, window, order, policiesIn(window, inForce()));
    return freshness === "recent" ? this.#losses.of([untilRolled(window), order], ask) : ask();
  }

  /** Which shifts, parts, lots and orders there are to filter by. */
  async filters(machines: Machine[], span: Span, freshness: Freshness = "exact"): Promise<Filters> {
    return filters(this.#engine, await this.#rolled(machines, span, freshness));
  }

  async states(
    machine: Machine,
    span: Span,
    freshness: Freshness = "exact",
    filter: Filter = {},
  ): Promise<States> {
    return (await this.statesOf([machine], span, freshness, filter)).get(machine.id) ?? [];
  }

  /** By machine, in order of time. */
  async statesOf(
    machines: Machine[],
    span: Span,
    freshness: Freshness = "exact",
    filter: Filter = {},
  ): Promise<Map<string, States>> {
    const window = await this.#rolled(machines, span, freshness);
    const { rows } = await states(this.#engine, { ...window, filter });
    return byMachine(rows);
  }

  /** Leaps of the machine's counters, decided or not. */
  async spikes({ tenant_id, id }: Machine, span: Span): Promise<Omit<SpikeRow, "machine_id">[]> {
    const found = byMachine(await spikes(this.#engine, this.#window(tenant_id, [id], span)));
    return found.get(id) ?? [];
  }

  rejects({ tenant_id, id }: Machine, span: Span): Promise<RejectRow[]> {
    return rejects(this.#engine, this.#window(tenant_id, [id], span));
  }

  lots({ tenant_id, id }: Machine, span: Span): Promise<LotRow[]> {
    return lots(this.#engine, this.#window(tenant_id, [id], span));
  }

  async gaps(machine: Machine, span: Span): Promise<Gaps> {
    return (await this.gapsOf(machine.tenant_id, [machine.id], span)).get(machine.id) ?? [];
  }

  async gapsOf(tenant_id: string, machine_ids: string[], span: Span): Promise<Map<string, Gaps>> {
    const { rows } = await gaps(this.#engine, this.#window(tenant_id, machine_ids, span));
    return byMachine(
      rows.map(({ to, cause, ...row }) => ({ ...row, to: to === "" ? null : to, cause: cause as GapCause })),
    );
  }

  async observations(
    machine: Machine,
    query: Span & { signal?: string | undefined; limit: number; cursor?: string | undefined },
  ): Promise<{ rows: ObservationsPage["rows"]; next_cursor: string | null }> {
    const { signal = "", cursor = null, ...rest } = query;
    try {
      const { tenant_id: tenant, id } = machine;
      const page = await observations(
        this.#engine,
        { tenant, machine: id, signal, cursor, ...rest },
        this.#lake,
      );
      return { rows: page.rows, next_cursor: page.cursor };
    } catch (error) {
      if (error instanceof BadCursor) throw badInput("/cursor", "bad_cursor");
      throw error;
    }
  }

  /** Signals as a chart shows them, from what raw retention has left. @param query.points at most so many columns of a chart */
  history(
    { tenant_id: tenant, id: machine }: Machine,
    query: Span & { signals: string[]; points: number },
  ): Promise<SignalHistory[]> {
    return history(this.#engine, { tenant, machine, ...query });
  }

  /** A page of the newest of each asset; the cursor is the last one's id. */
  async assets(
    { tenant_id: tenant, id: machine }: Machine,
    { limit, cursor }: { limit: number; cursor: string },
  ): Promise<{ rows: AssetRow[]; next_cursor: string | null }> {
    const found = await assets(this.#engine, { tenant, machine, after: cursor, limit: limit + 1 });
    const rows = found.slice(0, limit);
    return { rows, next_cursor: found.length > limit ? (rows.at(-1)?.asset_id ?? null) : null };
  }

  asset({ tenant_id: tenant, id: machine }: Machine, asset_id: string): Promise<AssetDocument | undefined> {
    return asset(this.#engine, { tenant, machine, asset: asset_id });
  }

  /** What was last known of a tenant's machines, and since when their states hold: two queries for all of them. */
  async latest(tenant: string, machine_ids: string[]): Promise<Map<string, LastKnown>> {
    const now_us = Date.now() * 1_000;
    const recent_us = now_us - RECENT_US;
    const window = this.#window(tenant, machine_ids, { from_us: recent_us, to_us: now_us });
    const [rows, timeline] = await Promise.all([
      latest(this.#engine, { tenant, machines: machine_ids, recent_us }),
      this.#roller.roll(window).then(() => states(this.#engine, window)),
    ]);
    const known = new Map(
      machine_ids.map((id) => [id, { values: {}, state: "UNKNOWN", since_us: 0 } as LastKnown]),
    );
    for (const { machine_id, signal, ts_us, seq, num, word } of rows) {
      if (isByHand(signal, seq)) continue;
      const machine = known.get(machine_id);
      if (machine) machine.values[signal] = { ts_us, seq, value: num ?? (word === "" ? null : word) };
    }
    // In order of time: the last one of each machine stays.
    for (const { machine_id, state, from } of timeline.rows) {
      const machine = known.get(machine_id);
      if (machine) Object.assign(machine, { state, since_us: Date.parse(from) * 1_000 });
    }
    return known;
  }

  /** The window of machines of one tenant, rolled up. */
  async #rolled(
    machines: Machine[],
    span: Span,
    freshness: Freshness,
    inForce?: () => Promise<MachinePolicy[]>,
  ): Promise<Window> {
    const ids = machines.map(({ id }) => id);
    const window = await this.#known(this.#window(machines[0]?.tenant_id ?? "", ids, span));
    if (freshness === "recent") return this.#arrivedOf(await this.#roller.recent(window));
    await this.#roller.exact(window, inForce);
    return window;
  }

  /** Screens do not wait for what is on its way: they say until when nothing is missing. */
  #arrivedOf(window: Window): Window {
    const arrived_us = 1_000 * BEHIND_MS * Math.floor(this.#arrived_ms() / BEHIND_MS);
    return { ...window, as_of_us: Math.min(window.as_of_us, arrived_us + 1_000 * BEHIND_MS) };
  }

  /** From before anything can have been observed on means: from the first day on which something was. */
  async #known(window: Window): Promise<Window> {
    if (window.from_us >= MIN_TS_US) return window;
    const firsts = [...(await firstDays(this.#engine, window)).values()];
    const end_us = Math.min(window.to_us, window.as_of_us);
    return { ...window, from_us: Math.min(end_us, ...firsts) };
  }

  #window(tenant: string, machines: string[], { from_us, to_us }: Span) {
    return { tenant, machines, from_us, to_us, as_of_us: Date.now() * 1_000 };
  }
}
