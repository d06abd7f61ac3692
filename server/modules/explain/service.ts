// Explanations: a figure's formula, numbers, intervals, counts, policy, calendar, gaps, and where the raw rows are.
import type { Engine } from "../../../analytics-sql/engine/engine.ts";
import {
  type ExplainPage,
  type Explanation,
  explain,
  signalsBehind,
} from "../../../analytics-sql/queries/explain/explain.ts";
import { type StateAt, stateAt } from "../../../analytics-sql/queries/explain/state-at.ts";
import type { MachinePolicy } from "../../../analytics-sql/queries/policies.ts";
import { type Filter, type Filtered, iso } from "../../../analytics-sql/queries/window.ts";
import type { Roller } from "../../../analytics-sql/rollup/roller.ts";
import type { Figure } from "../../../domain/figures.ts";
import { ruleOf } from "../../../domain/state.ts";
import type { RuleId } from "../../../domain/state-rules.ts";
import { type CalendarInput, calendarAt, calendarsOf } from "../../../ingest/calendar.ts";
import { badInput } from "../../../ingest/problem.ts";
import type { Machine } from "../../../ingest/store/store.ts";
import { english } from "../../../views/text/en.ts";
import { Remembered, untilRolled } from "../analytics/remembered.ts";
import {
  type Freshness,
  type Gaps,
  groupsIn,
  type OeeCut,
  policiesIn,
  type Reports,
  type Span,
} from "../analytics/service.ts";

export type Asked = Span & { figure: Figure; by: OeeCut; key: string; filter?: Filter };
export type Page = { after_us: number; limit: number };

/** A figure of one machine, all the way down. */
export type MachineExplanation = Omit<Explanation, "machines"> & {
  from: string;
  to: string;
  by: OeeCut;
  key: string;
  flags: string[];
  /** The calendars that held in the window, the earliest first; empty: all time is scheduled. */
  calendars: CalendarInput[];
  intervals: ExplainPage["intervals"];
  counts: ExplainPage["counts"];
  truncated: boolean;
  /** Give it back to get the intervals and counts that follow; null after the last. */
  next_cursor: string | null;
  gaps: Gaps;
  links: Links;
};
/** A figure over machines: the sums, and each machine's part in them. */
export type PlantExplanation = Omit<Explanation, "machines"> & {
  from: string;
  to: string;
  by: OeeCut;
  key: string;
  flags: string[];
  machines: (Explanation["machines"][number] & { name: string; links: { explain: string } })[];
  links: { oee: string };
};
export type Links = {
  oee: string;
  states: string;
  gaps: string;
  /** Raw rows of each signal that states and counts are made of, in the figure's window. */
  observations: { signal: string; href: string }[];
};

/** A state with the rule it follows from. */
export type ExplainedState = StateAt & {
  at: string;
  /** Its number among the rules, 0 where none matches. */
  rule: number;
  rule_id: RuleId;
  /** The rule in English; pages have its words in each language by its id. */
  rule_text: string;
  gaps: Gaps;
  links: { observations: Links["observations"]; states: string };
};

const queryOf = (params: Record<string, string | undefined>): string =>
  new URLSearchParams(
    Object.entries(params).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  ).toString();
/** A row of a cut, as a query names it. */
const rowOf = ({ by, key }: { by: OeeCut; key: string }): Record<string, string> =>
  by === "total" ? {} : { by, key };
const apiOf = ({ id }: Machine): string => `/api/v1/machines/${encodeURIComponent(id)}`;

export class Explanations {
  readonly #engine: Engine;
  readonly #roller: Roller;
  readonly #reports: Reports;
  readonly #explained = new Remembered<Explanation & ExplainPage>();

  constructor(engine: Engine, roller: Roller, reports: Reports) {
    this.#engine = engine;
    this.#roller = roller;
    this.#reports = reports;
  }

