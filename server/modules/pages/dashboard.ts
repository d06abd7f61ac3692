// The managers' pages: /dashboard, /dashboard/{id}, the pieces that they fetch, and the explanations behind their figures.
import { Elysia } from "elysia";
import type { Machine } from "../../../ingest/store/store.ts";
import {
  type Asked,
  Dashboard,
  DashboardBands,
  DashboardFilters,
  DashboardHeat,
  DashboardMachine,
  DashboardMachineReport,
  DashboardReport,
  Explain,
  ExplainState,
  heatFrom_ms,
  MOST_BANDS,
  type Policy,
  renderFragment,
  renderPage,
  reportPath,
  type Shell,
  wantsFragment,
} from "../../../views/index.ts";
import type { Caller, Keys } from "../../keys.ts";
import type { Reports, Span } from "../analytics/service.ts";
import type { Explanations } from "../explain/service.ts";
import type { Machines } from "../machines/service.ts";
import type { Reasons } from "../reasons/service.ts";
import { askedOf } from "./asked.ts";
import { explainMachine, explainPlant, explainState } from "./explain.ts";
import type { Figures } from "./figures.ts";
import { type Context, html, pageMaker } from "./page.ts";

type Deps = {
  explanations: Explanations;
  reports: Reports;
  reasons: Reasons;
  machines: Machines;
  figures: Figures;
  keys: Keys;
  log: (message: string) => void;
};

const PLANT = "/dashboard";
const DAY_MS = 86_400_000;
/** What a period is compared with may end with now, some weeks ago: so screens that ask within seconds share its report. */
const SHARED_MS = 15_000;
/** States of a longer time are not read for a page. */
const STATES_MS = 31 * DAY_MS;

const span = (from_ms: number, to_ms: number): Span => ({ from_us: from_ms * 1_000, to_us: to_ms * 1_000 });
const spanOf = ({ from, to }: { from: string; to: string }): Span => span(Date.parse(from), Date.parse(to));
const sharedSpanOf = ({ from, to }: { from: string; to: string }): Span => {
  const to_ms = Date.parse(to);
  return span(Date.parse(from), to_ms - (to_ms % SHARED_MS));
};
const iso = (at_ms: number): string => new Date(at_ms).toISOString();

