// The pages in a real browser (Chromium): live changes, lost connection, charts, contrast, touch targets.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { BROWSER_ARGS, chromiumForTests } from "../.ci/chromium.ts";
import { limit_ms, pace, until } from "../.ci/limits.ts";
import { type Preview, startPreview } from "./preview.ts";
import { machineId } from "./testing/plant.ts";
import { VERSION } from "./version.ts";

const { executablePath, missing } = chromiumForTests();

const KIOSK = { viewport: { width: 1920, height: 1080 } };
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true };
const MILL_1 = machineId("Mill 1");
const PATHS = [
  "/hmi",
  `/hmi/${machineId("Mill 3")}`,
  "/dashboard",
  `/dashboard/${MILL_1}`,
  "/dashboard/explain",
  `/dashboard/${MILL_1}/explain`,
  `/dashboard/${MILL_1}/explain/state`,
  "/sign-in?error=1",
];

let preview: Preview;
let browser: Browser;

beforeAll(async () => {
  if (missing) return;
  preview = await startPreview(0);
  browser = await chromium.launch({ executablePath, args: BROWSER_ARGS });
});

afterAll(async () => {
  await browser?.close();
  await preview?.stop();
});

/** Opens a page, hands it over, and fails on anything the console complained of. */
async function visit(
  path: string,
  look: (page: Page) => Promise<void>,
  options: BrowserContextOptions = KIOSK,
) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(limit_ms());
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" && !/\b503\b/.test(message.text())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  try {
    await page.goto(preview.url + path);
    await look(page);
    expect(complaints).toEqual([]);
  } finally {
    await context.close();
  }
}

/** Waits until the page follows the stream. */
const isLive = (page: Page) => page.waitForSelector('html[data-link="live"]');

/** How many pixels of a canvas are drawn on. */
const drawn = (page: Page, selector: string) =>
  page.$eval(selector, (canvas) => {
    const { width, height } = canvas as HTMLCanvasElement;
    const pixels =
      (canvas as HTMLCanvasElement).getContext("2d")?.getImageData(0, 0, width, height).data ?? [];
    let count = 0;
    for (let i = 3; i < pixels.length; i += 4) if ((pixels[i] ?? 0) > 0) count++;
    return count;
  });

