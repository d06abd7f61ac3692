// One signal as a line of steps: a value holds until the next; unknown time is hatched.
import uPlot from "uplot";
import { clock, clockSeconds, measure } from "../format.ts";
import { text } from "../text.ts";
import { axis, hatch, steps, token } from "./paint.ts";
import { type Point, Points } from "./points.ts";

/** A span of unknown time, ms. */
export type Span = readonly [number, number];
type Detail = { from_ms: number; to_ms: number; points: Points };

/** What is drawn: the stretch of time, until when the last value is known to hold, and when nothing is known. */
export type Shown = { from_ms: number; to_ms: number; until_ms: number; unknown: readonly Span[] };

export class Trend {
  readonly signal: string;
  readonly #place: HTMLElement;
  readonly #plot: uPlot;
  readonly #points = new Points();
  /** A stretch of the past in more detail than is kept. */
  #detail: Detail | undefined;
  #unknown: readonly Span[] = [];
  readonly #resized: ResizeObserver;

  constructor(place: HTMLElement, signal: string, timezone: string) {
    this.signal = signal;
    this.#place = place;
    this.#plot = new uPlot(this.#options(timezone), [[], []], place);
    this.#resized = new ResizeObserver(() => this.#plot.setSize(this.#size()));
    this.#resized.observe(place);
  }

  add(point: Point): void {
    this.#points.add(point);
  }

  /** Earlier values from the store; what came live meanwhile stays where it is newer. */
  history(earlier: readonly Point[]): void {
    this.#points.merge(earlier);
  }

  detail(from_ms: number, to_ms: number, found: readonly Point[]): void {
    const points = new Points();
    points.merge(found);
    this.#detail = { from_ms, to_ms, points };
  }

  trim(now_ms: number): void {
    this.#points.trim(now_ms);
  }

  draw({ from_ms, to_ms, until_ms, unknown }: Shown): void {
    const detail = this.#detail;
    const isDetailed = detail && detail.from_ms <= from_ms && detail.to_ms >= to_ms;
    const shown = (isDetailed ? detail.points : this.#points).between(from_ms, to_ms);
    const end = shown.at(-1);
    const held_ms = Math.min(until_ms, to_ms);
    // The last value holds: the source would have told of a change. What comes later is not in the picture.
    if (end && held_ms > end.ts_ms) shown.push({ ts_ms: held_ms, value: end.value });
    this.#unknown = [...unknown, ...missing(shown)];
    this.#plot.setData([shown.map(({ ts_ms }) => ts_ms / 1000), shown.map(({ value }) => value)], false);
    this.#plot.setScale("x", { min: from_ms / 1000, max: to_ms / 1000 });
  }

  destroy(): void {
    this.#resized.disconnect();
    this.#plot.destroy();
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
          values: (_plot, ticks, _axis, _space, step) =>
            ticks.map((tick) => (step < 60 ? clockSeconds : clock)(tick * 1000, timezone)),
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
