// First light: the demo plant from an empty directory to figures on a screen, and every page in one look.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { BROWSER_ARGS, chromiumForTests } from "../.ci/chromium.ts";
import { limit_ms, until } from "../.ci/limits.ts";
import {
  allCollected,
  cncsOf,
  DEMO,
  figures,
  machineIds,
  type OeeRow,
  rows,
  type StateRow,
  today,
  yesterday,
} from "./testing/demo-plant.ts";
import { everyScreen, LOOKS } from "./testing/every-screen.ts";
import { discard, signInLink, signInOnce, startServer, type TestServer, tempDir } from "./testing/server.ts";

const { executablePath, missing } = chromiumForTests();

const KIOSK = { viewport: { width: 1920, height: 1080 }, locale: "en-GB" };
const EXTRA = "bench-1";

let server: TestServer;
let browser: Browser;
let context: BrowserContext;
let ready_ms = 0;

beforeAll(async () => {
  if (missing) return;
  const spawned = performance.now();
  server = await startServer(DEMO, tempDir());
  ready_ms = performance.now() - spawned;
});

afterAll(async () => {
  await browser?.close();
  await discard(server);
});

const rowsOf = <T>(path: string): Promise<T[]> => rows<T>(server, path);
const cncs = (): Promise<string[]> => cncsOf(server);

