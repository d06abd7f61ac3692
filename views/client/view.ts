// Which stretch of time the charts show: the last minutes, moving, or a stretch that stands still.
import { HISTORY_MS } from "./points.ts";

const MIN_SPAN_MS = 30_000;
const FIRST_SPAN_MS = 15 * 60_000;

export class View {
  span_ms = FIRST_SPAN_MS;
  /** The right edge where the charts stand still; null while they follow. */
  #end_ms: number | null = null;

  get isLive(): boolean {
    return this.#end_ms === null;
  }

  /** From when to when, ms. */
  range(now_ms: number): [from_ms: number, to_ms: number] {
    const end_ms = this.#end_ms ?? now_ms;
    return [end_ms - this.span_ms, end_ms];
  }

  /** Follows time again. */
  live(): void {
    this.#end_ms = null;
  }

  /** Stands still. */
  pause(now_ms: number): void {
    this.#end_ms ??= now_ms;
  }

  /** Shows so much time; the right edge stays where it is. */
  show(span_ms: number, now_ms: number): void {
    this.span_ms = Math.min(Math.max(span_ms, MIN_SPAN_MS), HISTORY_MS);
    if (this.#end_ms !== null) this.#hold(this.#end_ms, now_ms);
  }

  /** Moves into the past by so much (into the future where it is below zero), and stands still there. */
  back(by_ms: number, now_ms: number): void {
    this.#hold((this.#end_ms ?? now_ms) - by_ms, now_ms);
  }

  /** Shows `factor` times the time, with `at_ms` staying where it is on the screen. A view that follows goes on so. */
  zoom(factor: number, at_ms: number, now_ms: number): void {
    const [from_ms, to_ms] = this.range(now_ms);
    const part = (at_ms - from_ms) / (to_ms - from_ms);
    this.span_ms = Math.min(Math.max(this.span_ms * factor, MIN_SPAN_MS), HISTORY_MS);
    if (this.#end_ms !== null) this.#hold(at_ms + (1 - part) * this.span_ms, now_ms);
  }

  /** The right edge is never ahead of now, the left one never before the hour that is kept. */
  #hold(end_ms: number, now_ms: number): void {
    this.#end_ms = Math.min(Math.max(end_ms, now_ms - HISTORY_MS + this.span_ms), now_ms);
  }
}