  /** @throws BadInput where the cut has no such row */
  async machine(
    machine: Machine,
    asked: Asked,
    page: Page,
    freshness: Freshness = "exact",
  ): Promise<MachineExplanation> {
    const inForce = this.#reports.policies([machine], freshness);
    const query = await this.#query([machine], asked, freshness, inForce);
    const [{ machines: _, next_us, ...explanation }, gaps, signals] = await Promise.all([
      this.#explain(query, inForce, freshness, page),
      this.#reports.gaps(machine, asked),
      signalsBehind(this.#engine, query),
    ]);
    const api = apiOf(machine);
    const { row } = explanation;
    const { by, key, filter } = asked;
    const span = { from: row.from, to: row.to };
    return {
      ...explanation,
      ...span,
      by,
      key,
      flags: row.flags,
      calendars: calendarsIn(machine, asked),
      truncated: next_us !== null,
      next_cursor: next_us === null ? null : String(next_us),
      gaps: within(gaps, span),
      links: {
        oee: `${api}/oee?${queryOf({ ...windowOf(asked), by, ...filter })}`,
        states: `${api}/states?${queryOf({ ...span, ...filter })}`,
        gaps: `${api}/gaps?${queryOf(span)}`,
        observations: observationsOf(machine, signals, span),
      },
    };
  }

  /** Over machines of one tenant. @throws BadInput where the cut has no such row */
  async plant(machines: Machine[], asked: Asked, freshness: Freshness = "exact"): Promise<PlantExplanation> {
    const inForce = this.#reports.policies(machines, freshness);
    const query = await this.#query(machines, asked, freshness, inForce);
    const explained = await this.#explain(query, inForce, freshness);
    const { intervals: _, counts: __, next_us: ___, ...explanation } = explained;
    const { row } = explanation;
    const { figure, by, key, filter } = asked;
    const byId = new Map(machines.map((machine) => [machine.id, machine]));
    // A cut by what machines have in common has no such row in a machine's own figures.
    const own = by === "machine" || by === "group" || by === "plant" ? {} : rowOf(asked);
    return {
      ...explanation,
      from: row.from,
      to: row.to,
      by,
      key,
      flags: row.flags,
      machines: explanation.machines.flatMap((part) => {
        const machine = byId.get(part.machine_id);
        if (!machine) return [];
        const explain = `${apiOf(machine)}/explain?${queryOf({ figure, ...windowOf(asked), ...own, ...filter })}`;
        return [{ ...part, name: machine.name, links: { explain } }];
      }),
      links: { oee: `/api/v1/oee?${queryOf({ ...windowOf(asked), by, ...filter })}` },
    };
  }

  /** Why the machine was in its state at an instant. @returns undefined where nothing can be known of it */
  async state(
    machine: Machine,
    at_us: number,
    freshness: Freshness = "exact",
  ): Promise<ExplainedState | undefined> {
    await this.#window([machine], { from_us: at_us, to_us: at_us + 1 }, freshness);
    const [found, gaps] = await Promise.all([
      stateAt(this.#engine, { tenant: machine.tenant_id, machine: machine.id, at_us }),
      this.#reports.gaps(machine, { from_us: at_us, to_us: at_us + 1 }),
    ]);
    if (!found) return undefined;
    const values = new Map(found.values.map(({ signal, value }) => [signal, value]));
    const { rule, id } = ruleOf(values, gaps.length > 0);
    const span = { from: found.from, to: found.to };
    return {
      at: iso(at_us),
      ...found,
      rule,
      rule_id: id,
      rule_text: english.stateRules[id],
      gaps,
      links: {
        observations: observationsOf(machine, [...values.keys()], span),
        states: `${apiOf(machine)}/states?${queryOf(span)}`,
      },
    };
  }

  #explain(
    query: Parameters<typeof explain>[1],
    inForce: () => Promise<MachinePolicy[]>,
    freshness: Freshness,
    page?: Page,
  ): Promise<Explanation & ExplainPage> {
    const ask = async () => {
      const found = await explain(this.#engine, query, page, policiesIn(query, inForce()));
      if (!found) throw badInput("/key", "unknown_row", { by: query.by, key: query.key });
      return found;
    };
    return freshness === "recent" ? this.#explained.of([untilRolled(query), page], ask) : ask();
  }

  async #query(
    machines: Machine[],
    { from_us, to_us, ...rest }: Asked,
    freshness: Freshness,
    inForce: () => Promise<MachinePolicy[]>,
  ) {
    const window = await this.#window(machines, { from_us, to_us }, freshness, inForce);
    return { ...window, ...rest, groups: groupsIn(window, machines) };
  }

  async #window(
    machines: Machine[],
    span: Span,
    freshness: Freshness,
    inForce?: () => Promise<MachinePolicy[]>,
  ): Promise<Filtered> {
    const window = {
      tenant: machines[0]?.tenant_id ?? "",
      machines: machines.map(({ id }) => id),
      from_us: span.from_us,
      to_us: span.to_us,
      as_of_us: Date.now() * 1_000,
    };
    if (freshness === "recent") return this.#roller.recent(window);
    await this.#roller.exact(window, inForce);
    return window;
  }
}

const windowOf = ({ from_us, to_us }: Span): { from: string; to: string } => ({
  from: iso(from_us),
  to: iso(to_us),
});

const observationsOf = (machine: Machine, signals: string[], span: { from: string; to: string }) =>
  signals.map((signal) => ({
    signal,
    href: `${apiOf(machine)}/observations?${queryOf({ signal, ...span })}`,
  }));

/** Gaps that touch a row's own time, which is less than the window where it is of one hour or shift. */
const within = (gaps: Gaps, span: { from: string; to: string }): Gaps =>
  gaps.filter(({ from, to }) => from < span.to && (to === null || to > span.from));

function calendarsIn({ calendar }: Machine, { from_us, to_us }: Span): CalendarInput[] {
  const all = calendarsOf(calendar);
  const first = calendarAt(all, from_us / 1_000);
  const last = calendarAt(all, (to_us - 1) / 1_000);
  return last === null ? [] : all.slice(first === null ? 0 : all.indexOf(first), all.indexOf(last) + 1);
}
