// The charts of a machine's page: which signals, which stretch of time; history from the store, then the stream.
import type { LiveMachine, LiveValue } from "../../ingest/live/live.ts";
import { chartSignals, firstTrends, MAX_TRENDS } from "../facts.ts";
import { measure, ms } from "../format.ts";
import type { GapRow } from "../model.ts";
import { text } from "../text.ts";
import { listen } from "./gestures.ts";
import type { Live } from "./live.ts";
import { COLUMN_MS, HISTORY_MS, type Point } from "./points.ts";
import { find, timezone, write } from "./screen.ts";
import { type Span, Trend } from "./trend.ts";
import { View } from "./view.ts";

const TRIM_EVERY_MS = 10_000;
/** What is kept shows a pixel and more a column from here on; for less time the store is asked again. */
const DETAIL_BELOW_MS = HISTORY_MS / 2;

type History = { signals: { signal: string; ts_ms: number[]; value: (number | null)[] }[] };

export class Charts {
  readonly #root: HTMLElement;
  readonly #machine_id: string;
  readonly #trends = new Map<string, Trend>();
  readonly #view = new View();
  /** The operator's choice of signals; null where there is none yet. */
  #chosen: string[] | null;
  #machine: LiveMachine | undefined;
  #link: Live | undefined;
  #dirty = true;
  #drawn = 0;
  #trimmed = 0;
  /** When the connection was lost, ms; 0 while it is up. */
  #lost_ms = 0;

