// The parts both reports share: the total on top, the trend, the policy in force.
/** @jsxImportSource preact */
import { clock, day, dayClock, duration, ms, number, percent } from "../format.ts";
import type { By, OeeRow, Period, Policy, Shell } from "../model.ts";
import { text } from "../text.ts";
import { Factors, Flags, Parts } from "./oee.tsx";
import { type Whose, Why } from "./why.tsx";

/** OEE, its factors, parts and times of the whole. */
export function Total({ title, row, whose: asked }: { title: string; row: OeeRow | null; whose: Whose }) {
  const whose = row ? asked : undefined;
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
      </div>
      <Factors row={row} whose={whose} />
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
      <Flags row={row} />
    </section>
  );
}

type TrendProps = { shell: Shell; period: Period; rows: readonly OeeRow[]; whose: Whose };

/** OEE over the period as a chart; the same figures as a table for those who cannot or will not see it. */
export function OeeTrend(props: TrendProps) {
  const { period, rows } = props;
  const by = text.dashboard.bys[period.by];
  return (
    <section class="trend-report panel">
      <h2>{text.dashboard.trend(by)}</h2>
      {rows.length === 0 ? (
        <p class="hint">{text.oee.noFigures}</p>
      ) : (
        <>
          <div class="oee-chart" data-oee-trend={chartData(rows, period)} aria-hidden="true" />
          <details>
            <summary>{text.dashboard.trendTable}</summary>
            <TrendTable {...props} />
          </details>
        </>
      )}
    </section>
  );
}

const TREND_RATIOS = ["oee", "availability", "performance", "quality", "coverage"] as const;

function TrendTable({ shell, period, rows, whose: asked }: TrendProps) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{text.dashboard.bys[period.by]}</th>
          {TREND_RATIOS.map((figure) => (
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
        {rows.map((row) => {
          const whose = { ...asked, by: period.by, key: row.key };
          return (
            <tr key={row.from + row.key}>
              <th scope="row">{bucketName(row, period.by, shell.timezone)}</th>
              {TREND_RATIOS.map((figure) => (
                <td key={figure} class="num">
                  <Why figure={figure} whose={whose}>
                    {percent(row[figure])}
                  </Why>
                </td>
              ))}
              <td class="num">
                <Why figure="good_count" whose={whose}>
                  {number(row.good_count)} / {number(row.total_count)}
                </Why>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** A bucket's name in the plant's zone: the hour, the day, or the shift's name with its day. */
export function bucketName(row: OeeRow, by: By, timezone: string): string {
  const from_ms = ms(row.from);
  if (by === "day") return day(from_ms, timezone);
  if (by === "hour") return `${dayClock(from_ms, timezone)}–${clock(ms(row.to), timezone)}`;
  return `${day(from_ms, timezone)} ${row.key}`;
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
};

function chartData(rows: readonly OeeRow[], period: Period): string {
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
