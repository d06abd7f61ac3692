// Reports for screens: what several ask is read once.
import type { Filtered } from "../../../analytics-sql/queries/window.ts";
import { forAll } from "../../plugins/deadline.ts";

/** How many reports of a kind are remembered for screens that ask again. */
const REMEMBERED = 100;

/** What a report is asked for until the next roll-up: windows that end at different times after it are the same. */
export const untilRolled = ({ to_us, ...asked }: Filtered): unknown => [
  asked,
  Math.min(to_us, asked.as_of_us),
];

/** A screen that asks the same again, or another one that does, is told the same. */
export class Remembered<Report> {
  readonly #reports = new Map<string, Promise<Report>>();

  of(asked: unknown, ask: () => Promise<Report>): Promise<Report> {
    const key = JSON.stringify(asked);
    const known = this.#reports.get(key);
    if (known !== undefined) return known;
    const report = forAll(ask);
    this.#reports.set(key, report);
    report.catch(() => this.#reports.delete(key));
    for (const oldest of this.#reports.keys()) {
      if (this.#reports.size <= REMEMBERED) break;
      this.#reports.delete(oldest);
    }
    return report;
  }
}