  constructor(root: HTMLElement, machine_id: string) {
    this.#root = root;
    this.#machine_id = machine_id;
    this.#chosen = remembered(machine_id);
    this.#listen();
    setInterval(() => this.#tick(), 100);
  }

  /** The machine as the stream has it; `all` where anything may have happened since the last time. */
  show(machine: LiveMachine, link: Live, all: boolean): void {
    this.#machine = machine;
    this.#link = link;
    this.#choose(all);
    for (const [signal, trend] of this.#trends) {
      const value = machine.signals[signal];
      if (!value) continue;
      trend.add(pointOf(value));
      this.#showValue(signal, value);
    }
    this.#dirty = true;
  }

  connection(isLost: boolean, now_ms: number): void {
    this.#lost_ms = isLost ? this.#lost_ms || now_ms : 0;
    this.#dirty = true;
  }

  /** Draws as often as a pixel of time passes, ten times a second at most, once a second at least. */
  #tick(): void {
    if (!this.#link || document.hidden) return;
    const since_ms = performance.now() - this.#drawn;
    const pixel_ms = this.#view.isLive ? Math.min(1_000, this.#view.span_ms / 1_000) : 1_000;
    if (since_ms < 95 || (since_ms < 1_000 && !(this.#dirty && since_ms >= pixel_ms))) return;
    this.#drawn = performance.now();
    this.#dirty = false;
    this.#draw(this.#link.now_ms());
  }

  #draw(now_ms: number): void {
    const [from_ms, to_ms] = this.#view.range(now_ms);
    const unknown = this.#unknown(now_ms);
    const isDue = this.#drawn - this.#trimmed > TRIM_EVERY_MS;
    if (isDue) this.#trimmed = this.#drawn;
    for (const trend of this.#trends.values()) {
      if (isDue) trend.trim(now_ms);
      trend.draw({ from_ms, to_ms, until_ms: this.#lost_ms || now_ms, unknown });
    }
  }

  /** Puts up the charts of the chosen signals, and the chips to choose with. */
  #choose(all: boolean): void {
    if (!this.#machine) return;
    const signals = chartSignals(this.#machine);
    this.#showChips(signals);
    const wanted = this.#chosen?.filter((signal) => signals.includes(signal)) ?? firstTrends(signals);
    for (const signal of [...this.#trends.keys()].filter((one) => !wanted.includes(one))) this.#drop(signal);
    const missing = wanted.filter((signal) => all || !this.#trends.has(signal));
    for (const signal of wanted) this.#put(signal);
    if (missing.length > 0) void this.#load(missing);
    for (const chip of this.#root.querySelectorAll<HTMLElement>("[data-chip]"))
      chip.setAttribute("aria-pressed", String(wanted.includes(chip.dataset.chip ?? "")));
  }

  #showChips(signals: readonly string[]): void {
    const place = find("[data-chips]", this.#root);
    const template = this.#root.querySelector<HTMLTemplateElement>("[data-chip-template]");
    for (const signal of signals) {
      if (!place || !template || find(`[data-chip="${CSS.escape(signal)}"]`, place)) continue;
      const chip = template.content.firstElementChild?.cloneNode(true);
      if (!(chip instanceof HTMLElement)) continue;
      chip.dataset.chip = signal;
      write(chip, text.signals[signal] ?? signal);
      place.append(chip);
    }
  }

  #put(signal: string): void {
    const figure = figureOf(this.#root, signal) ?? newFigure(this.#root, signal);
    const chart = figure && find("[data-trend-chart]", figure);
    if (!this.#trends.has(signal) && chart) this.#trends.set(signal, new Trend(chart, signal, timezone));
    const value = this.#machine?.signals[signal];
    if (value) this.#showValue(signal, value);
  }

  #drop(signal: string): void {
    this.#trends.get(signal)?.destroy();
    this.#trends.delete(signal);
    figureOf(this.#root, signal)?.remove();
  }

  #showValue(signal: string, { value }: LiveValue): void {
    const figure = figureOf(this.#root, signal);
    if (figure)
      write(find("[data-trend-value]", figure), typeof value === "number" ? measure(value) : text.none);
  }

  /** A chip that is pressed comes or goes; where there is no room for one more, the first one goes. */
  #press(signal: string): void {
    const shown = [...this.#trends.keys()];
    this.#chosen = shown.includes(signal)
      ? shown.filter((one) => one !== signal)
      : [...shown, signal].slice(-MAX_TRENDS);
    localStorage.setItem(storageKey(this.#machine_id), JSON.stringify(this.#chosen));
    this.#choose(false);
    this.#dirty = true;
  }

  /** The hour before now, of some signals. */
  async #load(signals: string[]): Promise<void> {
    const now_ms = this.#link?.now_ms() ?? Date.now();
    const found = await this.#ask(signals, now_ms - HISTORY_MS, now_ms, HISTORY_MS / COLUMN_MS);
    find("[data-history-failed]", this.#root)?.toggleAttribute("hidden", found !== undefined);
    for (const [signal, points] of found ?? []) this.#trends.get(signal)?.history(points);
    this.#dirty = true;
  }

  /** More detail of a stretch that stands still, and a little around it. */
  async #loadDetail(): Promise<void> {
    const now_ms = this.#link?.now_ms() ?? Date.now();
    if (this.#view.isLive || this.#view.span_ms > DETAIL_BELOW_MS) return;
    const [from_ms, to_ms] = this.#view.range(now_ms);
    const around_ms = this.#view.span_ms / 2;
    const stretch = [from_ms - around_ms, Math.min(now_ms, to_ms + around_ms)] as const;
    const found = await this.#ask([...this.#trends.keys()], ...stretch, 2_000);
    for (const [signal, points] of found ?? []) this.#trends.get(signal)?.detail(...stretch, points);
    this.#dirty = true;
  }

  async #ask(signals: string[], from_ms: number, to_ms: number, points: number) {
    const query = new URLSearchParams(signals.map((signal) => ["signal", signal]));
    query.set("from", new Date(from_ms).toISOString());
    query.set("to", new Date(to_ms).toISOString());
    query.set("points", String(points));
    try {
      const path = `/api/v1/machines/${encodeURIComponent(this.#machine_id)}/history`;
      const response = await fetch(`${path}?${query}`);
      if (!response.ok) return undefined;
      const history = (await response.json()) as History;
      return new Map(
        history.signals.map(({ signal, ts_ms, value }): [string, Point[]] => [
          signal,
          ts_ms.map((at, i) => ({ ts_ms: at, value: value[i] ?? null })),
        ]),
      );
    } catch {
      return undefined;
    }
  }

  #listen(): void {
    const now_ms = () => this.#link?.now_ms() ?? Date.now();
    this.#root.addEventListener("click", (event) => {
      const { chip, chart, span } = (event.target as HTMLElement).closest("button")?.dataset ?? {};
      if (chip !== undefined) this.#press(chip);
      if (span !== undefined) this.#view.show(Number(span) * 60_000, now_ms());
      if (chart === "pause") {
        if (this.#view.isLive) this.#view.pause(now_ms());
        else this.#view.live();
      }
      if (chart === "back") this.#view.back(this.#view.span_ms / 2, now_ms());
      if (chart === "forth") this.#view.back(-this.#view.span_ms / 2, now_ms());
      if (span !== undefined || chart !== undefined) this.#moved(true);
    });
    listen(this.#root, (target) => (target as Element | null)?.closest(".u-over") ?? null, {
      move: (part) => {
        this.#view.back(part * this.#view.span_ms, now_ms());
        this.#moved(false);
      },
      zoom: (factor, at) => {
        const [from_ms] = this.#view.range(now_ms());
        this.#view.zoom(factor, from_ms + at * this.#view.span_ms, now_ms());
        this.#moved(false);
      },
      done: () => this.#moved(true),
    });
  }

  /** @param isDone the finger is off: now more detail may be asked for */
  #moved(isDone: boolean): void {
    const { isLive, span_ms } = this.#view;
    this.#root.dataset.view = isLive ? "live" : "still";
    write(
      find("[data-chart=pause] [data-chart-word]", this.#root),
      isLive ? text.machine.pause : text.machine.live,
    );
    for (const button of this.#root.querySelectorAll<HTMLElement>("[data-span]"))
      button.setAttribute("aria-pressed", String(Number(button.dataset.span) * 60_000 === span_ms));
    if (this.#link) this.#draw(this.#link.now_ms());
    if (isDone) void this.#loadDetail();
  }

  /** Gaps the server knows of, and the time since our own connection went. */
  #unknown(now_ms: number): Span[] {
    const gaps = JSON.parse(find("[data-gaps]")?.dataset.gaps ?? "[]") as GapRow[];
    const spans: Span[] = gaps.map((gap) => [ms(gap.from), gap.to === null ? now_ms : ms(gap.to)]);
    if (this.#lost_ms > 0) spans.push([this.#lost_ms, now_ms]);
    return spans;
  }
}

const pointOf = ({ ts_us, value }: LiveValue): Point => ({
  ts_ms: ts_us / 1000,
  value: typeof value === "number" ? value : null,
});

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

const storageKey = (machine_id: string): string => `mtc-charts:${machine_id}`;

function remembered(machine_id: string): string[] | null {
  try {
    const chosen: unknown = JSON.parse(localStorage.getItem(storageKey(machine_id)) ?? "null");
    return Array.isArray(chosen)
      ? chosen.filter((one) => typeof one === "string").slice(0, MAX_TRENDS)
      : null;
  } catch {
    return null;
  }
}
