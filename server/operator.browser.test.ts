// What an operator does at a machine: from its stop to the reason in the reports, rejects and back, a lot by scanner, charts.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { BROWSER_ARGS, chromiumForTests } from "../.ci/chromium.ts";
import { limit_ms, pace, until } from "../.ci/limits.ts";
import { discard, signInLink, startServer, type TestServer } from "./testing/server.ts";

const { executablePath, missing } = chromiumForTests();

setDefaultTimeout(limit_ms(260));

const KIOSK = { viewport: { width: 1920, height: 1080 }, locale: "en-GB", hasTouch: true };
const MINUTE_MS = 60_000;
const began_ms = Date.now();
/** Began half a day ago, whatever the time: screens show the shift, and without one the day, which may just have begun. */
const [shift_begins] = new Date(began_ms - 12 * 60 * MINUTE_MS).toISOString().slice(11).split(":");
const SHIFT = {
  name: "all day",
  days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
  start: `${shift_begins}:00`,
  end: `${shift_begins}:00`,
};

let server: TestServer;
let browser: Browser;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  if (missing) return;
  server = await startServer();
  browser = await chromium.launch({ executablePath, args: BROWSER_ARGS });
  context = await browser.newContext(KIOSK);
  const machine = { id: "mill-1", name: "Mill 1", source: { kind: "http" } };
  await call("POST", "/api/v1/machines", machine);
  await call("PUT", "/api/v1/machines/mill-1/calendar", { timezone: "UTC", shifts: [SHIFT] });
  await call("PUT", "/api/v1/reasons", [
    { code: "logistics", name: "Logistics" },
    { code: "material", name: "No material", parent: "logistics" },
    { code: "crane", name: "Waiting for the crane", parent: "logistics" },
    { code: "setup", name: "Setting up" },
  ]);
  const link = await signInLink(server);
  context.setDefaultTimeout(limit_ms());
  page = await context.newPage();
  await page.goto(link);
  await page.click("#sign-in-once button");
  await page.waitForURL(/\/hmi$/);
});

afterAll(async () => {
  await browser?.close();
  await discard(server);
});

async function call<T = unknown>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await server.call<T>(method, path, body);
  expect([path, answer.status < 300]).toEqual([path, true]);
  return answer.body;
}

/** Minutes before the test began. */
const before = (minutes: number): string => new Date(began_ms - minutes * MINUTE_MS).toISOString();

async function tell(...rows: [signal: string, ts: string, value: string | number][]): Promise<void> {
  const observations = rows.map(([signal, ts, value]) => ({ signal, ts, value }));
  await call("POST", "/internal/machines/mill-1/data", { observations });
  await server.settled();
}

type State = { state: string; reason: string };
const SPAN = `from=${before(60)}`;
const lastState = async (): Promise<State | undefined> =>
  (await call<{ rows: State[] }>("GET", `/api/v1/machines/mill-1/states?${SPAN}`)).rows.at(-1);

async function parts(): Promise<{ total_count: number; reject_count: number } | undefined> {
  const path = `/api/v1/machines/mill-1/oee?${SPAN}`;
  return (await call<{ rows: { total_count: number; reject_count: number }[] }>("GET", path)).rows[0];
}

/** Entered so far, opposite entries too: to read them needs no roll-up, while a toast offers its undo for seconds only. */
const rejects = async (): Promise<number[]> =>
  (await call<{ rows: { count: number }[] }>("GET", `/api/v1/machines/mill-1/rejects?${SPAN}`)).rows.map(
    ({ count }) => count,
  );

const toastSays = (words: string) => page.waitForSelector(`[data-toasts] li:has-text("${words}")`);

type Lot = { lot: string; part: string };
const lots = async (): Promise<Lot[]> =>
  (await call<{ rows: Lot[] }>("GET", `/api/v1/machines/mill-1/lots?${SPAN}`)).rows;

const lotField = (): Promise<string> => page.inputValue("[data-lot-form] [name=lot]");

let scanned_ms = 0;

/**
 * What a scanner types, as the browser has it from the system: keys at times of their own, however busy this machine is.
 * @param pauses_ms between the keys, the last for all that follow
 */
async function scan(code: string, pauses_ms = [12]): Promise<void> {
  const session = await context.newCDPSession(page);
  let at_ms = Math.max(Date.now(), scanned_ms + 100);
  for (const [i, text] of [...code, "\r"].entries()) {
    if (i > 0) at_ms += pauses_ms[Math.min(i, pauses_ms.length) - 1] ?? 0;
    const key = text === "\r" ? { key: "Enter", windowsVirtualKeyCode: 13 } : { key: text };
    const timestamp = at_ms / 1_000;
    await session.send("Input.dispatchKeyEvent", { type: "keyDown", text, timestamp, ...key });
    await session.send("Input.dispatchKeyEvent", { type: "keyUp", timestamp, ...key });
  }
  scanned_ms = at_ms;
  await session.detach();
}