describe.skipIf(missing)("the wall", () => {
  const mill1 = `.tile[data-machine="${MILL_1}"]`;

  test("a delta changes the tile, and nothing is asked for: colour, word, shape and place", () =>
    visit("/hmi", async (page) => {
      await isLive(page);
      await page.waitForSelector(`${mill1}[data-state="RUNNING"]`);
      const asked: string[] = [];
      page.on("request", (request) => asked.push(request.url()));
      preview.delta({
        machine_id: MILL_1,
        state: "DOWN",
        since_us: (Date.now() - 65_000) * 1000,
        heard_ms: Date.now(),
      });
      await page.waitForSelector(`${mill1}[data-state="DOWN"]`);
      expect(asked).toEqual([]);
      expect(await page.textContent(`${mill1} .state-word`)).toBe("Down");
      expect(await page.getAttribute(`${mill1} .state-line use`, "href")).toBe("#state-DOWN");
      expect(await page.textContent('[data-count="DOWN"] b')).toBe("2");
      await page.waitForFunction(
        (id) => document.querySelector(".tile")?.getAttribute("data-machine") === id,
        MILL_1,
      );
      await page.waitForFunction(
        (tile) => /^1:0[5-9]$/.test(document.querySelector(`${tile} .state-timer`)?.textContent ?? ""),
        mill1,
      );
    }));

  test("a lost connection shows the band and stops the timers; coming back clears it", () =>
    visit("/hmi", async (page) => {
      await isLive(page);
      expect(await page.isVisible("[data-band]")).toBe(false);
      preview.down();
      await page.waitForSelector("[data-band]:not([hidden])");
      expect(await page.textContent("[data-band]")).toMatch(
        /^No connection since \d\d:\d\d — data is \d+ s old$/,
      );
      const timers = () => page.$$eval(".state-timer", (all) => all.map((one) => one.textContent));
      const before = await timers();
      const age_s = async () => Number(/\d+/.exec((await page.textContent("[data-band-age]")) ?? "")?.[0]);
      const shown_s = await age_s();
      // It goes on by the same clock as the timers did.
      await until(async () => (await age_s()) >= shown_s + 2);
      expect(await timers()).toEqual(before);
      preview.up();
      await isLive(page);
      expect(await page.isVisible("[data-band]")).toBe(false);
    }));

  test("a line that stays open but silent is a lost connection too", () =>
    visit("/hmi", async (page) => {
      await isLive(page);
      await page.clock.install();
      await page.reload();
      await isLive(page);
      // Heartbeats come every 5 s of the server's time: in the page's 13 s there is none.
      await page.clock.fastForward(13_000);
      await page.waitForSelector("[data-band]:not([hidden])");
      await page.clock.fastForward(2_000);
      await isLive(page);
    }));

  test("the figures are refreshed in place by htmx, the state is left to the stream", () =>
    visit("/hmi", async (page) => {
      await isLive(page);
      await page.$eval(`${mill1} .tile-numbers dd`, (number) => {
        number.textContent = "stale";
      });
      await page.evaluate("htmx.ajax('GET', '/hmi/figures', { swap: 'none' })");
      await page.waitForFunction(
        (tile) => /^\d+ \/ \d+$/.test(document.querySelector(`${tile} .tile-numbers dd`)?.textContent ?? ""),
        mill1,
      );
      expect(await page.$$eval(".tile", (all) => all.length)).toBe(10);
    }));

  test("after an update the page loads itself anew, once nobody has touched it for a while", () =>
    visit("/hmi", async (page) => {
      await isLive(page);
      await page.clock.install();
      await page.reload();
      await isLive(page);
      await page.evaluate("window.before = true");
      const kept = () => page.evaluate("window.before === true");
      let words = 0;
      /** A second of the page's time, in which it hears of its server. */
      const second = async () => {
        await page.clock.fastForward(1_000);
        preview.delta({
          machine_id: MILL_1,
          signals: { part_number: { ts_us: Date.now() * 1000, value: `P-${++words}` } },
        });
      };
      const heard = () =>
        page.waitForFunction(
          ([tile, word]) => document.querySelector(`${tile} [data-part]`)?.textContent === word,
          [mill1, `P-${words}`] as const,
        );
      preview.update("another");
      for (let touches = 0; touches < 12; touches++) {
        await page.mouse.move(100 + touches, 100);
        await second();
        await heard();
        expect(await kept()).toBe(true);
      }
      await until(async () => {
        await second();
        return page.evaluate("!('before' in window)").then(Boolean, () => false);
      });
      await isLive(page);
      // Still the other version (a roll-out half done): it does not do so again and again.
      await page.evaluate("window.before = true");
      for (let seconds = 0; seconds < 11; seconds++) {
        await second();
        await heard();
      }
      expect(await kept()).toBe(true);
    }).finally(() => preview.update(VERSION)));

  test("memory is flat over thousands of changes", () =>
    visit("/hmi", async (page) => {
      await isLive(page);
      const session = await page.context().newCDPSession(page);
      const held = async () => {
        await session.send("HeapProfiler.collectGarbage");
        const { usedSize } = await session.send("Runtime.getHeapUsage");
        const { nodes } = await session.send("Memory.getDOMCounters");
        return { bytes: usedSize, nodes };
      };
      let told = 0;
      const tell = async (deltas: number) => {
        for (const until = told + deltas; told < until; ) {
          for (let i = 0; i < 200; i++, told++) {
            const ts_us = Date.now() * 1000;
            const speed = { ts_us, value: told };
            const part = { ts_us, value: `P-${told % 97}` };
            const state = told % 3 === 0 ? ("STOPPED" as const) : ("RUNNING" as const);
            preview.delta({
              machine_id: MILL_1,
              state,
              since_us: ts_us,
              signals: { spindle_speed: speed, part_number: part },
            });
          }
          await pace(10);
        }
        const last = `P-${(told - 1) % 97}`;
        await page.waitForFunction(
          ([tile, words]) => document.querySelector(`${tile} [data-part]`)?.textContent === words,
          [mill1, last] as const,
        );
      };
      await tell(2_000);
      const before = await held();
      await tell(20_000);
      const after = await held();
      console.log(`heap ${before.bytes} → ${after.bytes} bytes, ${before.nodes} → ${after.nodes} nodes`);
      expect(after.bytes - before.bytes).toBeLessThan(400_000);
      expect(after.nodes - before.nodes).toBeLessThan(100);
    }));

  test("a full wall of ten machines fits the kiosk without scrolling", () =>
    visit("/hmi", async (page) => {
      const bottom = await page.$$eval(".tile", (all) =>
        Math.max(...all.map((tile) => tile.getBoundingClientRect().bottom)),
      );
      expect(bottom).toBeLessThanOrEqual(1080);
      const cut = await page.$$eval(".state-line, .tile-age, .tile-numbers", (all) =>
        all.filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent),
      );
      expect(cut).toEqual([]);
    }));
});

describe.skipIf(missing)("a machine's page", () => {
  test("draws its trends from history and follows the stream", () =>
    visit(`/hmi/${MILL_1}`, async (page) => {
      await isLive(page);
      const canvas = '[data-trend="spindle_speed"] canvas';
      await page.waitForSelector(canvas);
      await page.waitForFunction(() => document.querySelectorAll("[data-trend] canvas").length === 3);
      await until(async () => (await drawn(page, canvas)) > 3_000);
      preview.delta({
        machine_id: MILL_1,
        signals: { spindle_speed: { ts_us: Date.now() * 1000, value: 1234 } },
      });
      await page.waitForFunction(
        () =>
          document.querySelector('[data-trend="spindle_speed"] [data-trend-value]')?.textContent === "1,234",
      );
    }));

  test("a condition appears as it comes, its name as text", () =>
    visit(`/hmi/${MILL_1}`, async (page) => {
      await isLive(page);
      const ts_us = Date.now() * 1000;
      preview.delta({ machine_id: MILL_1, signals: { "condition:<b>x</b>": { ts_us, value: "FAULT" } } });
      await page.waitForSelector('.condition[data-level="FAULT"]');
      expect(await page.textContent(".condition span")).toBe("<b>x</b>");
    }));
});

