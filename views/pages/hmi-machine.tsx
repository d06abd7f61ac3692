// One machine at the machine: its state large, its parts and OEE of the shift, its signals as trends.
/** @jsxImportSource preact */
import type { LiveMachine } from "../../ingest/live/live.ts";
import { HmiEntry } from "../components/entry/entry.tsx";
import { Factors, Flags, Parts } from "../components/oee.tsx";
import { StateLine } from "../components/tile.tsx";
import { Timeline, TimelineLegend } from "../components/timeline.tsx";
import { activeConditions, chartSignals, firstTrends, freshness, partOf, word } from "../facts.ts";
import { clock, clockOrDay, measure, ms, percent } from "../format.ts";
import { Layout, LinkBand } from "../layout.tsx";
import type { HmiMachineFiguresProps, HmiMachineProps, Shell } from "../model.ts";
import { text } from "../text.ts";
import { heardText, sinceText } from "../wording.ts";

export function HmiMachine({ shell, name, live, figures, entry }: HmiMachineProps) {
  const id = encodeURIComponent(live.machine_id);
  return (
    <Layout
      shell={shell}
      title={name}
      theme="hmi"
      here="wall"
      scripts={["htmx.js", "machine.js"]}
      header={
        <>
          <h1 class="machine-name">{name}</h1>
          <a class="button" href={`/dashboard/${id}`}>
            {text.machine.report}
          </a>
          <time class="wall-clock" data-clock>
            {clock(shell.now_ms, shell.timezone)}
          </time>
        </>
      }
    >
      <LinkBand />
      <main
        id="main"
        class="machine"
        data-stream={`/api/v1/stream?machine=${id}`}
        data-live
        data-machine={live.machine_id}
        data-state={live.state}
        data-age={freshness(shell.now_ms - live.heard_ms)}
      >
        <section class="machine-state panel">
          <StateLine live={live} now_ms={shell.now_ms} />
          <p class="machine-since" data-since-text>
            {sinceText(live, shell)}
          </p>
          <Facts live={live} shell={shell} />
        </section>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: many alarms scroll, and must be reached by keyboard */}
        <section class="machine-conditions panel" aria-label={text.machine.conditions} tabIndex={0}>
          <h2>{text.machine.conditions}</h2>
          <Conditions live={live} shell={shell} />
        </section>
        <div
          class="machine-figures"
          id="figures"
          hx-get={`/hmi/${id}/figures`}
          hx-trigger="every 10s"
          hx-swap="innerHTML"
        >
          <HmiMachineFigures shell={shell} machine_id={live.machine_id} figures={figures} />
        </div>
        {entry && (
          <div
            class="machine-entry"
            id="entry"
            hx-get={`/hmi/${id}/entry`}
            hx-trigger="refresh"
            hx-swap="innerHTML"
          >
            <HmiEntry shell={shell} machine_id={live.machine_id} {...entry} />
          </div>
        )}
        <Charts live={live} />
        <div class="toasts">
          <p data-waiting role="status" hidden />
          <ul data-toasts aria-live="polite" />
        </div>
      </main>
    </Layout>
  );
}

/** Parts, OEE and timeline of the shift: the part that htmx refreshes. */
export function HmiMachineFigures({ shell, figures }: HmiMachineFiguresProps) {
  const row = figures?.oee ?? null;
  const shift = figures?.shift.name || text.wall.today;
  return (
    <>
      <section class="machine-oee panel">
        <h2>{text.machine.oeeTitle(shift)}</h2>
        <p class="big-number">{percent(row?.oee ?? null)}</p>
        <Factors row={row} />
        <p class="hint">
          {text.oee.coverage} {percent(row?.coverage ?? null)}
        </p>
        <Flags row={row} />
      </section>
      <section class="machine-parts panel">
        <h2>{text.machine.partsTitle(shift)}</h2>
        <Parts row={row} />
      </section>
      <section class="machine-timeline panel" data-gaps={JSON.stringify(figures?.gaps ?? [])}>
        <header>
          <h2>{text.machine.timeline(shift)}</h2>
          <p class="timeline-touched" role="status" data-touched />
          <TimelineLegend />
        </header>
        {figures ? (
          <Timeline
            from_ms={ms(figures.shift.from)}
            to_ms={ms(figures.shift.to)}
            now_ms={shell.now_ms}
            states={figures.states}
            gaps={figures.gaps}
            timezone={shell.timezone}
            size="large"
          />
        ) : (
          <p class="hint">{text.oee.noFigures}</p>
        )}
      </section>
    </>
  );
}