/** Opens a page of the signed-in session, and fails on anything the console or the policy complained of. */
async function visit(path: string, look: (page: Page) => Promise<void>): Promise<void> {
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    // Figures that a busy machine does not have within the page's ten seconds are asked for again.
    // A machine that was made while the wall's figures were on their way has no tile for them.
    if (/^htmx:(timeout|afterRequest|oobErrorNoTarget, #figures-)/.test(message.text())) return;
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  try {
    await page.goto(new URL(path, server.origin).href);
    await look(page);
    expect(complaints).toEqual([]);
  } finally {
    await page.close();
  }
}

const isLive = (page: Page) => page.waitForSelector('html[data-link="live"]');

/** How many pixels of a canvas are drawn on. */
const drawn = (page: Page, selector: string): Promise<number> =>
  page.$eval(selector, (element) => {
    const canvas = element as HTMLCanvasElement;
    const { data } = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
    let count = 0;
    for (let i = 3; i < data.length; i += 4) if ((data[i] ?? 0) > 0) count++;
    return count;
  });

async function tell(signal: string, value: string | number): Promise<void> {
  const observations = [{ signal, ts: new Date().toISOString(), value }];
  const { status } = await server.call("POST", `/internal/machines/${EXTRA}/data`, { observations });
  expect(status).toBe(202);
}

/** A percentage on the screen as a ratio in thousandths, as it is rounded there. */
const thousandths = (shown: string | null): number => Math.round(Number.parseFloat(shown ?? "") * 10);

describe.skipIf(missing)("the demo, from an empty directory", () => {
  test("is ready, with an OEE for every CNC soon after", async () => {
    const since = performance.now();
    // Else it would be asked for the figures all along while its past comes in.
    await until(() => /demo plant:/.exec(server.output())?.[0]);
    await server.settled();
    const rows = await figures(server);
    const figures_ms = performance.now() - since;
    console.log(`ready ${ready_ms.toFixed(0)} ms after the start, OEE ${figures_ms.toFixed(0)} ms later`);
    for (const { oee } of rows.filter((row) => row.machine_id !== "demo-press-1")) {
      expect(oee).toBeGreaterThan(0);
      expect(oee).toBeLessThanOrEqual(1);
    }
    await allCollected(server);
    expect(await machineIds(server)).toHaveLength(5);
  });

  test("the printed link signs in, once, and the wall shows five machines as the reports have them", async () => {
    browser = await chromium.launch({ executablePath, args: BROWSER_ARGS });
    context = await browser.newContext(KIOSK);
    context.setDefaultTimeout(limit_ms());
    const link = await signInLink(server);
    await visit(link, async (page) => {
      await page.click("#sign-in-once button");
      await page.waitForURL(/\/hmi$/);
      expect(new URL(page.url()).pathname).toBe("/hmi");
      await isLive(page);
      expect(await page.$$eval(".tile", (all) => all.length)).toBe(5);
      const states = await until(async () => {
        // All at once: they wait for one roll-up.
        const now_ms = Date.now();
        const span = `from=${new Date(now_ms - 600_000).toISOString()}&to=${new Date(now_ms).toISOString()}`;
        const shown = await page.$$eval(".tile", (all) =>
          all.map((tile) => [
            (tile as HTMLElement).dataset.machine ?? "",
            (tile as HTMLElement).dataset.state,
          ]),
        );
        const same = await Promise.all(
          shown.map(async ([id, state]) => {
            const told = await rowsOf<StateRow>(`/api/v1/machines/${id}/states?${span}`);
            return told.at(-1)?.state === state;
          }),
        );
        return same.every(Boolean) ? shown.map(([, state]) => state) : undefined;
      });
      // An adapter may be lost just now; not all of them.
      expect(states.filter((state) => state !== "UNKNOWN").length).toBeGreaterThanOrEqual(4);
    });
    expect((await signInOnce(server)).status).toBe(401);
  });

  test("a change at a machine is on the wall, and the wall asks for nothing", async () => {
    const machine = { id: EXTRA, name: "Bench 1", source: { kind: "http" } };
    expect((await server.call("POST", "/api/v1/machines", machine)).status).toBe(201);
    await visit("/hmi", async (page) => {
      await isLive(page);
      const tile = `.tile[data-machine="${EXTRA}"]`;
      const asked: string[] = [];
      const took_ms: number[] = [];
      for (let i = 0; i < 5; i++)
        for (const [execution, state] of [
          ["ACTIVE", "RUNNING"],
          ["STOPPED", "STOPPED"],
        ] as const) {
          const told = performance.now();
          await tell("execution", execution);
          await page.waitForSelector(`${tile}[data-state="${state}"]`);
          took_ms.push(performance.now() - told);
          // The wall may have been drawn before the machine was made; from here on states come by the stream that is
          // open. The figures are asked for every ten seconds.
          if (took_ms.length === 1)
            page.on("request", (request) => {
              if (!request.url().includes("/hmi/figures")) asked.push(request.url());
            });
        }
      console.log(`from POST to the tile: ${took_ms.map((ms) => ms.toFixed(0)).join(", ")} ms`);
      expect(asked).toEqual([]);
      expect(await page.textContent(`${tile} .state-word`)).toBe("Stopped");
    });
  });

  test("a machine's page draws what the stream brings", async () => {
    await visit(`/hmi/${EXTRA}`, async (page) => {
      await isLive(page);
      const trend = '[data-trend="spindle_speed"]';
      expect(await page.$(trend)).toBeNull();
      for (const speed of [400, 1_200, 3_456]) {
        await tell("spindle_speed", speed);
        const shown = speed.toLocaleString("en-GB");
        await page.waitForFunction(
          ([place, words]) => document.querySelector(`${place} [data-trend-value]`)?.textContent === words,
          [trend, shown] as const,
        );
      }
      await until(async () => (await drawn(page, `${trend} canvas`)) > 500 || undefined);
    });
    // A CNC's page has its trends from history.
    await visit("/hmi/demo-vmc-1", async (page) => {
      await isLive(page);
      await page.waitForSelector("[data-trend] canvas");
      await until(async () => (await drawn(page, "[data-trend] canvas")) > 500 || undefined);
    });
  });

  test("invariant 5: the dashboard's figures are the API's, rounded", async () => {
    const [total] = await rowsOf<OeeRow>(`/api/v1/oee?${yesterday}&by=total`);
    const rows = await rowsOf<OeeRow>(`/api/v1/oee?${yesterday}&by=machine`);
    const [from, to] = [today.subtract({ days: 1 }), today].map((day) => day.toPlainDateTime().toString());
    await visit(`/dashboard?period=custom&from=${from}&to=${to}`, async (page) => {
      await page.waitForSelector(".oee-chart canvas");
      const whole = await page.textContent(".total .big-number");
      expect(thousandths(whole)).toBe(Math.round((total?.oee ?? Number.NaN) * 1_000));
      const shown = await page.$$eval("table.machines tbody tr", (all) =>
        all.map((row) => ({
          id: row.querySelector("a")?.getAttribute("href")?.split(/[/?]/)[2] ?? "",
          cells: [...row.children].map((cell) => cell.textContent ?? ""),
        })),
      );
      expect(shown).toHaveLength(6);
      for (const id of await cncs()) {
        const row = rows.find(({ machine_id }) => machine_id === id);
        const cells = shown.find((one) => one.id === id)?.cells ?? [];
        if (id === EXTRA) expect([id, row?.oee, cells[1]]).toEqual([id, null, "–"]);
        else
          expect([id, thousandths(cells[1] ?? "")]).toEqual([
            id,
            Math.round((row?.oee ?? Number.NaN) * 1_000),
          ]);
      }
    });
  });

  test("invariant 5: from a machine's OEE one gets to its explanation, and on to the raw observations", async () => {
    const [row] = (await rowsOf<OeeRow>(`/api/v1/machines/demo-vmc-1/oee?${yesterday}`)) ?? [];
    await visit("/dashboard/demo-vmc-1?period=yesterday", async (page) => {
      await page.click(".total .big-number a");
      await page.waitForSelector(".formula .sentence");
      expect(thousandths(await page.textContent(".formula .big-number"))).toBe(
        Math.round((row?.oee ?? 0) * 1_000),
      );
      await page.click('.intervals tr:has-text("run time") a');
      await page.waitForSelector(".raw .observations");
      expect(await page.textContent("main h2")).toContain("Rule 3");
      expect(await page.textContent(".raw .observations tbody td")).toBe("ACTIVE");
    });
  });

  test("a machine is deleted, and its tile is gone", async () => {
    expect((await server.call("DELETE", `/api/v1/machines/${EXTRA}`)).status).toBe(204);
    await visit("/hmi", async (page) => {
      await isLive(page);
      expect(await page.$$eval(".tile", (all) => all.length)).toBe(5);
    });
  });
});

const looks = Object.keys(LOOKS);
// Each page in one look, in turn; `screens.long.test.ts` has each in all of them.
everyScreen(
  (look, page) => looks.indexOf(look) === page % looks.length,
  async () => {
    const [{ name, value } = {}] = await context.cookies(server.origin);
    return { server, browser, cookie: `${name}=${value}` };
  },
);

describe.skipIf(missing)("the demo, at its end", () => {
  test("signing out ends the session itself, not only the browser's cookie", async () => {
    const [cookie] = await context.cookies(server.origin);
    const headers = { cookie: `${cookie?.name}=${cookie?.value}` };
    const status = async () => (await fetch(`${server.origin}/api/v1/machines`, { headers })).status;
    expect(await status()).toBe(200);
    await visit("/dashboard", async (page) => {
      await page.click('form[action="/sign-out"] button');
      await page.waitForURL(/\/sign-in\?out=1$/);
      await page.goto(`${server.origin}/hmi`);
      expect(new URL(page.url()).pathname).toBe("/sign-in");
    });
    expect(await status()).toBe(401);
  });
});