export const dashboardModule = (deps: Deps) => {
  const { machines, reports, explanations } = deps;
  const shown = pageMaker(deps);
  const page = (make: Parameters<typeof shown>[1]) => shown("read", make);

  /** What the plant's page asks for, of which of its machines. */
  const plantAsked = ({ tenant_id }: Caller, shell: Shell, { request }: Context) => {
    const all = machines.list(tenant_id);
    const asked = askedOf(request.url, PLANT, all, shell);
    const machine = asked.machines.length > 0 ? asked.machines.join(",") : undefined;
    return { all, asked, own: machines.some(tenant_id, { machine, group: asked.group }) };
  };
  const machineAsked = ({ tenant_id }: Caller, shell: Shell, { request, params }: Context) => {
    const machine = machines.get(tenant_id, params.id ?? "");
    const asked = askedOf(request.url, `${PLANT}/${encodeURIComponent(machine.id)}`, [machine], shell);
    return { machine, asked };
  };

  /** What is known of the figures behind both reports, asked for side by side. */
  const report = async (own: Machine[], asked: Asked, tenant_id: string) => {
    const { period, only, pareto } = asked;
    const window = spanOf(period);
    const [found, before, losses, tree] = await Promise.all([
      reports.oee(own, window, period.by, "recent", only),
      reports.oee(own, sharedSpanOf(period.previous), "total", "recent", only),
      reports.losses(own, window, pareto, "recent", only),
      deps.reasons.list(tenant_id),
    ]);
    return {
      total: found.total,
      before: before.total,
      target: found.target_oee,
      policy: found.policy,
      rows: found.rows,
      losses: losses.rows,
      reasons: Object.fromEntries(tree.map(({ code, name }) => [code, name])),
    };
  };

  const plantProps = async (caller: Caller, shell: Shell, context: Context) => {
    const { all, asked, own } = plantAsked(caller, shell, context);
    if (all.length === 0) return { shell, asked, ...NOTHING };
    const window = spanOf(asked.period);
    const isGrouped = new Set(own.map(({ group }) => group)).size > 1;
    const [found, rows, groups] = await Promise.all([
      report(own, asked, caller.tenant_id),
      reports.oee(own, window, "machine", "recent", asked.only),
      isGrouped ? reports.oee(own, window, "group", "recent", asked.only) : null,
    ]);
    const byId = new Map(own.map((machine) => [machine.id, machine]));
    return {
      shell,
      asked,
      ...found,
      machines: rows.rows.map((row) => {
        const machine_id = row.machine_id ?? row.key;
        const { name = machine_id, group = "" } = byId.get(machine_id) ?? {};
        return { ...row, machine_id, name, group };
      }),
      groups: groups?.rows ?? [],
      without: without(own),
    };
  };

  /** Whose figures cannot be calculated, so that they are in no sum. */
  function without(own: Machine[]) {
    const aside = new Set(reports.setAside(own).map(({ machine }) => machine));
    return own.filter(({ id }) => aside.has(id)).map(nameOf);
  }

  const machineProps = async (caller: Caller, shell: Shell, context: Context) => {
    const { machine, asked } = machineAsked(caller, shell, context);
    const to_ms = Date.parse(asked.period.to);
    const from_ms = Math.max(Date.parse(asked.period.from), to_ms - STATES_MS);
    const [found, states, gaps] = await Promise.all([
      report([machine], asked, caller.tenant_id),
      reports.states(machine, span(from_ms, to_ms), "recent", asked.only),
      reports.gaps(machine, span(from_ms, to_ms)),
    ]);
    return {
      shell,
      asked,
      ...found,
      machine: nameOf(machine),
      states,
      states_from: iso(from_ms),
      gaps,
      policy: found.policy ?? (machine.policy as Policy),
    };
  };

  const heat = async (own: Machine[], asked: Asked, shell: Shell) => {
    const from_ms = Temporal.Instant.fromEpochMilliseconds(heatFrom_ms(asked.period))
      .toZonedDateTimeISO(shell.timezone)
      .startOfDay().epochMilliseconds;
    const { to } = asked.period;
    const { rows } = await reports.oee(own, span(from_ms, Date.parse(to)), "hour", "recent", asked.only);
    return renderFragment(DashboardHeat, { shell, asked, from: iso(from_ms), to, rows });
  };

  const bands = async (own: Machine[], asked: Asked, shell: Shell) => {
    const to_ms = Date.parse(asked.period.to);
    const from_ms = Math.max(Date.parse(asked.period.from), to_ms - DAY_MS);
    const some = own.toSorted(byName).slice(0, MOST_BANDS);
    const window = span(from_ms, to_ms);
    const [states, gaps] = await Promise.all([
      reports.statesOf(some, window, "recent", asked.only),
      reports.gapsOf(
        some[0]?.tenant_id ?? "",
        some.map(({ id }) => id),
        window,
      ),
    ]);
    return renderFragment(DashboardBands, {
      shell,
      asked,
      from: iso(from_ms),
      to: iso(to_ms),
      more: own.length - some.length,
      machines: some.map((machine) => ({
        ...nameOf(machine),
        states: states.get(machine.id) ?? [],
        gaps: gaps.get(machine.id) ?? [],
      })),
    });
  };

  /** @param all the plant's machines to choose from; none on a machine's own page */
  const filters = async (own: Machine[], all: Machine[], asked: Asked, shell: Shell) =>
    renderFragment(DashboardFilters, {
      shell,
      asked,
      filters: await reports.filters(own, spanOf(asked.period), "recent"),
      machines: all.toSorted(byName).map(nameOf),
      groups: [...new Set(all.map(({ group }) => group))].sort(),
    });

  return new Elysia({ detail: { hide: true } })
    .get(
      PLANT,
      page(async (caller, shell, context) => {
        const props = await plantProps(caller, shell, context);
        return wantsFragment(context.request.headers)
          ? swapped(context.request, props.asked, renderFragment(DashboardReport, props))
          : renderPage(Dashboard, props);
      }),
    )
    .get(
      `${PLANT}/:id`,
      page(async (caller, shell, context) => {
        const props = await machineProps(caller, shell, context);
        return wantsFragment(context.request.headers)
          ? swapped(context.request, props.asked, renderFragment(DashboardMachineReport, props))
          : renderPage(DashboardMachine, props);
      }),
    )
    .get(
      `${PLANT}/heat`,
      page(async (caller, shell, context) => {
        const { own, asked } = plantAsked(caller, shell, context);
        return heat(own, asked, shell);
      }),
    )
    .get(
      `${PLANT}/bands`,
      page(async (caller, shell, context) => {
        const { own, asked } = plantAsked(caller, shell, context);
        return bands(own, asked, shell);
      }),
    )
    .get(
      `${PLANT}/filters`,
      page(async (caller, shell, context) => {
        const { own, all, asked } = plantAsked(caller, shell, context);
        return filters(own, all, asked, shell);
      }),
    )
    .get(
      `${PLANT}/:id/heat`,
      page(async (caller, shell, context) => {
        const { machine, asked } = machineAsked(caller, shell, context);
        return heat([machine], asked, shell);
      }),
    )
    .get(
      `${PLANT}/:id/filters`,
      page(async (caller, shell, context) => {
        const { machine, asked } = machineAsked(caller, shell, context);
        return filters([machine], [], asked, shell);
      }),
    )
    .get(
      `${PLANT}/explain`,
      page(async ({ tenant_id }, shell, { query }) => {
        const { machine, group } = query;
        const own = machines.some(tenant_id, { machine, group });
        return renderPage(Explain, await explainPlant(explanations, own, query, shell));
      }),
    )
    .get(
      `${PLANT}/:id/explain`,
      page(async ({ tenant_id }, shell, { params, query }) => {
        const machine = machines.get(tenant_id, params.id ?? "");
        return renderPage(Explain, await explainMachine(explanations, machine, query, shell));
      }),
    )
    .get(
      `${PLANT}/:id/explain/state`,
      page(async ({ tenant_id }, shell, { params, query }) => {
        const machine = machines.get(tenant_id, params.id ?? "");
        return renderPage(ExplainState, await explainState(explanations, reports, machine, query, shell));
      }),
    );
};

/** A plant without machines: its page greets. */
const NOTHING = {
  total: null,
  before: null,
  target: null,
  policy: null,
  rows: [],
  losses: [],
  reasons: {},
  machines: [],
  groups: [],
  without: [],
};

const nameOf = ({ id, name, group }: Machine) => ({ machine_id: id, name, group });
const byName = (a: Machine, b: Machine): number => a.name.localeCompare(b.name, "en", { numeric: true });

/** A report that is swapped in: its URL is written the one way, whatever fields of a form were empty. */
function swapped(request: Request, asked: Asked, report: string): Response {
  const response = html(request, report);
  response.headers.set("hx-push-url", reportPath(asked));
  return response;
}