function Facts({ live, shell }: { live: LiveMachine; shell: Shell }) {
  const fact = (label: string, signal: string) => (
    <div>
      <dt>{label}</dt>
      <dd data-signal-word={signal}>{word(live, signal) || text.none}</dd>
    </div>
  );
  return (
    <dl class="facts">
      <div>
        <dt>{text.machine.part}</dt>
        <dd data-part>{partOf(live) || text.none}</dd>
      </div>
      {fact(text.machine.program, "program")}
      {fact(text.machine.execution, "execution")}
      {fact(text.machine.mode, "controller_mode")}
      <div>
        <dt>{text.machine.source}</dt>
        <dd data-source>{text.source[live.source]}</dd>
      </div>
      <div>
        <dt>{text.machine.lastData}</dt>
        <dd class="age" data-heard-text>
          {heardText(live.heard_ms, shell.now_ms)}
        </dd>
      </div>
    </dl>
  );
}

function Conditions({ live, shell }: { live: LiveMachine; shell: Shell }) {
  return (
    <>
      <ul class="conditions" data-conditions>
        {activeConditions(live).map(({ code, what, level, ts_us }) => (
          <li key={code + what} class="condition" data-level={level}>
            <b>{level === "FAULT" ? text.machine.fault : text.machine.warning}</b> <code>{code}</code>{" "}
            <span>{what}</span>{" "}
            <time>{text.wall.since(clockOrDay(ts_us / 1000, shell.now_ms, shell.timezone))}</time>
          </li>
        ))}
      </ul>
      <p class="hint conditions-none">{text.machine.noConditions}</p>
    </>
  );
}

/** The charts with their controls; each signal of the machine has a chip that shows or hides it. */
function Charts({ live }: { live: LiveMachine }) {
  const signals = chartSignals(live);
  const shown = firstTrends(signals);
  return (
    <section class="machine-trends panel" data-view="live">
      <div class="chart-bar">
        <h2 class="only-heard">{text.machine.trends}</h2>
        <fieldset class="chips" aria-label={text.machine.signals} data-chips>
          {signals.map((signal) => (
            <Chip key={signal} signal={signal} isShown={shown.includes(signal)} />
          ))}
        </fieldset>
        <fieldset class="chart-time" aria-label={text.machine.stretch}>
          {SPANS_MIN.map((minutes) => (
            <button key={minutes} type="button" data-span={minutes} aria-pressed={minutes === 15}>
              {minutes} {text.time.min}
            </button>
          ))}
          <button type="button" data-chart="back" aria-label={text.machine.earlier}>
            ◀
          </button>
          <button type="button" data-chart="forth" aria-label={text.machine.later}>
            ▶
          </button>
          <button type="button" class="chart-pause" data-chart="pause">
            <span data-chart-word>{text.machine.pause}</span>
          </button>
        </fieldset>
      </div>
      <p class="hint" data-history-failed hidden>
        {text.machine.historyFailed}
      </p>
      <div class="trends" data-trends>
        {shown.map((signal) => (
          <Trend key={signal} signal={signal} value={live.signals[signal]?.value ?? null} />
        ))}
      </div>
      <p class="hint trends-none">{text.machine.noTrends}</p>
      <template data-trend-template>
        <Trend signal="" value={null} />
      </template>
      <template data-chip-template>
        <Chip signal="" isShown={false} />
      </template>
    </section>
  );
}

/** How much time the charts can be told to show. */
const SPANS_MIN = [5, 15, 60];

function Chip({ signal, isShown }: { signal: string; isShown: boolean }) {
  return (
    <button type="button" class="chip" data-chip={signal} aria-pressed={isShown}>
      {text.signals[signal] ?? signal}
    </button>
  );
}

/** Label, current value and the place of the chart; the browser code draws it. */
function Trend({ signal, value }: { signal: string; value: number | string | null }) {
  return (
    <figure class="trend" data-trend={signal}>
      <figcaption>
        <span class="trend-name" data-trend-name>
          {text.signals[signal] ?? signal}
        </span>
        <span class="trend-value">
          <b data-trend-value>{typeof value === "number" ? measure(value) : text.none}</b>{" "}
          <span class="unit" data-trend-unit>
            {text.units[signal] ?? ""}
          </span>
        </span>
      </figcaption>
      <div class="trend-chart" data-trend-chart />
    </figure>
  );
}
