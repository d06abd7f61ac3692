// One machine's report: its total, trend, timeline, and where the time went.
/** @jsxImportSource preact */
import type { State } from "../../domain/state-rules.ts";
import { apiPath, whoseOf } from "../components/asked.ts";
import { Crumbs, trailOf } from "../components/crumbs.tsx";
import { Files } from "../components/files.tsx";
import { Filters } from "../components/filters.tsx";
import { HeatLater, heatDays } from "../components/heat.tsx";
import { LossPanels } from "../components/loss-panels.tsx";
import { Bar } from "../components/oee.tsx";
import { PeriodBar, Span } from "../components/period.tsx";
import { Foot } from "../components/printed.tsx";
import { PolicyNote, Rows, Total } from "../components/report.tsx";
import { StateLabel } from "../components/state.tsx";
import { Timeline, TimelineLegend } from "../components/timeline.tsx";
import { statePath, type Whose, Why } from "../components/why.tsx";
import { dayClock, duration, ms, number, percent } from "../format.ts";
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
  const { shell, asked, machine, total, losses, reasons, states, policy } = props;
  const { period } = asked;
  const id = encodeURIComponent(machine.machine_id);
  return (
    <div id="report" class="report-body">
      <Crumbs trail={trailOf(asked, machine)} />
      <div class="report-head">
        <h1>{machine.name}</h1>
        <Span shell={shell} period={period} />
        <a class="button" href={`/hmi/${id}`}>
          {text.dashboard.wallLink}
        </a>
      </div>
      <PeriodBar shell={shell} asked={asked} />
      <Filters asked={asked} />
      <p class="notice report-failed" role="alert" hidden>
        {text.dashboard.failed}
      </p>
      <Total
        title={machine.name}
        shell={shell}
        asked={asked}
        row={total}
        before={props.before}
        target={props.target}
      />
      <Rows {...props} />
      <Intervals {...props} />
      <LossPanels asked={asked} total={total} losses={losses} reasons={reasons} />
      <div class="pair">
        <Losses total={total} whose={whoseOf(asked)} />
        <LongestStops
          machine_id={machine.machine_id}
          states={states}
          reasons={reasons}
          timezone={shell.timezone}
        />
      </div>
      <HeatLater asked={asked} days={heatDays(period)} />
      <PolicyNote policy={policy} total={total} />
      <Foot shell={shell} asked={asked} />
    </div>
  );
}

/** A band of more than that shows nothing any more. */
const BAND_MS = 3 * 86_400_000;
const LISTED_ROWS = 100;

/** The states as a band, and each of them as a line that leads on to why, and to the raw observations. */
function Intervals({
  shell,
  asked,
  states,
  gaps,
  states_from,
  reasons,
  total,
  machine,
}: DashboardMachineProps) {
  const { timezone, now_ms } = shell;
  const to_ms = ms(asked.period.to);
  const from_ms = Math.max(ms(states_from), to_ms - BAND_MS);
  const shown = states.filter((row) => ms(row.to) > from_ms);
  const isAll = from_ms === ms(asked.period.from);
  return (
    <section class="panel">
      <h2>
        {text.dashboard.timeline}
        {!isAll && `, ${dayClock(from_ms, timezone)} – ${dayClock(to_ms, timezone)}`}
      </h2>
      <Timeline
        from_ms={from_ms}
        to_ms={to_ms}
        now_ms={now_ms}
        states={shown}
        gaps={gaps}
        timezone={timezone}
        size="large"
      />
      <TimelineLegend />
      <details>
        <summary>{text.report.intervals}</summary>
        {shown.length > LISTED_ROWS && <p class="hint">{text.report.latest(number(LISTED_ROWS))}</p>}
        <StateRows
          machine_id={machine.machine_id}
          rows={shown.slice(-LISTED_ROWS).reverse()}
          reasons={reasons}
          timezone={timezone}
        />
      </details>
      <Files path={apiPath(asked, "states", total?.to ?? asked.period.to, {})} />
    </section>
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

type Listed = Pick<DashboardMachineProps, "states" | "reasons"> & { machine_id: string; timezone: string };

/** The longest single spans in which the machine did not run. */
function LongestStops({ states, ...listed }: Listed) {
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
        <StateRows rows={stops} {...listed} />
      )}
    </section>
  );
}

/** Spans of states; each duration leads to why the state was so. */
function StateRows({
  machine_id,
  rows,
  reasons,
  timezone,
}: Omit<Listed, "states"> & { rows: readonly StateRow[] }) {
  return (
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
        {rows.map((row) => (
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
            <td data-label={text.dashboard.reason}>
              {row.reason ? (reasons[row.reason] ?? row.reason) : text.none}
            </td>
            <td class="wide" data-label={text.dashboard.cause}>
              {causeText(row.cause ?? "") || text.none}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
