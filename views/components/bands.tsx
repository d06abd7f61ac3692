// The states of machines side by side, one band each.
/** @jsxImportSource preact */
import { dayClock, ms } from "../format.ts";
import type { DashboardBandsProps } from "../model.ts";
import { text } from "../text.ts";
import { piecePath, reportPath } from "./asked.ts";
import { Axis, Timeline, TimelineLegend } from "./timeline.tsx";

/** The place of the bands until they are there: as high as they will be. */
export function BandsLater({ asked, machines }: { asked: DashboardBandsProps["asked"]; machines: number }) {
  return (
    <section class="panel" hx-get={piecePath(asked, "bands")} hx-trigger="load" hx-swap="outerHTML">
      <h2>{text.dashboard.timeline}</h2>
      <p class="hint">{text.dashboard.loading}</p>
      <svg class="spacer" aria-hidden="true" width="1" height={machines * 48 + 60} />
    </section>
  );
}

export function DashboardBands({ shell, asked, from, to, machines, more }: DashboardBandsProps) {
  const { timezone, now_ms } = shell;
  return (
    <section class="panel">
      <h2>
        {text.dashboard.timeline}, {dayClock(ms(from), timezone)} – {dayClock(ms(to), timezone)}
      </h2>
      <ul class="bands">
        {machines.map(({ machine_id, name, states, gaps }) => (
          <li key={machine_id}>
            <a href={reportPath(asked, { path: `/dashboard/${encodeURIComponent(machine_id)}` })}>{name}</a>
            <Timeline
              from_ms={ms(from)}
              to_ms={ms(to)}
              now_ms={now_ms}
              states={states}
              gaps={gaps}
              timezone={timezone}
              size="small"
            />
          </li>
        ))}
        <li class="bands-axis">
          <span />
          <Axis from_ms={ms(from)} to_ms={ms(to)} timezone={timezone} />
        </li>
      </ul>
      <TimelineLegend />
      {more > 0 && <p class="hint">{text.report.moreMachines(more)}</p>}
    </section>
  );
}
