// OEE of the plant and of every machine for a period.
/** @jsxImportSource preact */
import { apiPath, reportPath, whoseOf } from "../components/asked.ts";
import { BandsLater } from "../components/bands.tsx";
import { Crumbs, trailOf } from "../components/crumbs.tsx";
import { Files } from "../components/files.tsx";
import { Filters } from "../components/filters.tsx";
import { HeatLater, heatDays } from "../components/heat.tsx";
import { LossPanels } from "../components/loss-panels.tsx";
import { Bar } from "../components/oee.tsx";
import { named, PeriodBar, Span, SWAP } from "../components/period.tsx";
import { Foot } from "../components/printed.tsx";
import { FigureTable, PolicyNote, Rows, Total } from "../components/report.tsx";
import { Welcome } from "../components/welcome.tsx";
import { Why } from "../components/why.tsx";
import { duration, number, percent } from "../format.ts";
import { Layout } from "../layout.tsx";
import type { DashboardProps, ExplainedFigure, MachineOeeRow } from "../model.ts";
import { text } from "../text.ts";

const PATH = "/dashboard";

export function Dashboard(props: DashboardProps) {
  return (
    <Layout
      shell={props.shell}
      title={text.dashboard.title}
      theme="office"
      here="dashboard"
      scripts={["htmx.js", "dashboard.js"]}
    >
      <main id="main" class="report">
        {props.machines.length === 0 ? <Welcome shell={props.shell} /> : <DashboardReport {...props} />}
      </main>
    </Layout>
  );
}

/** The report alone: what the page shows, and the answer to its own htmx requests. */
export function DashboardReport(props: DashboardProps) {
  const { shell, asked, total, machines, groups, losses, reasons, policy, target } = props;
  const { period, group } = asked;
  const names = new Map(machines.map(({ machine_id, name }) => [machine_id, name]));
  const title = group === undefined ? text.dashboard.title : `${text.report.group} ${named(group)}`;
  return (
    <div id="report" class="report-body">
      <Crumbs trail={trailOf(asked, null)} />
      <div class="report-head">
        <h1>{title}</h1>
        <Span shell={shell} period={period} />
      </div>
      <PeriodBar shell={shell} asked={asked} />
      <Filters asked={asked} names={names} />
      <p class="notice report-failed" role="alert" hidden>
        {text.dashboard.failed}
      </p>
      {props.without.length > 0 && (
        <p class="notice" role="status">
          {text.dashboard.without(props.without.map(({ name }) => name).join(", "))}
        </p>
      )}
      <Total
        title={group === undefined ? text.dashboard.plant : named(group)}
        shell={shell}
        asked={asked}
        row={total}
        before={props.before}
        target={target}
      />
      <Rows {...props} />
      {groups.length > 0 && <Groups asked={asked} groups={groups} total={total} />}
      <section class="panel">
        <h2>{text.dashboard.machines}</h2>
        <MachineTable machines={machines} asked={asked} />
        <Files path={apiPath(asked, "oee", total?.to ?? period.to, { by: "machine" })} />
      </section>
      <LossPanels asked={asked} total={total} losses={losses} reasons={reasons} />
      <HeatLater asked={asked} days={heatDays(period)} />
      <BandsLater asked={asked} machines={Math.min(machines.length, MOST_BANDS)} />
      <PolicyNote policy={policy} total={total} />
      <Foot shell={shell} asked={asked} />
    </div>
  );
}

/** How many machines' bands are shown at once. */
export const MOST_BANDS = 30;

function Groups({ asked, groups, total }: Pick<DashboardProps, "asked" | "groups" | "total">) {
  return (
    <section class="panel">
      <h2>{text.report.groups}</h2>
      <FigureTable
        title={text.report.group}
        rows={groups.map((row) => ({
          row,
          name: named(row.key),
          href: reportPath(asked, { group: row.key }),
          whose: { ...whoseOf(asked), group: row.key },
        }))}
      />
      <Files path={apiPath(asked, "oee", total?.to ?? asked.period.to, { by: "group" })} />
    </section>
  );
}

