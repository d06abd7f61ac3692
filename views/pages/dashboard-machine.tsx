// One machine's report: its total, trend, timeline, and where the time went.
/** @jsxImportSource preact */
import type { State } from "../../ingest/signals.ts";
import { Bar } from "../components/oee.tsx";
import { PeriodBar, query, Span } from "../components/period.tsx";
import { OeeTrend, PolicyNote, Total } from "../components/report.tsx";
import { StateLabel } from "../components/state.tsx";
import { Timeline, TimelineLegend } from "../components/timeline.tsx";
import { statePath, type Whose, Why } from "../components/why.tsx";
import { dayClock, duration, ms, percent } from "../format.ts";
import { Layout } from "../layout.tsx";
import type { DashboardMachineProps, OeeRow, StateRow } from "../model.ts";
import { text } from "../text.ts";
import { causeText } from "../wording.ts";

export function DashboardMachine(props: DashboardMachineProps) {
  return (
    <Layout
      shell={props.shell}
      title={props.machine.name}
      theme="office"
      here="dashboard"
      scripts={["htmx.js", "dashboard.js"]}
    >
      <main id="main" class="report">
        <DashboardMachineReport {...props} />
      </main>
    </Layout>
  );
}

/** The report alone: what the page shows, and the answer to its own htmx requests. */
export function DashboardMachineReport(props: DashboardMachineProps) {
  const { shell, machine, period, total, trend, states, gaps, policy } = props;
  const id = encodeURIComponent(machine.machine_id);
  const whose = { machine_id: machine.machine_id, from: period.from, to: period.to };
  const csv = new URLSearchParams({ from: period.from, to: period.to, by: period.by, format: "csv" });
  return (
    <div id="report" class="report-body">
      <div class="report-head">
        <a class="button" href={`/dashboard${query(period, shell, { kind: period.kind })}`}>
          ← {text.dashboard.back}
        </a>
        <h1>{machine.name}</h1>
        <Span shell={shell} period={period} />
        <a class="button" href={`/hmi/${id}`}>
          {text.dashboard.wallLink}
        </a>
        <a class="button" href={`/api/v1/machines/${id}/oee?${csv}`} download>
          {text.dashboard.csv}
        </a>
      </div>
      <PeriodBar shell={shell} period={period} path={`/dashboard/${id}`} bys={["hour", "shift", "day"]} />
      <p class="notice report-failed" role="alert" hidden>
        {text.dashboard.failed}
      </p>
      <Total title={machine.name} row={total} whose={whose} />
      <OeeTrend shell={shell} period={period} rows={trend} whose={whose} />
      <section class="panel">
        <h2>{text.dashboard.timeline}</h2>
        <Timeline
          from_ms={ms(period.from)}
          to_ms={ms(period.to)}
          now_ms={shell.now_ms}
          states={states}
          gaps={gaps}
          timezone={shell.timezone}
          size="large"
        />
        <TimelineLegend />
      </section>
      <div class="pair">
        <Losses total={total} whose={whose} />
        <LongestStops machine_id={machine.machine_id} states={states} timezone={shell.timezone} />
      </div>
      <PolicyNote policy={policy} total={total} />
    </div>
  );
}

const TIMES = [
  ["RUNNING", "run_time_s"],
  ["DOWN", "down_time_s"],
  ["STOPPED", "stopped_time_s"],
  ["SETUP", "setup_time_s"],
  ["IDLE", "idle_time_s"],
  ["UNKNOWN", "unknown_time_s"],
] as const satisfies readonly (readonly [State, keyof OeeRow])[];

/** The seconds of each state, straight from the total's row; the share is of planned time. */
function Losses({ total, whose }: { total: OeeRow | null; whose: Whose }) {
  const lines = total ? TIMES : [];
  return (
    <section class="panel">
      <h2>{text.dashboard.losses}</h2>
      {total === null ? (
        <p class="hint">{text.oee.noFigures}</p>
      ) : (
        <table class="losses">
          <thead>
            <tr>
              <th scope="col">{text.dashboard.state}</th>
              <th scope="col" class="num">
                {text.dashboard.time}
              </th>
              <th scope="col" class="num">
                {text.dashboard.share}
              </th>
            </tr>
          </thead>
          <tbody>
            {lines.map(([state, figure]) => {
              const time_s = total[figure];
              const share = total.planned_time_s > 0 ? time_s / total.planned_time_s : null;
              return (
                <tr key={state}>
                  <th scope="row">
                    <StateLabel state={state} />
                  </th>
                  <td class="num">
                    <Why figure={figure} whose={whose}>
                      {duration(time_s)}
                    </Why>
                  </td>
                  <td class="share" data-state={state}>
                    <span>{percent(share)}</span>
                    <Bar ratio={share} label={text.states[state]} />
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </section>
  );
}

const LONGEST_ROWS = 8;

/** The longest single spans in which the machine did not run. */
function LongestStops({
  machine_id,
  states,
  timezone,
}: {
  machine_id: string;
  states: readonly StateRow[];
  timezone: string;
}) {
  const stops = states
    .filter(({ state }) => state !== "RUNNING")
    .sort((a, b) => b.seconds - a.seconds)
    .slice(0, LONGEST_ROWS);
  return (
    <section class="panel">
      <h2>{text.dashboard.longest}</h2>
      {stops.length === 0 ? (
        <p class="hint">{text.dashboard.noStops}</p>
      ) : (
        <table class="stops cards">
          <thead>
            <tr>
              <th scope="col">{text.dashboard.state}</th>
              <th scope="col">{text.dashboard.start}</th>
              <th scope="col" class="num">
                {text.dashboard.duration}
              </th>
              <th scope="col">{text.dashboard.reason}</th>
              <th scope="col">{text.dashboard.cause}</th>
            </tr>
          </thead>
          <tbody>
            {stops.map((row) => (
              <tr key={row.from}>
                <th scope="row">
                  <StateLabel state={row.state} />
                </th>
                <td data-label={text.dashboard.start}>{dayClock(ms(row.from), timezone)}</td>
                <td class="num" data-label={text.dashboard.duration}>
                  <a class="why" href={statePath(machine_id, row.from, row.to)} title={text.explain.why}>
                    {duration(row.seconds)}
                  </a>
                </td>
                <td data-label={text.dashboard.reason}>{row.reason || text.none}</td>
                <td class="wide" data-label={text.dashboard.cause}>
                  {causeText(row.cause ?? "") || text.none}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
