// A span of time as a band: a bar's height and colour say the state, hatching says unknown.
/** @jsxImportSource preact */
import type { State } from "../../domain/state-rules.ts";
import { BY_NEED } from "../facts.ts";
import { axisLabel, axisTicks, dayClock, duration, ms } from "../format.ts";
import type { GapRow, StateRow } from "../model.ts";
import { text } from "../text.ts";
import { causeText } from "../wording.ts";
import { StateIcon } from "./state.tsx";

/** What needs a hand stands taller, so that the band reads without colour (percent of its height). */
const HEIGHTS: Record<State, number> = {
  DOWN: 100,
  STOPPED: 82,
  SETUP: 64,
  RUNNING: 46,
  IDLE: 28,
  UNKNOWN: 100,
};

export type TimelineProps = {
  from_ms: number;
  to_ms: number;
  now_ms: number;
  states: readonly StateRow[];
  gaps: readonly GapRow[];
  timezone: string;
  /** `small` has no axis and no tips: for the tiles of the wall. */
  size: "small" | "large";
};

export function Timeline({ from_ms, to_ms, now_ms, states, gaps, timezone, size }: TimelineProps) {
  const span_ms = Math.max(1, to_ms - from_ms);
  // Nothing is known of what lies ahead, whatever a row says.
  const end_ms = Math.max(from_ms, Math.min(to_ms, now_ms));
  const at = (time_ms: number) => (Math.min(Math.max(time_ms, from_ms), end_ms) - from_ms) / span_ms;
  const box = (from: number, to: number) => ({
    x: share(at(from)),
    width: share(Math.max(0, at(to) - at(from))),
  });
  return (
    <div class={`timeline timeline-${size}`}>
      <svg class="timeline-band" role="img" aria-label={spoken(states)}>
        <rect class="timeline-ground" width="100%" height="100%" />
        {states.map((row) => (
          <rect
            key={row.from}
            class="timeline-state"
            data-state={row.state}
            {...(size === "large" && touched(row))}
            {...box(ms(row.from), ms(row.to))}
            y={`${100 - HEIGHTS[row.state]}%`}
            height={`${HEIGHTS[row.state]}%`}
            fill={row.state === "UNKNOWN" ? "url(#hatch)" : undefined}
          >
            {size === "large" && <title>{tip(row, timezone)}</title>}
          </rect>
        ))}
        {gaps.map((gap) => (
          <rect
            key={gap.from + gap.cause}
            class="timeline-gap"
            {...box(ms(gap.from), gap.to === null ? now_ms : ms(gap.to))}
            height="100%"
            fill="url(#hatch)"
          >
            {size === "large" && <title>{gapTip(gap, timezone)}</title>}
          </rect>
        ))}
        {now_ms > from_ms && now_ms < to_ms && (
          <line class="timeline-now" x1={share(at(now_ms))} x2={share(at(now_ms))} y1="0" y2="100%" />
        )}
      </svg>
      {size === "large" && <Axis from_ms={from_ms} to_ms={to_ms} timezone={timezone} />}
    </div>
  );
}

/** The states' shapes and words under a large band. */
export function TimelineLegend() {
  return (
    <ul class="legend">
      {BY_NEED.map((state) => (
        <li key={state} class="state-label" data-state={state}>
          <StateIcon state={state} />
          {text.states[state]}
        </li>
      ))}
    </ul>
  );
}

/** The times below a band. */
export function Axis({ from_ms, to_ms, timezone }: { from_ms: number; to_ms: number; timezone: string }) {
  return (
    <svg class="timeline-axis" aria-hidden="true">
      {axisTicks(from_ms, to_ms, timezone).map((tick) => {
        const x = share((tick - from_ms) / (to_ms - from_ms));
        return (
          <g key={tick}>
            <line x1={x} x2={x} y1="0" y2="6" />
            <text x={x} y="22" text-anchor="middle">
              {axisLabel(tick, from_ms, to_ms, timezone)}
            </text>
          </g>
        );
      })}
    </svg>
  );
}

/** For the browser: which piece is touched, and what is told of it. */
const touched = ({ from, to, reason, cause }: StateRow) => ({
  "data-from": from,
  "data-to": to,
  "data-why": [reason, causeText(cause ?? "")].filter(Boolean).join(" · ") || undefined,
});

const share = (ratio: number): string => `${Math.round(ratio * 1e5) / 1e3}%`;

function tip(row: StateRow, timezone: string): string {
  const what = [text.states[row.state], row.reason, causeText(row.cause ?? "")].filter(Boolean).join(" · ");
  return `${what}\n${dayClock(ms(row.from), timezone)}, ${duration(row.seconds)}`;
}

function gapTip(gap: GapRow, timezone: string): string {
  return `${text.machine.gap}: ${text.gapCauses[gap.cause]}\n${dayClock(ms(gap.from), timezone)}`;
}

/** The band in words: seconds by state. */
function spoken(states: readonly StateRow[]): string {
  return BY_NEED.map((state) => ({
    state,
    seconds: states.reduce((sum, row) => (row.state === state ? sum + row.seconds : sum), 0),
  }))
    .filter(({ seconds }) => seconds > 0)
    .map(({ state, seconds }) => `${text.states[state]} ${duration(seconds)}`)
    .join(", ");
}
