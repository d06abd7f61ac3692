// Reports for screens, kept until the next roll-up: what several ask is read once.
import type { Filtered } from "../../../analytics-sql/queries/window.ts";

/** How many reports of a kind are remembered for screens that ask again. */
const REMEMBERED = 100;

/** Until the next roll-up a screen that asks the same again, or another one that does, is told the same. */
export class Remembered<Report> {
  readonly #reports = new Map<string, Promise<Report>>();

  of({ to_us, ...asked }: Filtered & Record<string, unknown>, ask: () => Promise<Report>): Promise<Report> {
    const key = JSON.stringify([asked, Math.min(to_us, asked.as_of_us)]);
    const known = this.#reports.get(key);
    if (known !== undefined) return known;
    const report = ask();
    this.#reports.set(key, report);
    report.catch(() => this.#reports.delete(key));
    for (const oldest of this.#reports.keys()) {
      if (this.#reports.size <= REMEMBERED) break;
      this.#reports.delete(oldest);
    }
    return report;
  }
}
