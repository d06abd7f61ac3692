// What moved on a page by itself since it was opened, in a real browser.
import type { Page } from "playwright-core";

/** @returns the layout shift so far (CLS), of what nobody touched; up to the frame that is drawn next */
export async function layoutShift(page: Page): Promise<number> {
  // What htmx fetches after the load is there.
  await page.waitForFunction(
    () =>
      document.readyState === "complete" &&
      document.querySelector(".htmx-request, .htmx-swapping, .htmx-settling") === null,
  );
  return page.evaluate(async () => {
    const frame = (): Promise<number> => new Promise(requestAnimationFrame);
    await document.fonts.ready;
    await frame();
    await frame();
    return new Promise<number>((resolve) => {
      const observer = new PerformanceObserver((list) => {
        const shifts = list.getEntriesByType("layout-shift") as (PerformanceEntry & {
          value: number;
          hadRecentInput: boolean;
        })[];
        resolve(shifts.reduce((sum, { value, hadRecentInput }) => sum + (hadRecentInput ? 0 : value), 0));
      });
      // Every page was painted: the observer is told of that, with all that moved, where nothing did as well.
      for (const type of ["layout-shift", "paint"]) observer.observe({ type, buffered: true });
    });
  });
}