describe.skipIf(missing)("the dashboard", () => {
  test("draws its chart, changes the period without a reload, and keeps it in the URL", () =>
    visit("/dashboard", async (page) => {
      await page.waitForSelector(".oee-chart canvas");
      expect(await drawn(page, ".oee-chart canvas")).toBeGreaterThan(10_000);
      await page.evaluate("window.kept = true");
      await page.click("text=Yesterday");
      await page.waitForSelector('.choice[aria-current]:has-text("Yesterday")');
      expect(page.url()).toContain("period=yesterday");
      await page.waitForSelector(".oee-chart canvas");
      expect(await page.evaluate("window.kept")).toBe(true);
      await page.click(".machines thead >> text=OEE");
      await page.waitForSelector('.machines th[aria-sort="ascending"] >> text=OEE');
      expect(page.url()).toContain("sort=oee");
    }));
});

describe.skipIf(missing)("an explanation", () => {
  test("is a click away from a figure, and the raw observations from it, by keyboard as well", () =>
    visit(`/dashboard/${MILL_1}`, async (page) => {
      await page.click(".total .big-number a");
      await page.waitForSelector(".formula .sentence");
      expect(new URL(page.url()).searchParams.get("figure")).toBe("oee");
      const link = page.locator(".intervals tbody a").first();
      await link.focus();
      await page.keyboard.press("Enter");
      await page.waitForSelector(".raw .observations");
      expect(page.url()).toContain("/explain/state?at=");
    }));
});

describe.skipIf(missing)("every page", () => {
  for (const [name, options] of [
    ["kiosk, light and dark", KIOSK],
    ["phone", PHONE],
  ] as const)
    test(`${name}: fits its width, has text of enough contrast and targets for a finger`, () =>
      visit(
        PATHS[0] as string,
        async (page) => {
          for (const path of PATHS) {
            await page.goto(preview.url + path);
            const least = path.startsWith("/hmi") ? 64 : 48;
            for (const colorScheme of options === KIOSK
              ? (["light", "dark"] as const)
              : (["light"] as const)) {
              await page.emulateMedia({ colorScheme });
              const where = `${path}, ${colorScheme}`;
              expect([
                where,
                await page.evaluate(() => matchMedia("(prefers-color-scheme: dark)").matches),
              ]).toEqual([where, colorScheme === "dark"]);
              expect([
                where,
                await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
              ]).toEqual([where, 0]);
              expect([where, await page.evaluate(faintText)]).toEqual([where, []]);
              expect([where, await page.evaluate(smallTargets, least)]).toEqual([where, []]);
            }
            await page.emulateMedia({ colorScheme: "light" });
          }
        },
        options,
      ));
});

/** Runs in the page: text whose contrast with its ground is under 4.5 (WCAG 2.2 1.4.3; 3 for large text). */
function faintText(): string[] {
  type Colour = [number, number, number, number];
  const parse = (css: string): Colour => {
    const parts = (css.match(/[\d.]+/g) ?? []).map(Number);
    return [parts[0] ?? 0, parts[1] ?? 0, parts[2] ?? 0, parts[3] ?? 1];
  };
  const luminance = (colour: Colour) => {
    const [r = 0, g = 0, b = 0] = colour.slice(0, 3).map((channel) => {
      const c = channel / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element: Element | null): Colour => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour[3] === 1) return colour;
    }
    return [255, 255, 255, 1];
  };
  const faint: string[] = [];
  for (const element of document.querySelectorAll<HTMLElement>("body *")) {
    const words = [...element.childNodes]
      .filter((node) => node.nodeType === 3)
      .map((node) => node.textContent?.trim())
      .join("");
    if (!words || !element.checkVisibility() || element.closest("noscript, svg")) continue;
    const style = getComputedStyle(element);
    const [a, b] = [luminance(parse(style.color)), luminance(ground(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = Number.parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (contrast < (large ? 3 : 4.5)) faint.push(`${words} ${contrast.toFixed(2)}`);
  }
  return faint;
}

/** Runs in the page: links, buttons and fields lower than a finger needs. */
function smallTargets(least: number): string[] {
  return [...document.querySelectorAll<HTMLElement>("a, button, input:not([type=hidden]), summary")]
    .filter((target) => target.checkVisibility() && !target.classList.contains("skip"))
    .map((target) => [target, (target.closest("label") ?? target).getBoundingClientRect().height] as const)
    .filter(([, height]) => height < least - 0.5)
    .map(([target, height]) => `${target.textContent?.slice(0, 30)} ${height}`);
}
