// The parts both reports share: the total on top, the trend, the policy in force.
/** @jsxImportSource preact */
import { clock, day, dayClock, duration, ms, number, percent } from "../format.ts";
import type { By, OeeRow, Period, Policy, Shell } from "../model.ts";
import { text } from "../text.ts";
import { Factors, Flags, Parts } from "./oee.tsx";

/** OEE, its factors, parts and times of the whole. */
export function Total({ title, row }: { title: string; row: OeeRow | null }) {
  const times = [
    [text.dashboard.plannedTime, row && duration(row.planned_time_s)],
    [text.dashboard.runTime, row && duration(row.run_time_s)],
    [text.oee.coverage, percent(row?.coverage ?? null)],
    [text.oee.teep, percent(row?.teep ?? null)],
  ] as const;
  return (
    <section class="total panel" aria-label={title}>
      <div class="total-oee">
        <h2>
          {text.oee.oee}, {title}
        </h2>
        <p class="big-number">{percent(row?.oee ?? null)}</p>
      </div>
      <Factors row={row} />
      <Parts row={row} />
      <dl class="facts">
        {times.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value ?? text.none}</dd>
          </div>
        ))}
      </dl>
      <Flags row={row} />
    </section>
  );
}

/** OEE over the period as a chart; the same figures as a table for those who cannot or will not see it. */
export function OeeTrend({ shell, period, rows }: { shell: Shell; period: Period; rows: readonly OeeRow[] }) {
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
            <TrendTable shell={shell} period={period} rows={rows} />
          </details>
        </>
      )}
    </section>
  );
}

function TrendTable({ shell, period, rows }: { shell: Shell; period: Period; rows: readonly OeeRow[] }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{text.dashboard.bys[period.by]}</th>
          {[
            text.oee.oee,
            text.oee.availability,
            text.oee.performance,
            text.oee.quality,
            text.oee.coverage,
          ].map((name) => (
            <th key={name} scope="col" class="num">
              {name}
            </th>
          ))}
          <th scope="col" class="num">
            {text.dashboard.good} / {text.dashboard.total}
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.from + row.key}>
            <th scope="row">{bucketName(row, period.by, shell.timezone)}</th>
            {[row.oee, row.availability, row.performance, row.quality, row.coverage].map((ratio, i) => (
              <td key={`${i}`} class="num">
                {percent(ratio)}
              </td>
            ))}
            <td class="num">
              {number(row.good_count)} / {number(row.total_count)}
            </td>
          </tr>
        ))}
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

function policyWords(policy: Policy): string {
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
