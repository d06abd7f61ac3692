// A signal's values over an hour, bounded: the newest as they came, older ones thinned to what a chart can show.

export type Point = { ts_ms: number; value: number | null };

/** How far back values are kept. */
export const HISTORY_MS = 60 * 60_000;
/** A thousand columns over the hour: the same grid that the history is asked for. */
export const COLUMN_MS = 3_600;
/** So long every value stays. */
const WHOLE_MS = 60_000;
/** Four for each column, the newest minute at 10 Hz, and room so that thinning comes every other minute. */
const MAX_POINTS = 4 * (HISTORY_MS / COLUMN_MS) + 2_000;

export class Points {
  /** In order of time. */
  #points: Point[] = [];

  get count(): number {
    return this.#points.length;
  }

  /** Adds a value in event time; a late one finds its place, the same time again is replaced. */
  add(point: Point): void {
    const at = after(this.#points, point.ts_ms);
    const before = this.#points[at - 1];
    if (before?.ts_ms === point.ts_ms) before.value = point.value;
    else this.#points.splice(at, 0, point);
  }

  /** Earlier values from the store; what came live meanwhile stays. */
  merge(earlier: readonly Point[]): void {
    const byTime = new Map(earlier.map((point) => [point.ts_ms, point]));
    for (const point of this.#points) byTime.set(point.ts_ms, point);
    this.#points = [...byTime.values()].sort((a, b) => a.ts_ms - b.ts_ms);
  }

  /** Lets go of what is older than an hour, and thins where there is too much. */
  trim(now_ms: number): void {
    this.#points.splice(0, Math.max(0, after(this.#points, now_ms - HISTORY_MS) - 1));
    if (this.#points.length <= MAX_POINTS) return;
    const cut = after(this.#points, now_ms - WHOLE_MS);
    const older = thinned(this.#points.slice(0, cut), COLUMN_MS);
    this.#points = [...older, ...this.#points.slice(cut)].slice(-MAX_POINTS);
  }

  /** What is drawn between two times, with the point before: it holds when the stretch begins. */
  between(from_ms: number, to_ms: number): Point[] {
    const first = Math.max(0, after(this.#points, from_ms) - 1);
    return this.#points.slice(first, after(this.#points, to_ms));
  }
}

/** The place of the first point that is later than a time. */
function after(points: readonly Point[], ts_ms: number): number {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((points[middle] as Point).ts_ms > ts_ms) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Of each column of time the first, the last, the lowest and the highest: the line through them is the line through all. */
export function thinned(points: readonly Point[], column_ms: number): Point[] {
  const kept: Point[] = [];
  for (let at = 0; at < points.length; ) {
    const first = points[at] as Point;
    const column = Math.floor(first.ts_ms / column_ms);
    let [last, low, high]: [Point, Point | undefined, Point | undefined] = [first, undefined, undefined];
    for (; at < points.length && Math.floor((points[at] as Point).ts_ms / column_ms) === column; at++) {
      last = points[at] as Point;
      if (last.value === null) continue;
      if (low === undefined || last.value < (low.value as number)) low = last;
      if (high === undefined || last.value > (high.value as number)) high = last;
    }
    const four = new Set([first, last, low ?? first, high ?? first]);
    kept.push(...[...four].sort((a, b) => a.ts_ms - b.ts_ms));
  }
  return kept;
}
