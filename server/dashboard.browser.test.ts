// A manager in a real browser: by clicks from the plant to the raw rows, filters that stay in the URL, paper, both languages.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { BROWSER_ARGS, chromiumForTests } from "../.ci/chromium.ts";
import { limit_ms } from "../.ci/limits.ts";
import { layoutShift } from "./testing/layout-shift.ts";
import { discard, startServer, TEST_KEY, type TestServer } from "./testing/server.ts";
import { DAY, twoHalls } from "./testing/two-halls.ts";

const { executablePath, missing } = chromiumForTests();

setDefaultTimeout(limit_ms(240));

const DESKTOP = { viewport: { width: 1920, height: 1080 }, locale: "en-GB" };
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, locale: "ru-RU" };
const PERIOD = `period=custom&from=${DAY}T00:00&to=2026-01-06T00:00`;

let server: TestServer;
let browser: Browser;

beforeAll(async () => {
  if (missing) return;
  server = await startServer();
  await twoHalls(server);
  browser = await chromium.launch({ executablePath, args: BROWSER_ARGS });
});
afterAll(async () => {
  await browser?.close();
  await discard(server);
});

/** Opens a page as who may read, and fails on anything the console or the policy complained of. */
async function visit(
  path: string,
  look: (page: Page) => Promise<void>,
  options: BrowserContextOptions = DESKTOP,
): Promise<void> {
  const context = await browser.newContext({ ...options, extraHTTPHeaders: { "x-api-key": TEST_KEY } });
  const page = await context.newPage();
  page.setDefaultTimeout(limit_ms());
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  try {
    await page.goto(server.origin + path);
    await look(page);
    expect(complaints).toEqual([]);
  } finally {
    await context.close();
  }
}

/** Follows a link to a page of its own. */
async function follow(page: Page, selector: string): Promise<URL> {
  await Promise.all([page.waitForNavigation(), page.click(selector)]);
  return new URL(page.url());
}
const crumbs = (page: Page): Promise<string[]> =>
  page.$$eval(".crumbs a", (all) => all.map((one) => one.textContent ?? ""));
const oee = (page: Page) => page.textContent(".total .big-number");

