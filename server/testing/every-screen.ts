// For tests: every page of the program in a real browser (SPEC 11.19): WCAG 2.2 AA by axe, budgets, nothing that jumps, in both languages and sizes.
import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import axe from "axe-core";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { BROWSER_ARGS, chromiumForTests } from "../../.ci/chromium.ts";
import { limit_ms, until } from "../../.ci/limits.ts";
import { crawl } from "./crawl.ts";
import { DEMO } from "./demo-plant.ts";
import { layoutShift } from "./layout-shift.ts";
import { signInOnce, startServer, type TestServer } from "./server.ts";

const { executablePath, missing } = chromiumForTests();

setDefaultTimeout(limit_ms(300));

/** What a first view may weigh, all in all, as it is sent. */
const FIRST_VIEW_BYTES = 100_000;
/** "Good" is under 0.1; where everything has its place it is nothing. */
const LAYOUT_SHIFT = 0.01;
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

export const LOOKS = {
  "kiosk, English": { viewport: { width: 1920, height: 1080 }, locale: "en-GB" },
  "phone, Russian": { viewport: { width: 390, height: 844 }, hasTouch: true, locale: "ru-RU" },
  "desktop, dark, Russian": {
    viewport: { width: 1440, height: 900 },
    colorScheme: "dark",
    reducedMotion: "reduce",
    locale: "ru-RU",
  },
} as const;

export type Look = keyof typeof LOOKS;

/** A browser and the demo plant, and who is signed in there: a session's cookie as `name=value`. */
export type Plant = { server: TestServer; browser: Browser; cookie: string };

let server: TestServer;
let browser: Browser;
let cookie: string;
let pages: Map<string, string>;
let broken: string[];

/** A plant of its own for a file of screens alone; the file ends it. */
export async function startPlant(): Promise<Plant> {
  const server = await startServer(DEMO);
  const browser = await chromium.launch({ executablePath, args: BROWSER_ARGS });
  await until(() => /demo plant:/.exec(server.output())?.[0]);
  await server.settled();
  const cookie = (await signInOnce(server)).headers.get("set-cookie")?.split(";")[0] ?? "";
  return { server, browser, cookie };
}

async function signedIn(look: (typeof LOOKS)[keyof typeof LOOKS]): Promise<BrowserContext> {
  const context = await browser.newContext(look);
  context.setDefaultTimeout(limit_ms());
  const [name = "", value = ""] = cookie.split("=");
  await context.addCookies([{ name, value, url: server.origin }]);
  return context;
}

type Measured = { bytes: number; server_ms: number };

/** Runs in the page: what the page and all that it loaded weighed on the wire. */
function weigh(): Measured {
  const [page] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  const files = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
  const own = files.filter(({ initiatorType }) =>
    ["link", "script", "css", "img", "other"].includes(initiatorType),
  );
  const bytes = [page, ...own].reduce((sum, file) => sum + (file?.encodedBodySize ?? 0), 0);
  return { bytes, server_ms: page ? page.responseStart - page.requestStart : 0 };
}

