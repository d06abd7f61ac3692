// A machine's page in the browser: state and words from the stream, trends from history and the stream.
import type { LiveMachine, LiveValue } from "../../ingest/live/live.ts";
import { activeConditions, trendSignals, word } from "../facts.ts";
import { clockOrDay, measure, ms } from "../format.ts";
import type { GapRow } from "../model.ts";
import { text } from "../text.ts";
import type { Live } from "./live.ts";
import { find, run, showMachine, timezone, write } from "./screen.ts";
import { type Point, type Span, Trend, WINDOW_MS } from "./trend.ts";

const page = find("main.machine");
const machine_id = page?.dataset.machine ?? "";
const trends = new Map<string, Trend>();

let dirty = true;
/** When the connection was lost, ms; 0 while it is up. */
let lost_ms = 0;

const live = run(
  (machines, all, link) => {
    const machine = machines.find((candidate) => candidate.machine_id === machine_id);
    if (page && machine) showAll(page, machine, link, all);
  },
  (state, link) => {
    lost_ms = state === "lost" ? lost_ms || link.now_ms() : 0;
    dirty = true;
  },
);

/** Draws at most ten times a second where something came, once a second otherwise, so that time moves on. */
let drawn = 0;
setInterval(() => {
  if (!live || document.hidden || (!dirty && performance.now() - drawn < 1000)) return;
  drawn = performance.now();
  dirty = false;
  const now_ms = live.now_ms();
  const unknown = unknownSpans(now_ms);
  for (const trend of trends.values()) trend.draw(lost_ms || now_ms, now_ms, unknown);
}, 100);

function showAll(root: HTMLElement, machine: LiveMachine, link: Live, all: boolean): void {
  const now_ms = link.now_ms();
  showMachine(root, machine, now_ms);
  write(find("[data-source]", root), text.source[machine.source]);
  for (const element of root.querySelectorAll<HTMLElement>("[data-signal-word]"))
    write(element, word(machine, element.dataset.signalWord ?? "") || text.none);
  showConditions(root, machine, now_ms);
  for (const signal of trendSignals(machine)) {
    const isNew = !trends.has(signal);
    const trend = trendOf(root, signal);
    const value = machine.signals[signal];
    if (!trend || !value) continue;
    // Earlier values are asked for before the snapshot's value is added, which may be hours old.
    if (all || isNew) void loadHistory(root, trend, value, now_ms);
    else trend.add(pointOf(value));
    showValue(root, signal, value);
  }
  dirty = true;
}

function showConditions(root: HTMLElement, machine: LiveMachine, now_ms: number): void {
  const list = find("[data-conditions]", root);
  if (!list) return;
  const items = activeConditions(machine).map(({ what, level, ts_us }) => {
    const item = document.createElement("li");
    item.className = "condition";
    item.dataset.level = level;
    const parts = [
      ["b", level === "FAULT" ? text.machine.fault : text.machine.warning],
      ["span", what],
      ["time", clockOrDay(ts_us / 1000, now_ms, timezone)],
    ] as const;
    for (const [tag, words] of parts) {
      const part = document.createElement(tag);
      part.textContent = words;
      item.append(part, " ");
    }
    return item;
  });
  if (list.textContent !== items.map((item) => item.textContent).join("")) list.replaceChildren(...items);
}

/** The trend of a signal; a signal that appears later gets a place of its own. */
function trendOf(root: HTMLElement, signal: string): Trend | undefined {
  const known = trends.get(signal);
  if (known) return known;
  const figure = figureOf(root, signal) ?? newFigure(root, signal);
  const place = figure && find("[data-trend-chart]", figure);
  if (!place) return undefined;
  const trend = new Trend(place, signal, timezone);
  trends.set(signal, trend);
  return trend;
}

const figureOf = (root: HTMLElement, signal: string): HTMLElement | null =>
  find(`[data-trend="${CSS.escape(signal)}"]`, root);

function newFigure(root: HTMLElement, signal: string): HTMLElement | null {
  const template = root.querySelector<HTMLTemplateElement>("[data-trend-template]");
  const figure = template?.content.firstElementChild?.cloneNode(true);
  if (!(figure instanceof HTMLElement)) return null;
  figure.dataset.trend = signal;
  write(find("[data-trend-name]", figure), text.signals[signal] ?? signal);
  write(find("[data-trend-unit]", figure), text.units[signal] ?? "");
  find("[data-trends]", root)?.append(figure);
  return figure;
}

function showValue(root: HTMLElement, signal: string, { value }: LiveValue): void {
  const figure = figureOf(root, signal);
  if (figure)
    write(find("[data-trend-value]", figure), typeof value === "number" ? measure(value) : text.none);
}

const pointOf = ({ ts_us, value }: LiveValue): Point => ({
  ts_ms: ts_us / 1000,
  value: typeof value === "number" ? value : null,
});

/** At most this many pages of history: bounded, whatever the server's page size. */
const MAX_PAGES = 20;

type ObservationPage = {
  rows: { signal: string; ts: string; seq: number; value: number | string | null }[];
  next_cursor?: string | null;
};

async function loadHistory(root: HTMLElement, trend: Trend, value: LiveValue, now_ms: number): Promise<void> {
  const points: Point[] = [];
  let failed = false;
  try {
    const query = new URLSearchParams({
      signal: trend.signal,
      from: new Date(now_ms - WINDOW_MS).toISOString(),
      to: new Date(now_ms).toISOString(),
    });
    for (let page_ = 0; page_ < MAX_PAGES; page_++) {
      const response = await fetch(
        `/api/v1/machines/${encodeURIComponent(machine_id)}/observations?${query}`,
      );
      if (!response.ok) throw new Error(`history: ${response.status}`);
      const { rows, next_cursor } = (await response.json()) as ObservationPage;
      for (const row of rows)
        points.push({ ts_ms: ms(row.ts), value: typeof row.value === "number" ? row.value : null });
      if (!next_cursor) break;
      query.set("cursor", next_cursor);
    }
  } catch {
    failed = true;
  }
  find("[data-history-failed]", root)?.toggleAttribute("hidden", !failed);
  trend.history(points);
  trend.add(pointOf(value));
  dirty = true;
}

/** Gaps the server knows of, and the time since our own connection went. */
function unknownSpans(now_ms: number): Span[] {
  const gaps = JSON.parse(find("[data-gaps]")?.dataset.gaps ?? "[]") as GapRow[];
  const spans: Span[] = gaps.map((gap) => [ms(gap.from), gap.to === null ? now_ms : ms(gap.to)]);
  if (lost_ms > 0) spans.push([lost_ms, now_ms]);
  return spans;
}