/** Every drawing begins with a canvas that is wiped. @returns how many there were since */
async function countDrawings(): Promise<() => Promise<number>> {
  await page.evaluate(() => {
    const canvas = CanvasRenderingContext2D.prototype as CanvasRenderingContext2D & { drawings: number };
    const { clearRect } = canvas;
    canvas.drawings = 0;
    canvas.clearRect = function (...place) {
      canvas.drawings += 1;
      return clearRect.apply(this, place);
    };
  });
  return () =>
    page.evaluate(() => (CanvasRenderingContext2D.prototype as never as { drawings: number }).drawings);
}

describe.skipIf(missing)("an operator at a machine", () => {
  test("gives a stop its reason with one touch; it holds until the machine runs, and is in the report", async () => {
    await tell(["execution", before(30), "ACTIVE"], ["execution", before(12), "STOPPED"]);
    await page.goto(`${server.origin}/hmi/mill-1`);
    await page.waitForSelector('html[data-link="live"]');
    await page.waitForSelector('.entry-why[data-stopped="true"]');
    await page.tap('[data-reason="crane"]');
    await toastSays("Waiting for the crane");
    await toastSays("saved");
    await server.settled();
    expect(await lastState()).toMatchObject({ state: "STOPPED", reason: "crane" });
    await tell(["execution", before(2), "ACTIVE"], ["execution", before(1), "STOPPED"]);
    // That it ran ends the reason, a look later.
    type Given = { rows: { to: string | null }[] };
    await until(async () =>
      (await call<Given>("GET", `/api/v1/machines/mill-1/downtime?${SPAN}`)).rows.every(
        ({ to }) => to !== null,
      ),
    );
    await server.settled();
    expect(await lastState()).toMatchObject({ state: "STOPPED", reason: "" });
    const report = await context.newPage();
    await report.goto(`${server.origin}/dashboard/mill-1?period=7d`);
    await report.waitForSelector(".longest, main");
    expect(await report.textContent("main")).toMatch(/crane/);
    await report.close();
  });

  test("what was said most often comes first; another stop of the shift can be chosen", async () => {
    await page.reload();
    await until(async () => {
      await page.reload();
      const first = await page.textContent(".entry-why > .choices-big [data-reason]");
      return first === "Waiting for the crane" || undefined;
    });
    expect(await page.$$eval(".stop", (all) => all.length)).toBe(1);
  });

  test("invariant 2: rejects by touch, undone they are nothing; with a reason from the sheet", async () => {
    await tell(["part_count", before(30), 0], ["part_count", before(3), 40]);
    const row = page.locator(".entry-made");
    await row.locator('[data-enter="reject"][data-count="5"]').tap();
    await toastSays("Reject: 5");
    await until(async () => (await rejects()).includes(5));
    await page.locator("[data-toasts] li", { hasText: "Reject: 5" }).locator("button").first().tap();
    await until(async () => (await rejects()).includes(-5));
    await server.settled();
    expect((await parts())?.reject_count).toBe(0);
    await page.tap('[data-number="reject"]');
    await page.tap('[data-step="1"]');
    await page.tap('[data-step="1"]');
    await page.selectOption("[data-number-form] select", "setup");
    await page.tap("[data-number-form] .primary");
    await toastSays("Reject: 3");
    await until(async () => (await rejects()).includes(3));
    await server.settled();
    expect((await parts())?.reject_count).toBe(3);
    const { rows } = await call<{ rows: { count: number; reason: string }[] }>(
      "GET",
      `/api/v1/machines/mill-1/rejects?${SPAN}`,
    );
    expect(rows.map(({ count, reason }) => [count, reason])).toEqual([
      [5, ""],
      [-5, ""],
      [3, "setup"],
    ]);
  });

  test("a scanned barcode opens the lot's sheet, and begins nothing before it is touched", async () => {
    const five = page.locator('.entry-made [data-enter="reject"][data-count="5"]');
    const rejected = (await rejects()).length;
    await page.locator("main").click({ position: { x: 5, y: 5 } });
    for (const focused of [true, false]) {
      await (focused ? five.focus() : five.blur());
      await scan("batch 12 b");
      await page.waitForSelector("#sheet-lot[open]");
      expect(await lotField()).toBe("batch 12 b");
      expect(await lots()).toEqual([]);
      // Another one, with the focus in a field: that holds what it held.
      await page.fill("[data-lot-form] [name=part]", "4711-A");
      await scan("LOT-4711");
      expect(await lotField()).toBe("LOT-4711");
      expect(await page.inputValue("[data-lot-form] [name=part]")).toBe("4711-A");
      expect(await lots()).toEqual([]);
      await page.keyboard.press("Escape");
    }
    await scan("LOT-4711");
    await page.fill("[data-lot-form] [name=part]", "4711-A");
    await page.tap("[data-lot-form] .primary");
    await toastSays("LOT-4711");
    const rows = await until(async () => ((await lots()).length > 0 ? await lots() : undefined));
    expect(rows).toMatchObject([{ lot: "LOT-4711", part: "4711-A" }]);
    expect((await rejects()).length).toBe(rejected);
    // A person's key on the button that has the focus does what it always did.
    await until(async () => {
      // Where the page is drawn anew at that very moment, the button that had the focus is gone.
      await five.press(" ");
      await pace(1_000);
      return (await rejects()).length > rejected;
    });
  });

  test("a scan that did not come through whole is refused with a word, and fills in nothing", async () => {
    await page.locator("main").click({ position: { x: 5, y: 5 } });
    await scan("LOT-4712", [12, 12, 400, 12]);
    await toastSays("scan it again");
    expect(await page.isVisible("#sheet-lot")).toBe(false);
  });

  test("charts show an hour, stand still on request, and come back to live; a signal is hidden by its chip", async () => {
    await tell(
      ["spindle_speed", before(55), 900],
      ["spindle_speed", before(30), 4_321],
      ["spindle_speed", before(1), 1_500],
      ["load", before(50), 30],
    );
    await page.reload();
    const chart = page.locator('[data-trend="spindle_speed"] canvas');
    await chart.waitFor();
    await page.tap('[data-span="60"]');
    expect(await page.getAttribute('[data-span="60"]', "aria-pressed")).toBe("true");
    await page.tap('[data-chart="pause"]');
    await page.waitForSelector('.machine-trends:not([data-view="live"])');
    await tell(["spindle_speed", new Date().toISOString(), 777]);
    await page.waitForFunction(
      () => document.querySelector('[data-trend="spindle_speed"] [data-trend-value]')?.textContent === "777",
    );
    await page.tap('[data-chart="pause"]');
    await page.waitForSelector('.machine-trends[data-view="live"]');
    await page.tap('[data-chip="spindle_speed"]');
    await page.waitForSelector('[data-trend="spindle_speed"]', { state: "detached" });
    await page.waitForSelector('[data-trend="load"] canvas');
  });

  test("an hour at 10 Hz is drawn with its gap, stands still while values go on, and is looked at closer", async () => {
    const now_us = Date.now() * 1_000;
    const isGap = (row: number) => row >= 12_000 && row < 18_000;
    for (let first = 0; first < 36_000; first += 4_500) {
      const rows = Array.from({ length: 4_500 }, (_, i) => first + i);
      await call("POST", "/internal/machines/mill-1/data", {
        signals: ["torque"],
        signal: rows.map(() => 0),
        t0: now_us - 3_600_000_000,
        dt: rows.map((row) => row * 100_000),
        num: rows.map((row) => (isGap(row) ? null : 2_000 + Math.round(900 * Math.sin(row / 400)))),
        words: ["UNAVAILABLE"],
        word: rows.map((row) => (isGap(row) ? 1 : 0)),
      });
    }
    await server.settled();
    await page.goto(`${server.origin}/hmi/mill-1`);
    await page.waitForSelector('html[data-link="live"]');
    const history = () => page.waitForResponse((response) => response.url().includes("signal=torque"));
    if ((await page.getAttribute('[data-chip="torque"]', "aria-pressed")) === "true")
      await page.tap('[data-chip="torque"]');
    const asked = history();
    await page.tap('[data-chip="torque"]');
    const response = await asked;
    const { signals } = (await response.json()) as { signals: { signal: string; ts_ms: number[] }[] };
    const points = signals.find(({ signal }) => signal === "torque")?.ts_ms.length ?? 0;
    const { responseStart, requestStart } = response.request().timing();
    console.log(`an hour at 10 Hz: ${points} points in ${(responseStart - requestStart).toFixed(0)} ms`);
    expect(points).toBeGreaterThan(1_000);
    expect(points).toBeLessThan(4_100);

    await page.tap('[data-span="60"]');
    const chart = '[data-trend="torque"] canvas';
    // A line or, in the gap, hatching in every column of the plot: none is empty, and none is invented.
    await until(async () => (await inked(chart)) > 0.8 || undefined);
    await page.tap('[data-chart="pause"]');
    const still = await picture(chart);
    await tell(["torque", new Date().toISOString(), 4_321]);
    await page.waitForFunction(
      () => document.querySelector('[data-trend="torque"] [data-trend-value]')?.textContent === "4,321",
    );
    // It is drawn again every second, the same.
    const drawings = await countDrawings();
    await until(async () => (await drawings()) >= 2);
    expect((await picture(chart)) === still).toBe(true);
    const closer = history();
    await page.hover('[data-trend="torque"] .u-over');
    for (let turn = 0; turn < 10; turn++) await page.mouse.wheel(0, -100);
    await closer;
    await until(async () => (await picture(chart)) !== still || undefined);
    await page.tap('[data-chart="pause"]');
    await page.waitForSelector('.machine-trends[data-view="live"]');
  });

  test("a stop on the timeline tells of itself, and takes its reason with a note", async () => {
    await tell(
      ["execution", before(50), "ACTIVE"],
      ["execution", before(45), "STOPPED"],
      ["execution", before(41), "ACTIVE"],
    );
    // Screens take what is rolled up: the API has it be so.
    await lastState();
    const stop = `.timeline-state[data-state="STOPPED"][data-from^="${before(45).slice(0, 19)}"]`;
    await until(async () => {
      await page.reload();
      return (await page.$(stop)) ? true : undefined;
    });
    const box = await page.locator(stop).boundingBox();
    await page.touchscreen.tap((box?.x ?? 0) + (box?.width ?? 0) / 2, (box?.y ?? 0) + (box?.height ?? 0) / 2);
    await page.waitForSelector("#sheet-reasons[open]");
    expect(await page.textContent("[data-stop]")).toMatch(/^Stopped · \d\d:\d\d–\d\d:\d\d · 4 min/);
    await page.tap("#sheet-reasons summary");
    await page.fill("#sheet-reasons textarea", "door switch");
    await page.tap('#sheet-reasons [data-reason="crane"]');
    await toastSays("saved");
    type Said = { rows: { from: string; to: string; reason: string; note: string }[] };
    const { rows } = await call<Said>("GET", `/api/v1/machines/mill-1/downtime?${SPAN}`);
    const given = rows.find(({ note }) => note === "door switch");
    expect([given?.reason, given?.from.slice(0, 19), given?.to.slice(0, 19)]).toEqual([
      "crane",
      before(45).slice(0, 19),
      before(41).slice(0, 19),
    ]);
  });

  test("a machine that does not count has its parts entered, and taken back from the list", async () => {
    await call("POST", "/api/v1/machines", { id: "bench-1", name: "Bench 1", source: { kind: "http" } });
    await page.goto(`${server.origin}/hmi/bench-1`);
    await page.waitForSelector('html[data-link="live"]');
    await page.tap('[data-enter="count"][data-count="10"]');
    await toastSays("saved");
    const made = async () =>
      (await call<{ rows: { total_count: number }[] }>("GET", "/api/v1/machines/bench-1/oee")).rows[0]
        ?.total_count;
    await server.settled();
    expect(await made()).toBe(10);
    await page.reload();
    await page.tap('[data-open="entered"]');
    const sent = page.waitForResponse((response) => response.url().endsWith("/counts"));
    await page.locator("[data-take-back]").first().tap();
    await sent;
    await server.settled();
    expect(await made()).toBe(0);
    expect(
      (await server.call("POST", "/api/v1/machines/mill-1/counts", { ts: before(1), count: 1 })).status,
    ).toBe(409);
  });
});

/** How many of a canvas' columns have something drawn in the plot. */
const inked = (selector: string): Promise<number> =>
  page.$eval(selector, (element) => {
    const { width, height } = element as HTMLCanvasElement;
    const { data } = (element as HTMLCanvasElement).getContext("2d")?.getImageData(0, 0, width, height) ?? {
      data: [],
    };
    const isInked = (x: number) =>
      Array.from({ length: height - 40 }, (_, y) => data[(y * width + x) * 4 + 3] ?? 0).some((a) => a > 200);
    return Array.from({ length: width }, (_, x) => isInked(x)).filter(Boolean).length / width;
  });

const picture = (selector: string): Promise<string> =>
  page.$eval(selector, (canvas) => (canvas as HTMLCanvasElement).toDataURL());