type FigureColumn = Column & { key: ExplainedFigure };
type Column = {
  key: string;
  name: () => string;
  /** What the column sorts by; null goes last either way. */
  value: (row: MachineOeeRow) => number | string | null;
  show: (row: MachineOeeRow) => string;
};

const ratio = (key: "availability" | "performance" | "quality" | "coverage"): FigureColumn => ({
  key,
  name: () => text.oee[key],
  value: (row) => row[key],
  show: (row) => percent(row[key]),
});

const seconds = (key: "run_time_s" | "down_time_s" | "planned_time_s", name: () => string): FigureColumn => ({
  key,
  name,
  value: (row) => row[key],
  show: (row) => duration(row[key]),
});

const OEE: Column = {
  key: "oee",
  name: () => text.oee.oee,
  value: (row) => row.oee,
  show: (row) => percent(row.oee),
};
const NAME: Column = {
  key: "name",
  name: () => text.dashboard.machine,
  value: (row) => row.name,
  show: (row) => row.name,
};
const COLUMNS: readonly FigureColumn[] = [
  ratio("availability"),
  ratio("performance"),
  ratio("quality"),
  ratio("coverage"),
  {
    key: "good_count",
    name: () => `${text.dashboard.good} / ${text.dashboard.total}`,
    value: (row) => row.good_count,
    show: (row) => `${number(row.good_count)} / ${number(row.total_count)}`,
  },
  seconds("run_time_s", () => text.dashboard.runTime),
  seconds("down_time_s", () => text.dashboard.downTime),
  seconds("planned_time_s", () => text.dashboard.plannedTime),
];

/** Rows in the order the query asks for; an unknown `sort` is by name. */
export function sortRows(rows: readonly MachineOeeRow[], sort: string): MachineOeeRow[] {
  const key = sort.replace(/^-/, "");
  const column = [NAME, OEE, ...COLUMNS].find((candidate) => candidate.key === key) ?? NAME;
  const direction = sort.startsWith("-") ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [x, y] = [column.value(a), column.value(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    if (typeof x === "number" && typeof y === "number") return direction * (x - y);
    return direction * String(x).localeCompare(String(y), "en", { numeric: true });
  });
}

function MachineTable({ machines, asked }: Pick<DashboardProps, "machines" | "asked">) {
  const { sort, period, only } = asked;
  const head = (column: Column) => {
    const up = sort === column.key || (column === NAME && sort === "");
    const down = sort === `-${column.key}`;
    const href = reportPath(asked, { sort: up ? `-${column.key}` : column.key });
    return (
      <th
        key={column.key}
        scope="col"
        class={column === NAME || column === OEE ? undefined : "num"}
        aria-sort={up ? "ascending" : down ? "descending" : undefined}
      >
        <a href={href} hx-get={href} {...SWAP}>
          {column.name()}
        </a>
      </th>
    );
  };
  return (
    <table class="machines cards">
      <thead>
        <tr>{[NAME, OEE, ...COLUMNS].map(head)}</tr>
      </thead>
      <tbody>
        {sortRows(machines, sort).map((row) => {
          const whose = { machine_id: row.machine_id, from: period.from, to: period.to, only };
          return (
            <tr key={row.machine_id}>
              <th scope="row">
                <a
                  href={reportPath(asked, {
                    path: `${PATH}/${encodeURIComponent(row.machine_id)}`,
                    sort: "",
                  })}
                >
                  {row.name}
                </a>
              </th>
              <td class="oee-cell wide" data-label={OEE.name()}>
                <b>
                  <Why figure="oee" whose={whose}>
                    {OEE.show(row)}
                  </Why>
                </b>
                <Bar ratio={row.oee} label={text.oee.oee} />
              </td>
              {COLUMNS.map((column) => (
                <td key={column.key} class="num" data-label={column.name()}>
                  <Why figure={column.key} whose={whose}>
                    {column.show(row)}
                  </Why>
                </td>
              ))}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
