// The reports: the analytics' SQL, asked for machines of one tenant.
import type { Engine } from "../../../analytics-sql/engine/engine.ts";
import { gaps } from "../../../analytics-sql/queries/gaps.ts";
import { latest } from "../../../analytics-sql/queries/latest.ts";
import {
  BadCursor,
  type ObservationsPage,
  observations,
} from "../../../analytics-sql/queries/observations.ts";
import { type OeeCut, type OeeReport, oee } from "../../../analytics-sql/queries/oee.ts";
import { type StateRow, states } from "../../../analytics-sql/queries/states.ts";
import type { GapCause } from "../../../ingest/event.ts";
import type { LiveValue } from "../../../ingest/live/live.ts";
import { badInput } from "../../../ingest/problem.ts";
import type { Machine } from "../../../ingest/store/store.ts";

export { OEE_CUTS, type OeeCut } from "../../../analytics-sql/queries/oee.ts";

export type Span = { from_us: number; to_us: number };

/** How far back the live screens look for signals that have no lasting meaning. */
const RECENT_US = 2 * 86_400_000_000;

export class Reports {
  readonly #engine: Engine;
  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Figures over machines of one tenant: sums first (invariant 5). Nothing is known of the time after now. */
  oee(tenant_id: string, machine_ids: string[], span: Span, by: OeeCut): Promise<OeeReport> {
    return oee(this.#engine, { ...this.#window(tenant_id, machine_ids, span), by });
  }

  async states(machine: Machine, span: Span): Promise<Omit<StateRow, "machine_id">[]> {
    const { rows } = await states(this.#engine, this.#window(machine.tenant_id, [machine.id], span));
    return rows.map(({ machine_id: _, ...row }) => row);
  }

  /** `to` is null while a gap is open. */
  async gaps(machine: Machine, span: Span) {
    const { rows } = await gaps(this.#engine, this.#window(machine.tenant_id, [machine.id], span));
    return rows.map(({ machine_id: _, to, cause, ...row }) => ({
      ...row,
      to: to === "" ? null : to,
      cause: cause as GapCause,
    }));
  }

  async observations(
    machine: Machine,
    query: Span & { signal?: string | undefined; limit: number; cursor?: string | undefined },
  ): Promise<{ rows: ObservationsPage["rows"]; next_cursor: string | null }> {
    const { signal = "", cursor = null, ...rest } = query;
    try {
      const { tenant_id: tenant, id } = machine;
      const page = await observations(this.#engine, { tenant, machine: id, signal, cursor, ...rest });
      return { rows: page.rows, next_cursor: page.cursor };
    } catch (error) {
      if (error instanceof BadCursor) throw badInput("/cursor", error.message);
      throw error;
    }
  }

  /** What was last known of a machine, and since when its state holds (0: not known). */
  async latest(machine: Machine): Promise<{ values: Record<string, LiveValue>; since_us: number }> {
    const now_us = Date.now() * 1_000;
    const { tenant_id: tenant, id } = machine;
    const [rows, timeline] = await Promise.all([
      latest(this.#engine, { tenant, machines: [id], recent_us: now_us - RECENT_US }),
      this.states(machine, { from_us: now_us - RECENT_US, to_us: now_us }),
    ]);
    const values = Object.fromEntries(
      rows.map(({ signal, ts_us, num, word }) => [signal, { ts_us, value: num ?? word }]),
    );
    const last = timeline.at(-1);
    return { values, since_us: last ? Date.parse(last.from) * 1_000 : 0 };
  }

  #window(tenant: string, machines: string[], { from_us, to_us }: Span) {
    return { tenant, machines, from_us, to_us, as_of_us: Date.now() * 1_000 };
  }
}