describe.skipIf(missing)("the dashboard", () => {
  test("by clicks: plant, group, machine, shift, interval, raw rows; and by crumbs back up", () =>
    visit(`/dashboard?${PERIOD}&by=shift`, async (page) => {
      await follow(page, '.figures th a:has-text("Hall A")');
      expect(await page.textContent("h1")).toBe("Group Hall A");
      expect(await crumbs(page)).toEqual(["Plant"]);
      expect(await page.$$eval(".machines tbody tr", (all) => all.length)).toBe(2);

      await follow(page, '.machines th a:has-text("Mill 1")');
      expect(await page.textContent("h1")).toBe("Mill 1");
      expect(await crumbs(page)).toEqual(["Plant", "Hall A"]);

      await page.click(".trend-report summary");
      const inTable = await page.textContent('.figures tr:has-text("early") .oee-cell b');
      const shift = await follow(page, '.figures th a:has-text("early")');
      expect(shift.searchParams.get("shift")).toBe("early");
      expect(shift.searchParams.get("from")).toBe(`${DAY}T06:00:00.000000Z`);
      expect(await crumbs(page)).toEqual(["Plant", "Hall A", "Mill 1"]);
      expect(await oee(page)).toBe(inTable);

      await follow(page, '.pair .stops tr:has-text("Tool broken") a');
      expect(await page.textContent("h1")).toContain("Why Stopped?");
      expect(await page.textContent(".raw .observations tbody td")).toBe("INTERRUPTED");
      expect(await crumbs(page)).toEqual(["Plant", "Hall A", "Mill 1"]);

      await follow(page, '.crumbs a:has-text("Hall A")');
      expect(await page.textContent("h1")).toBe("Group Hall A");
      await follow(page, '.crumbs a:has-text("Plant")');
      expect(await page.$$eval(".machines tbody tr", (all) => all.length)).toBe(3);
    }));

  test("filters are chosen in a form, stay in the URL on reload, in a shared link and on the way back", () =>
    visit(`/dashboard?${PERIOD}`, async (page) => {
      const all = await oee(page);
      await page.click(".filters summary");
      await page.selectOption('.filter-form select[name="shift"]', "early");
      await page.check('.filter-form input[value="mill-1"]');
      await page.click(".filter-form button");
      await page.waitForSelector('.active-filter:has-text("early")');
      const url = page.url();
      expect(Object.fromEntries(new URL(url).searchParams)).toMatchObject({
        shift: "early",
        machine: "mill-1",
      });
      const some = await oee(page);
      expect(some).not.toBe(all);
      expect(await page.$$eval(".machines tbody tr", (rows) => rows.length)).toBe(1);

      await page.reload();
      expect([await oee(page), page.url()]).toEqual([some, url]);
      await visit(url.slice(server.origin.length), async (other) => expect(await oee(other)).toBe(some));

      await page.click('.active-filter:has-text("Mill 1")');
      await page.waitForFunction(() => document.querySelectorAll(".machines tbody tr").length === 3);
      expect(new URL(page.url()).searchParams.has("machine")).toBe(false);
      await page.goBack();
      await page.waitForFunction(() => document.querySelectorAll(".machines tbody tr").length === 1);
      expect([await oee(page), page.url()]).toEqual([some, url]);
    }));

  test("what is fetched afterwards comes, and moves nothing", () =>
    visit(`/dashboard?${PERIOD}`, async (page) => {
      await page.waitForSelector(".heat");
      await page.waitForSelector(".bands");
      await page.waitForSelector(".oee-chart canvas");
      expect(await page.$$eval(".bands .timeline", (all) => all.length)).toBe(3);
      expect(await layoutShift(page)).toBeLessThan(0.01);
    }));

  test("on a phone, in Russian: everything fits, and says the same", async () => {
    let desktop = "";
    await visit(`/dashboard?${PERIOD}`, async (page) => {
      desktop = (await oee(page)) ?? "";
    });
    await visit(
      `/dashboard?${PERIOD}`,
      async (page) => {
        expect(await page.textContent("h1")).toBe("Отчёт");
        expect((await oee(page))?.replace(",", ".")).toBe(desktop);
        await page.waitForSelector(".heat");
        await page.click(".filters summary");
        await page.waitForSelector(".filter-form");
        for (const cut of ["По сменам", "По деталям"]) {
          await page.click(`.cuts >> text=${cut}`);
          await page.waitForSelector(`.cuts [aria-current]:has-text("${cut}")`);
          const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          expect([cut, wider]).toEqual([cut, 0]);
        }
      },
      PHONE,
    );
  });

  test("on paper: A4, black on white, without what cannot be clicked there, its address and time at the foot", () =>
    visit(
      `/dashboard?${PERIOD}&by=lot`,
      async (page) => {
        await page.waitForSelector(".heat");
        await page.emulateMedia({ media: "print" });
        for (const hidden of [".bar", ".period", ".filters", ".files", ".choices"])
          expect([hidden, await page.isVisible(hidden)]).toEqual([hidden, false]);
        const foot = (await page.textContent(".printed")) ?? "";
        expect(foot).toContain(`${server.origin}/dashboard?period=custom`);
        expect(foot).toMatch(/made on .* \d\d:\d\d:\d\d, UTC/);
        const colours = await page.$eval(".panel td", (cell) => [
          getComputedStyle(cell).color,
          getComputedStyle(cell.closest(".panel") as Element).backgroundColor,
        ]);
        expect(colours).toEqual(["rgb(0, 0, 0)", "rgb(255, 255, 255)"]);
        const pdf = (await page.pdf({ preferCSSPageSize: true })).toString("latin1");
        expect(pdf).toMatch(/\/MediaBox \[0 0 59[45][.\d]* 84[12][.\d]*\]/);
        // As wide as A4 within its margins: no table is cut.
        await page.setViewportSize({ width: Math.floor((182 / 25.4) * 96), height: 1_000 });
        const cut = await page.$$eval("table", (all) =>
          all
            .filter((one) => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth + 1)
            .map((one) => one.className),
        );
        expect(cut).toEqual([]);
      },
      { ...DESKTOP, colorScheme: "dark" },
    ));
});
