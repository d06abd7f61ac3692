// OEE of each hour as a map of hours × days: a shade and a number, in the plant's time.
/** @jsxImportSource preact */
import { clock, day, dayClock, localInput, ms, percent } from "../format.ts";
import type { DashboardHeatProps, OeeRow, Period } from "../model.ts";
import { text } from "../text.ts";
import { piecePath, whoseOf } from "./asked.ts";
import { explainPath } from "./why.tsx";

/** Five shades, of a fifth each; over 1 is as dark as can be. */
const STEPS = 5;
const shadeOf = (oee: number): number => Math.max(0, Math.min(STEPS - 1, Math.floor(oee * STEPS)));

const DAY_MS = 86_400_000;
const [LEAST_DAYS, MOST_DAYS] = [7, 31];

/** From when on the map is: the period, but never less than a week to its end, nor more than a month. */
export const heatFrom_ms = ({ from, to }: Period): number =>
  Math.max(ms(to) - MOST_DAYS * DAY_MS, Math.min(ms(from), ms(to) - LEAST_DAYS * DAY_MS));

/** About how many rows that makes. */
export const heatDays = (period: Period): number => Math.ceil((ms(period.to) - heatFrom_ms(period)) / DAY_MS);

/** A day's row: its rows of figures by the hour of the plant's clock; where the clock is put back, two of one hour. */
type Day = { from_ms: number; hours: Map<number, OeeRow[]> };

/** Days with the hours in which something was planned. */
export function daysOf(rows: readonly OeeRow[], timezone: string): Day[] {
  const days = new Map<string, Day>();
  for (const row of rows) {
    const from_ms = ms(row.from);
    const local = localInput(from_ms, timezone);
    const [date, hour] = [local.slice(0, 10), Number(local.slice(11, 13))];
    const found = days.get(date) ?? { from_ms, hours: new Map<number, OeeRow[]>() };
    days.set(date, found);
    if (row.scheduled_time_s > 0) found.hours.set(hour, [...(found.hours.get(hour) ?? []), row]);
  }
  return [...days.values()];
}

/** The place of the map until it is there: as high as it will be. */
export function HeatLater({ asked, days }: { asked: DashboardHeatProps["asked"]; days: number }) {
  return (
    <section class="panel" hx-get={piecePath(asked, "heat")} hx-trigger="load" hx-swap="outerHTML">
      <h2>{text.report.heat}</h2>
      <p class="hint">{text.dashboard.loading}</p>
      <svg class="spacer" aria-hidden="true" width="1" height={days * 49 + 90} />
    </section>
  );
}

export function DashboardHeat({ shell, asked, from, to, rows }: DashboardHeatProps) {
  const days = daysOf(rows, shell.timezone);
  const hours = days.flatMap((one) => [...one.hours.keys()]);
  const first = Math.min(...hours);
  const columns = Array.from(
    { length: hours.length ? Math.max(...hours) - first + 1 : 0 },
    (_, i) => first + i,
  );
  const whose = { ...whoseOf(asked), from, to, by: "hour" };
  const title = `${text.report.heat}, ${dayClock(ms(from), shell.timezone)} – ${dayClock(ms(to), shell.timezone)}`;
  return (
    <section class="panel">
      <h2>{title}</h2>
      {columns.length === 0 ? (
        <p class="hint">{text.oee.noFigures}</p>
      ) : (
        <>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
          <section class="scrolled" aria-label={title} tabIndex={0}>
            <table class="heat">
              <thead>
                <tr>
                  <th scope="col">{text.dashboard.bys.day}</th>
                  {columns.map((hour) => (
                    <th key={hour} scope="col">
                      {String(hour).padStart(2, "0")}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {days.map((one) => (
                  <tr key={one.from_ms}>
                    <th scope="row">{day(one.from_ms, shell.timezone)}</th>
                    {columns.map((hour) => (
                      <Cell
                        key={hour}
                        rows={one.hours.get(hour) ?? []}
                        whose={whose}
                        timezone={shell.timezone}
                      />
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
          <ul class="legend" aria-label={text.report.shades}>
            {Array.from({ length: STEPS }, (_, step) => (
              <li key={step}>
                <span class={`swatch heat-${step}`} />
                {step === STEPS - 1
                  ? text.report.from(percent(step / STEPS, 0))
                  : `${(100 * step) / STEPS}–${percent((step + 1) / STEPS, 0)}`}
              </li>
            ))}
            <li>
              {text.none} {text.report.notKnown}
            </li>
          </ul>
        </>
      )}
    </section>
  );
}

/** An hour of which nothing is known is blank, whatever the policy counts it as. */
const known = ({ oee, coverage }: OeeRow): number | null => (coverage ? oee : null);

type Whose = ReturnType<typeof whoseOf> & { by: string };

function Cell({ rows, whose, timezone }: { rows: OeeRow[]; whose: Whose; timezone: string }) {
  const [only] = rows;
  if (!only) return <td />;
  const oee = known(only);
  const shade = rows.length === 1 && oee !== null ? `heat-${shadeOf(oee)}` : undefined;
  return (
    <td class={shade}>
      {rows.map((row) => (
        <a
          key={row.key}
          href={explainPath("oee", { ...whose, key: row.key })}
          title={`${clock(ms(row.from), timezone)}–${clock(ms(row.to), timezone)}: ${percent(known(row))}`}
        >
          {percent(known(row), 0).replace(/\s*%/, "")}
        </a>
      ))}
    </td>
  );
}
