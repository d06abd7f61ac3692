// The parts both reports share: the total on top, figures by time or by what was made, the policy in force.
/** @jsxImportSource preact */
import { clock, day, dayClock, duration, month, ms, number, percent } from "../format.ts";
import {
  type Asked,
  type By,
  CUTS_OF_TIME,
  type DashboardProps,
  type OeeRow,
  type Period,
  type Policy,
} from "../model.ts";
import { text } from "../text.ts";
import { apiPath, reportPath, whoseOf } from "./asked.ts";
import { Change, Compared, Target } from "./change.tsx";
import { Files } from "./files.tsx";
import { Bar, Factors, Flags, Parts } from "./oee.tsx";
import { CutBar, named } from "./period.tsx";
import { Why } from "./why.tsx";

/** OEE, its factors, parts and times of the whole; what changed, and what is missing to the target. */
export function Total({
  title,
  shell,
  asked,
  row,
  before: told,
  target,
}: { title: string; row: OeeRow | null } & Pick<DashboardProps, "shell" | "asked" | "before" | "target">) {
  const whose = row ? whoseOf(asked) : undefined;
  // Of a time of which nothing is known there is nothing to compare with, whatever the policy counts it as.
  const before = told?.coverage ? told : null;
  const times = [
    ["planned_time_s", text.dashboard.plannedTime, row && duration(row.planned_time_s)],
    ["run_time_s", text.dashboard.runTime, row && duration(row.run_time_s)],
    ["coverage", text.oee.coverage, percent(row?.coverage ?? null)],
    ["teep", text.oee.teep, percent(row?.teep ?? null)],
  ] as const;
  return (
    <section class="total panel" aria-label={title}>
      <div class="total-oee">
        <h2>
          {text.oee.oee}, {title}
        </h2>
        <p class="big-number">
          <Why figure="oee" whose={whose}>
            {percent(row?.oee ?? null)}
          </Why>
        </p>
        <Change now={row?.oee ?? null} before={before?.oee ?? null} />
        <Target now={row?.oee ?? null} target={target} />
      </div>
      <Factors row={row} whose={whose} before={before} />
      <Parts row={row} whose={whose} />
      <dl class="facts">
        {times.map(([figure, label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>
              <Why figure={figure} whose={whose}>
                {value ?? text.none}
              </Why>
            </dd>
          </div>
        ))}
      </dl>
      <Compared shell={shell} period={asked.period} before={before?.oee ?? null} />
      <Flags row={row} />
    </section>
  );
}

type RowsProps = Pick<DashboardProps, "shell" | "asked" | "rows" | "target" | "total">;

const isTime = (by: By): boolean => CUTS_OF_TIME.some((one) => one === by);

/** Figures by time as a chart, and the same as a table; by what was made as a table. */
export function Rows(props: RowsProps) {
  const { asked, rows, target, total } = props;
  const { period } = asked;
  const by = text.dashboard.bys[period.by];
  return (
    <section class="trend-report panel">
      <div class="panel-head">
        <h2>{text.dashboard.trend(by)}</h2>
        <CutBar asked={asked} />
      </div>
      {rows.length === 0 ? (
        <p class="hint">{text.oee.noFigures}</p>
      ) : (
        <>
          {isTime(period.by) ? (
            <>
              <div class="oee-chart" data-oee-trend={chartData(rows, period, target)} aria-hidden="true" />
              <details>
                <summary>{text.dashboard.trendTable}</summary>
                <RowsTable {...props} />
              </details>
            </>
          ) : (
            <RowsTable {...props} />
          )}
          <Files path={apiPath(asked, "oee", total?.to ?? period.to, { by: period.by })} />
        </>
      )}
    </section>
  );
}

const RATIOS = ["availability", "performance", "quality", "coverage"] as const;

function RowsTable({ shell, asked, rows }: RowsProps) {
  const { by } = asked.period;
  return (
    <FigureTable
      title={text.dashboard.bys[by]}
      rows={rows.map((row) => ({
        row,
        name: bucketName(row, by, shell.timezone),
        href: rowPath(asked, row),
        whose: { ...whoseOf(asked), by, key: row.key },
      }))}
    />
  );
}

/** A step down: the same report of the row alone. */
function rowPath(asked: Asked, row: OeeRow): string {
  const { by } = asked.period;
  if (by === "part" || by === "lot" || by === "order")
    return reportPath(asked, { only: { [by]: row.key }, by: "day" });
  const span = { kind: "custom", from: row.from, to: row.to } as const;
  if (by !== "shift") return reportPath(asked, span);
  // "2026-01-05 Early"; without a day it is the time outside of shifts, which is not one stretch.
  return row.key === ""
    ? reportPath(asked, { only: { shift: "" } })
    : reportPath(asked, { ...span, by: "hour", only: { shift: shiftName(row.key) } });
}

/** The shift's name in "2026-01-05 Early". */
const shiftName = (key: string): string => key.slice("2026-01-05 ".length);

type Named = { row: OeeRow; name: string; href: string; whose: ReturnType<typeof whoseOf> };

/** Rows of figures by name; each name is the step down to it. */
export function FigureTable({ title, rows }: { title: string; rows: readonly Named[] }) {
  return (
    <table class="figures cards">
      <thead>
        <tr>
          <th scope="col">{title}</th>
          <th scope="col">{text.oee.oee}</th>
          {RATIOS.map((figure) => (
            <th key={figure} scope="col" class="num">
              {text.oee[figure]}
            </th>
          ))}
          <th scope="col" class="num">
            {text.dashboard.good} / {text.dashboard.total}
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ row, name, href, whose }) => (
          <tr key={row.from + row.key}>
            <th scope="row">
              <a href={href}>{name}</a>
            </th>
            <td class="oee-cell wide" data-label={text.oee.oee}>
              <b>
                <Why figure="oee" whose={whose}>
                  {percent(row.oee)}
                </Why>
              </b>
              <Bar ratio={row.oee} label={text.oee.oee} />
            </td>
            {RATIOS.map((figure) => (
              <td key={figure} class="num" data-label={text.oee[figure]}>
                <Why figure={figure} whose={whose}>
                  {percent(row[figure])}
                </Why>
              </td>
            ))}
            <td class="num" data-label={`${text.dashboard.good} / ${text.dashboard.total}`}>
              <Why figure="good_count" whose={whose}>
                {number(row.good_count)} / {number(row.total_count)}
              </Why>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A row's name in the plant's zone: the hour, the day, the shift's name with its day, the week, the month, the part. */
export function bucketName(row: OeeRow, by: By, timezone: string): string {
  const from_ms = ms(row.from);
  switch (by) {
    case "hour":
      return `${dayClock(from_ms, timezone)}–${clock(ms(row.to), timezone)}`;
    case "day":
      return day(from_ms, timezone);
    case "shift":
      return row.key === "" ? text.explain.outside : `${day(from_ms, timezone)} ${shiftName(row.key)}`;
    case "week":
      return text.report.week(Number(row.key.slice(-2)), day(from_ms, timezone));
    case "month":
      return month(from_ms, timezone);
    default:
      return named(row.key);
  }
}

/** What client/dashboard.ts draws. Times in ms, ratios unrounded. */
export type OeeChartData = {
  from_ms: number;
  to_ms: number;
  start_ms: number[];
  end_ms: number[];
  /** Scheduled, but nothing is known of it. */
  unknown: boolean[];
  oee: (number | null)[];
  availability: (number | null)[];
  performance: (number | null)[];
  quality: (number | null)[];
  /** The OEE that is aimed at; null where none is set. */
  target: number | null;
};

function chartData(rows: readonly OeeRow[], period: Period, target: number | null): string {
  const data: OeeChartData = {
    from_ms: Math.min(ms(period.from), ...rows.map((row) => ms(row.from))),
    to_ms: Math.max(ms(period.to), ...rows.map((row) => ms(row.to))),
    start_ms: rows.map((row) => ms(row.from)),
    end_ms: rows.map((row) => ms(row.to)),
    unknown: rows.map((row) => row.scheduled_time_s > 0 && !row.coverage),
    oee: rows.map((row) => row.oee),
    availability: rows.map((row) => row.availability),
    performance: rows.map((row) => row.performance),
    quality: rows.map((row) => row.quality),
    target,
  };
  return JSON.stringify(data);
}

/** The policy in a sentence, and how much of the time is known. */
export function PolicyNote({ policy, total }: { policy: Policy | null; total: OeeRow | null }) {
  return (
    <p class="policy">
      <b>{text.dashboard.policy}:</b> {policy ? policyWords(policy) : text.dashboard.policyDiffers}.{" "}
      <b>{text.oee.coverage}:</b> {text.dashboard.coverageNote(percent(total?.coverage ?? null))}.
    </p>
  );
}

export function policyWords(policy: Policy): string {
  const excluded = Object.keys(policy.reasons).filter((reason) => policy.reasons[reason] === "excluded");
  const words = [
    text.dashboard.policyUnknown[policy.unknown],
    excluded.length > 0
      ? text.dashboard.policyExcluded(excluded.join(", "))
      : text.dashboard.policyNoneExcluded,
  ];
  if (policy.minor_stop_s > 0) words.push(text.dashboard.policyMinor(policy.minor_stop_s));
  return words.join("; ");
}