/** Runs in the page: links and buttons in view that a finger would not hit, since something lies over them. */
function covered(): string[] {
  return [...document.querySelectorAll<HTMLElement>("a, button, input, select, summary")]
    .filter((target) => target.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
    .filter((target) => {
      const { left, top, width, height } = target.getClientRects()[0] ?? new DOMRect();
      const [x, y] = [left + width / 2, top + height / 2];
      if (width === 0 || x < 0 || y < 0 || x >= innerWidth || y >= innerHeight) return false;
      // Scrolled out of the sight of a list of its own.
      for (let at = target.parentElement; at; at = at.parentElement) {
        const { top: upper, bottom: lower } = at.getBoundingClientRect();
        if (getComputedStyle(at).overflowY !== "visible" && (y < upper || y >= lower)) return false;
      }
      const hit = document.elementFromPoint(x, y);
      return (
        hit === null ||
        !(target.contains(hit) || hit.contains(target) || target.closest("label")?.contains(hit))
      );
    })
    .map((target) => `${target.tagName} "${target.textContent?.trim().slice(0, 30)}"`);
}

/** What axe finds, a line each. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate(
    (rules) =>
      (globalThis as unknown as { axe: typeof axe }).axe.run(document, {
        runOnly: rules,
        resultTypes: ["violations"],
      }),
    RULES,
  );
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")}: ${failureSummary?.slice(0, 200)}`),
  );
}

/**
 * Defines the tests: one that finds the pages, and one for each look.
 * @param isSeen whether the page with this number, in the order in which they are found, is looked at in a look
 * @param plant asked for once, before the first test
 */
export function everyScreen(
  isSeen: (look: Look, page: number) => boolean,
  plant: () => Promise<Plant>,
): void {
  describe.skipIf(missing)("every page", () => {
    beforeAll(async () => {
      if (missing) return;
      ({ server, browser, cookie } = await plant());
      const { body } = await server.call<{ rows: { id: string }[] }>("GET", "/api/v1/machines");
      const ids = body.rows.map(({ id }) => id);
      ({ pages, broken } = await crawl(server.origin, cookie, ids));
      console.log(`pages: ${[...pages.keys()].join(" ")}`);
    });

    test("is found by links, from the wall to the raw observations; none leads nowhere", () => {
      expect(broken).toEqual([]);
      for (const kind of ["/hmi", "/hmi/:id", "/dashboard", "/dashboard/:id", "/dashboard/:id/explain"])
        expect([...pages.keys()]).toContain(kind);
    });

    for (const [name, look] of Object.entries(LOOKS))
      test(`${name}: axe finds nothing, nothing jumps, a first view is small`, async () => {
        const all: string[] = [];
        /** Where something moved once: what a machine did at that very moment does not come again. */
        const moved = new Set<string>();
        /** @returns whether the page waited as long as it was meant to; else it is no look at it */
        const open = async (kind: string, path: string): Promise<boolean> => {
          const faults: string[] = [];
          // A context of its own: nothing is in its cache.
          const context = await signedIn(look);
          const page = await context.newPage();
          page.on("pageerror", ({ message }) => faults.push(`${kind}: ${message}`));
          page.on("console", (message) => {
            if (["error", "warning"].includes(message.type())) faults.push(`${kind}: ${message.text()}`);
          });
          await page.goto(server.origin + path);
          if (kind.startsWith("/hmi")) await page.waitForSelector('html[data-link="live"]');
          const shift = await layoutShift(page);
          const { bytes, server_ms } = await page.evaluate(weigh);
          console.log(
            `${name} ${kind}: ${bytes} bytes, shift ${shift.toFixed(4)}, ${server_ms.toFixed(0)} ms`,
          );
          if (shift > LAYOUT_SHIFT && !moved.has(path)) {
            moved.add(path);
            await context.close();
            return false;
          }
          if (shift > LAYOUT_SHIFT) faults.push(`${kind}: layout shift ${shift}`);
          if (bytes > FIRST_VIEW_BYTES) faults.push(`${kind}: ${bytes} bytes`);
          const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          if (wider > 0) faults.push(`${kind}: ${wider} px wider than the screen`);
          for (const what of await page.evaluate(covered))
            faults.push(`${kind}: ${what} lies under something`);
          for (const fault of await violations(page)) faults.push(`${kind}: ${fault}`);
          await context.close();
          // The page's own 10 s for a fragment: a busy machine takes longer now and then.
          if (faults.some((fault) => fault.includes("htmx:timeout"))) return false;
          all.push(...faults);
          return true;
        };
        // Two at a time: there are two cores.
        const waiting = [...pages].filter((_, page) => isSeen(name as Look, page));
        expect(waiting.length).toBeGreaterThan(0);
        const openAll = async (): Promise<void> => {
          for (let next = waiting.shift(); next; next = waiting.shift()) while (!(await open(...next)));
        };
        await Promise.all([openAll(), openAll()]);
        expect(all).toEqual([]);
      });
  });
}
