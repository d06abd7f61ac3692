// One signal's last 15 minutes as a line of steps: a value holds until the next; unknown time is hatched.
import uPlot from "uplot";
import { clock, clockSeconds, measure } from "../format.ts";
import { text } from "../text.ts";
import { axis, hatch, steps, token } from "./paint.ts";

export const WINDOW_MS = 15 * 60_000;
/** 15 minutes at 10 Hz, and some. */
const MAX_POINTS = 12_000;

export type Point = { ts_ms: number; value: number | null };
/** A span of unknown time, ms. */
export type Span = readonly [number, number];

export class Trend {
  readonly signal: string;
  readonly #place: HTMLElement;
  readonly #plot: uPlot;
  /** In order of time. */
  #points: Point[] = [];
  #unknown: readonly Span[] = [];

  constructor(place: HTMLElement, signal: string, timezone: string) {
    this.signal = signal;
    this.#place = place;
    this.#plot = new uPlot(this.#options(timezone), [[], []], place);
    new ResizeObserver(() => this.#plot.setSize(this.#size())).observe(place);
  }

  /** Adds a value in event time; a late one finds its place, the same time again is replaced. */
  add(point: Point): void {
    const points = this.#points;
    let at = points.length;
    while (at > 0 && (points[at - 1] as Point).ts_ms > point.ts_ms) at--;
    const before = points[at - 1];
    if (before?.ts_ms === point.ts_ms) before.value = point.value;
    else points.splice(at, 0, point);
  }

  /** Earlier values from the store; what came live meanwhile stays where it is newer. */
  history(earlier: readonly Point[]): void {
    const byTime = new Map<number, Point>();
    for (const point of earlier) byTime.set(point.ts_ms, { ...point });
    for (const point of this.#points) byTime.set(point.ts_ms, point);
    this.#points = [...byTime.values()].sort((a, b) => a.ts_ms - b.ts_ms);
  }

  /**
   * Draws up to `until_ms`: the last value holds until then, for the source would have told of a change.
   * @param window_ms the right edge, ms
   */
  draw(until_ms: number, window_ms: number, unknown: readonly Span[]): void {
    this.#trim(window_ms - WINDOW_MS);
    const last = this.#points.at(-1);
    const held =
      last && until_ms > last.ts_ms
        ? [...this.#points, { ts_ms: until_ms, value: last.value }]
        : this.#points;
    this.#unknown = [...unknown, ...missing(held)];
    this.#plot.setData([held.map(({ ts_ms }) => ts_ms / 1000), held.map(({ value }) => value)], false);
    this.#plot.setScale("x", { min: (window_ms - WINDOW_MS) / 1000, max: window_ms / 1000 });
  }

  /** Keeps the last point before the window: it is the value the window begins with. */
  #trim(from_ms: number): void {
    let cut = Math.max(0, this.#points.length - MAX_POINTS);
    while ((this.#points[cut + 1]?.ts_ms ?? Number.POSITIVE_INFINITY) <= from_ms) cut++;
    if (cut > 0) this.#points.splice(0, cut);
  }

  #size(): { width: number; height: number } {
    return { width: Math.max(120, this.#place.clientWidth), height: Math.max(80, this.#place.clientHeight) };
  }

  #options(timezone: string): uPlot.Options {
    const unit = text.units[this.signal] ?? "";
    return {
      ...this.#size(),
      padding: [10, 10, 0, 0],
      legend: { show: false },
      cursor: { y: false, sync: { key: "trends" }, drag: { x: false, y: false } },
      tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), timezone),
      scales: { x: { time: true }, y: { range: (_plot, min, max) => range(min, max) } },
      axes: [
        axis({
          values: (_plot, ticks) => ticks.map((tick) => clock(tick * 1000, timezone)),
          space: 90,
          size: 26,
        }),
        axis({ values: (_plot, ticks) => ticks.map((tick) => measure(tick)), space: 34, size: 62 }),
      ],
      series: [
        { value: (_plot, x) => (x === null ? "" : clockSeconds(x * 1000, timezone)) },
        {
          label: text.signals[this.signal] ?? this.signal,
          stroke: token("--trend"),
          width: 2,
          points: { show: false },
          paths: steps,
          value: (_plot, y) => (y === null ? text.none : `${measure(y)} ${unit}`),
        },
      ],
      hooks: {
        drawClear: [
          (plot) =>
            hatch(
              plot,
              this.#unknown.map(([from, to]) => [from / 1000, to / 1000]),
            ),
        ],
      },
    };
  }
}

/** From 0, with a little room above; a flat line at 0 still gets a scale. */
function range(min: number | null, max: number | null): [number, number] {
  const low = Math.min(0, min ?? 0);
  const high = Math.max(0, max ?? 0);
  const span = high - low || 1;
  return [low < 0 ? low - span * 0.08 : 0, high + span * 0.08];
}

/** Spans in which the signal was UNAVAILABLE. */
function missing(points: readonly Point[]): Span[] {
  const spans: Span[] = [];
  points.forEach(({ ts_ms, value }, i) => {
    const next = points[i + 1];
    if (value === null && next) spans.push([ts_ms, next.ts_ms]);
  });
  return spans;
}
