// The reports' browser code: OEE by hour, shift or day as bars, its factors as lines.
import uPlot from "uplot";
import type { OeeChartData } from "../components/report.tsx";
import { axisLabel, axisTicks, dayClock, percent } from "../format.ts";
import { text } from "../text.ts";
import { axis, hatch, steps, token } from "./paint.ts";
import { find, timezone } from "./screen.ts";

let plot: uPlot | undefined;

/** @param anew also where the chart is there already: it may have other colours now, or another width */
function draw(anew: boolean): void {
  const place = find("[data-oee-trend]");
  if (!anew && plot && place?.contains(plot.root)) return;
  plot?.destroy();
  plot = undefined;
  if (!place) return;
  const data = JSON.parse(place.dataset.oeeTrend ?? "") as OeeChartData;
  const last = data.end_ms.at(-1) ?? 0;
  const seconds = [...data.start_ms, last].map((start) => start / 1000);
  const line = (name: (typeof LINES)[number][0]) => [...data[name], data[name].at(-1) ?? null];
  plot = new uPlot(
    options(place, data),
    [
      seconds,
      [...data.oee, null],
      ...LINES.map(([name]) => line(name)),
      ...(data.target === null ? [] : [seconds.map(() => data.target)]),
    ],
    place,
  );
}

/** Lines differ by dash, not by colour alone. */
const LINES = [
  ["availability", "--line-a", [10, 5]],
  ["performance", "--line-p", [2, 4]],
  ["quality", "--line-q", [10, 4, 2, 4]],
] as const;

/** The same in the legend's words: time, OEE, then the lines. */
const LEGEND = ["solid", "solid", "dashed", "dotted", "double", "solid"];

function options(place: HTMLElement, data: OeeChartData): uPlot.Options {
  const { from_ms, to_ms } = data;
  const most = Math.max(2, Math.floor(place.clientWidth / 110));
  const percentOf = (_plot: uPlot, value: number | null) => percent(value);
  return {
    width: place.clientWidth,
    height: place.clientHeight,
    padding: [12, 8, 0, 0],
    legend: { markers: { width: 3, dash: (_plot, series) => LEGEND[series] ?? "solid" } },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), timezone),
    scales: {
      x: { time: true, range: [from_ms / 1000, to_ms / 1000] },
      y: { range: (_plot, _min, max) => [0, (max ?? 0) > 1 ? (max ?? 0) * 1.05 : 1] },
    },
    axes: [
      axis({
        grid: { show: false },
        splits: () => axisTicks(from_ms, to_ms, timezone, most).map((tick) => tick / 1000),
        values: (_plot, ticks) => ticks.map((tick) => axisLabel(tick * 1000, from_ms, to_ms, timezone)),
      }),
      axis({ size: 56, values: (_plot, ticks) => ticks.map((tick) => percent(tick, 0)) }),
    ],
    series: [
      {
        label: text.dashboard.time,
        value: (_plot, x) => (x === null ? text.none : dayClock(x * 1000, timezone)),
      },
      {
        label: text.oee.oee,
        fill: token("--bar"),
        width: 0,
        points: { show: false },
        paths: bars(data),
        value: percentOf,
      },
      ...LINES.map(([name, colour, dash]) => ({
        label: text.oee[name],
        stroke: token(colour),
        width: 2,
        dash: [...dash],
        points: { show: false },
        paths: steps,
        value: percentOf,
      })),
      ...(data.target === null
        ? []
        : [
            {
              label: text.report.target,
              stroke: token("--text"),
              width: 2,
              points: { show: false },
              value: percentOf,
            },
          ]),
    ],
    hooks: { drawClear: [(chart) => hatch(chart, unknown(data))] },
  };
}

/** A bar as wide as its bucket: the running hour, shifts and days of 23 hours differ. */
const bars =
  ({ start_ms, end_ms, oee }: OeeChartData): uPlot.Series.PathBuilder =>
  (chart) => {
    const fill = new Path2D();
    const floor = chart.valToPos(0, "y", true);
    oee.forEach((value, i) => {
      if (value === null) return;
      const left = chart.valToPos((start_ms[i] as number) / 1000, "x", true);
      const right = chart.valToPos((end_ms[i] as number) / 1000, "x", true);
      const top = chart.valToPos(value, "y", true);
      const gap = right - left > 12 ? 2 : 0;
      fill.rect(left + gap, top, Math.max(1, right - left - 2 * gap), floor - top);
    });
    return { fill };
  };

/** Buckets of scheduled time of which nothing is known. */
const unknown = ({ start_ms, end_ms, unknown }: OeeChartData): [number, number][] =>
  start_ms.flatMap((start, i) =>
    unknown[i] ? [[start / 1000, (end_ms[i] as number) / 1000] as [number, number]] : [],
  );

draw(true);
document.addEventListener("htmx:afterSettle", () => draw(false));
// Paper is white, whatever the screen is.
for (const query of ["(prefers-color-scheme: dark)", "print"])
  matchMedia(query).addEventListener("change", () => draw(true));
let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth !== width) draw(true);
  width = innerWidth;
});
for (const failure of ["htmx:sendError", "htmx:responseError", "htmx:timeout"])
  document.addEventListener(failure, () => find(".report-failed")?.removeAttribute("hidden"));
