// The HMI as a kiosk: without network, without server, after a restart of the browser; nothing old ever looks live.
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { BROWSER_ARGS, chromiumForTests } from "../.ci/chromium.ts";
import { limit_ms, until } from "../.ci/limits.ts";
import { type Cable, cable } from "./testing/cable.ts";
import { discard, startServer, TEST_KEY, type TestServer } from "./testing/server.ts";

const { executablePath, missing } = chromiumForTests();

setDefaultTimeout(limit_ms(240));

const MILL = "mill-1";
const LATHE = "lathe-1";

let server: TestServer;
/** Between browser and server: what Chromium calls offline reaches a page that is loaded anew a moment too late. */
let wire: Cable;
/** The server's address for the browser. */
let origin: string;
let profile: string;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  if (missing) return;
  server = await startServer();
  wire = await cable(Number(new URL(server.origin).port));
  origin = `http://127.0.0.1:${wire.port}`;
  profile = mkdtempSync(`${tmpdir()}/mtc-kiosk-`);
  for (const [id, name] of [
    [MILL, "Mill 1"],
    [LATHE, "Lathe 1"],
  ])
    await server.call("POST", "/api/v1/machines", { id, name, source: { kind: "http" } });
  await tell(MILL, "execution", "ACTIVE");
  await tell(LATHE, "execution", "ACTIVE");
  await openBrowser();
  await signIn();
});

afterAll(async () => {
  await context?.close();
  await wire?.pull();
  await discard(server);
  if (profile) rmSync(profile, { recursive: true, force: true });
});

/** The kiosk's browser, with all that it remembers. */
async function openBrowser(): Promise<void> {
  context = await chromium.launchPersistentContext(profile, {
    executablePath,
    args: BROWSER_ARGS,
    viewport: { width: 1920, height: 1080 },
    locale: "en-GB",
  });
  page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(limit_ms());
}

async function signIn(): Promise<void> {
  await page.goto(`${origin}/sign-in`);
  await page.evaluate(async (key) => {
    const body = new URLSearchParams({ key });
    await fetch("/sign-in", { method: "POST", body, redirect: "manual" });
  }, TEST_KEY);
  await page.goto(`${origin}/hmi`);
  await isLive();
}

/** The same server, data and port. */
async function startAgain(): Promise<void> {
  const { port } = new URL(server.origin);
  server = await startServer({ MTC_PORT: port }, server.data_dir);
}

async function tell(machine: string, signal: string, value: string | number): Promise<void> {
  const observations = [{ signal, ts: new Date().toISOString(), value }];
  const { status } = await server.call("POST", `/internal/machines/${machine}/data`, { observations });
  expect(status).toBe(202);
}

const isLive = () => page.waitForSelector('html[data-link="live"]');
const isLost = () => page.waitForSelector("[data-band]:not([hidden])");
const shows = (machine: string, state: string) =>
  page.waitForSelector(`.tile[data-machine="${machine}"][data-state="${state}"]`);

/** What the browser keeps of the server, by path. */
const kept = (): Promise<string[]> =>
  page.evaluate(async () => {
    const paths: string[] = [];
    for (const name of await caches.keys())
      for (const { url } of await (await caches.open(name)).keys()) paths.push(new URL(url).pathname);
    return paths.sort();
  });

const keeps = (path: string) => until(async () => (await kept()).includes(path) || undefined);

/** Nothing on the page looks live: said so in a band, grey, and no timer runs. */
async function looksOld(): Promise<void> {
  await isLost();
  expect(await page.textContent("[data-band]")).toMatch(
    /No connection since .*\d\d:\d\d — data is \d+ \w+ old/,
  );
  expect(await page.getAttribute("html", "data-link")).toBe("lost");
  expect(await page.$eval(".tiles", (tiles) => getComputedStyle(tiles).filter)).toContain("grayscale(1)");
  const timers = await page.$$eval(".state-timer, .tile-age > :last-child", (all) =>
    all.map((one) => getComputedStyle(one).visibility),
  );
  expect(new Set(timers)).toEqual(new Set(["hidden"]));
}

/** The counts of rejects that reached the server, in the order in which its log took them. */
function rejects(): number[] {
  using log = new Database(`${server.data_dir}/mtc.sqlite`, { readonly: true });
  const rows = log
    .query<{ data: string }, []>(
      "SELECT CAST(bytes AS TEXT) AS data FROM events WHERE type = 'mtc.rejects.v1' ORDER BY position",
    )
    .all();
  return rows.map(
    ({ data }) => (JSON.parse(data) as { data: { rejects: { count: number } } }).data.rejects.count,
  );
}

/** What waits in the browser to be sent, as the end of its path and its count. */
const waiting = (): Promise<string[]> =>
  page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const request = indexedDB.open("mtc-queue");
        request.onerror = () => reject(request.error);
        request.onsuccess = () => {
          const all = request.result.transaction("entries").objectStore("entries").getAll();
          all.onsuccess = () => {
            request.result.close();
            const entries = all.result as { path: string; body: { count: number } }[];
            resolve(entries.map(({ path, body }) => `${path.slice(path.lastIndexOf("/"))} ${body.count}`));
          };
        };
      }),
  );

const waits = (entry: string) => until(async () => (await waiting()).includes(entry) || undefined);

describe.skipIf(missing)("a kiosk", () => {
  test("keeps HMI pages and their files; never the API's answers, reports or who signs in", async () => {
    await keeps("/hmi");
    await page.goto(`${origin}/hmi/${MILL}`);
    await isLive();
    await keeps(`/hmi/${MILL}`);
    for (const path of ["/dashboard", `/dashboard/${MILL}`, "/account", "/api/v1/machines", "/hmi/figures"])
      await page.goto(origin + path, { waitUntil: "commit" });
    await page.goto(`${origin}/hmi`);
    await isLive();
    await page.evaluate(() => fetch("/api/v1/machines").then((answer) => answer.text()));
    const paths = await kept();
    expect(paths.filter((path) => !path.startsWith("/assets/"))).toEqual([
      "/hmi",
      `/hmi/${MILL}`,
      "/offline",
    ]);
    expect(paths.filter((path) => /dashboard|admin/.test(path))).toEqual([]);
    expect(paths.filter((path) => path.startsWith("/assets/")).length).toBeGreaterThan(5);
  });

  test("may be installed, and the screen stays awake", async () => {
    const session = await context.newCDPSession(page);
    // What Chromium asks for; its own verdict needs a whole one: `install.long.test.ts`.
    const { errors, data } = await session.send("Page.getAppManifest");
    expect(errors).toEqual([]);
    const { name, start_url, display, icons } = JSON.parse(data ?? "{}");
    expect([name, start_url, display].every(Boolean)).toBe(true);
    expect(["fullscreen", "standalone", "minimal-ui"]).toContain(display);
    const wide = (icons as { src: string; sizes: string }[]).filter(
      ({ sizes }) => sizes === "any" || Number.parseInt(sizes, 10) >= 144,
    );
    expect(wide.length).toBeGreaterThan(0);
    for (const { src } of wide) expect((await fetch(new URL(src, server.origin))).status).toBe(200);
    expect(await page.evaluate(() => getComputedStyle(document.body).userSelect)).toBe("none");
    expect(await page.evaluate(() => getComputedStyle(document.documentElement).touchAction)).toBe(
      "pan-x pan-y",
    );
    const menu = await page.evaluate(() =>
      document.body.dispatchEvent(new MouseEvent("contextmenu", { cancelable: true, bubbles: true })),
    );
    expect(menu).toBe(false);
  });

  test("a hall has a wall of its own, by its address", async () => {
    await server.call("PATCH", `/api/v1/machines/${MILL}`, { group: "Hall 1" });
    await page.goto(`${origin}/hmi`);
    await isLive();
    const shown = () =>
      page.$$eval(".tile", (all) => all.map((tile) => (tile as HTMLElement).dataset.machine));
    expect((await shown()).sort()).toEqual([LATHE, MILL]);
    await page.click('.groups a:has-text("Hall 1")');
    await page.waitForURL(/\/hmi\?group=Hall\+1$/);
    await isLive();
    expect(await shown()).toEqual([MILL]);
    const overflow = await page.$eval(".wall", (wall) => wall.scrollHeight - wall.clientHeight);
    expect(overflow).toBe(0);
    // It follows its own machines: the other's stop is not counted, and brings no tile.
    await tell(LATHE, "execution", "FEED_HOLD");
    await tell(MILL, "execution", "FEED_HOLD");
    await shows(MILL, "STOPPED");
    expect(await page.textContent('[data-count="STOPPED"] b')).toBe("1");
    await page.evaluate("htmx.trigger('[hx-get]', 'refresh')");
    expect(await shown()).toEqual([MILL]);
    await tell(MILL, "execution", "ACTIVE");
    await tell(LATHE, "execution", "ACTIVE");
    await page.goto(`${origin}/hmi`);
    await isLive();
  });

  test("network cut: the band says since when; a reload shows the last screen; network back: live again", async () => {
    await tell(LATHE, "execution", "STOPPED");
    await shows(LATHE, "STOPPED");
    await wire.pull();
    await looksOld();
    // As after a power cut.
    await page.reload();
    await looksOld();
    expect(await page.getAttribute("html", "data-kept")).not.toBeNull();
    await shows(LATHE, "STOPPED");
    await page.goto(`${origin}/hmi/${LATHE}`);
    expect(await page.textContent("h1")).toBe("No connection");
    await page.click("a.button.primary");
    await looksOld();
    await wire.putBack();
    await isLive();
    expect(await page.isVisible("[data-band]")).toBe(false);
    // A kept page has old figures around its live states: it loads itself anew.
    await page.waitForSelector("html:not([data-kept])", { timeout: limit_ms(120) });
    await isLive();
  });

  test("restart without the server: the last screen seen, not the last loaded, with its age; nothing live", async () => {
    await keeps("/hmi");
    await tell(MILL, "execution", "STOPPED");
    await tell(MILL, "part_number", "4711-Z");
    await shows(MILL, "STOPPED");
    await page.waitForFunction(
      (machine) =>
        document.querySelector(`.tile[data-machine="${machine}"] [data-part]`)?.textContent === "4711-Z",
      MILL,
    );
    await server.kill();
    await isLost();
    await looksOld();
    await context.close();
    await openBrowser();
    await page.goto(`${origin}/hmi`);
    await looksOld();
    await shows(MILL, "STOPPED");
    expect(await page.textContent(`.tile[data-machine="${MILL}"] [data-part]`)).toBe("4711-Z");
    await page.goto(origin);
    expect(new URL(page.url()).pathname).toBe("/hmi");
    await looksOld();
    // Of reports nothing is kept; but there is a way back.
    await page.click('.nav a[href="/dashboard"]');
    expect(await page.textContent("h1")).toBe("No connection");
    await page.click("a.button.primary");
    await looksOld();
    await startAgain();
    await isLive();
    await page.waitForSelector("html:not([data-kept])", { timeout: limit_ms(120) });
  });

  test("what is entered without network arrives once and in order, even if the session ended meanwhile", async () => {
    await page.goto(`${origin}/hmi/${MILL}`);
    await isLive();
    await keeps(`/hmi/${MILL}`);
    await wire.pull();
    await page.reload();
    await isLost();
    for (const count of [1, 5, 2, 10]) {
      await page.click(`[data-enter="reject"][data-count="${count}"]`);
      await waits(`/rejects ${count}`);
    }
    // The power goes as well, and the session is ended elsewhere.
    const [cookie] = await context.cookies(origin);
    await context.close();
    const headers = { cookie: `${cookie?.name}=${cookie?.value}`, "sec-fetch-site": "same-origin" };
    await fetch(`${server.origin}/sign-out`, { method: "POST", headers, redirect: "manual" });
    await openBrowser();
    await page.goto(`${origin}/hmi`);
    await looksOld();
    await wire.putBack();
    await page.click("[data-band] a");
    await page.waitForURL(/\/sign-in/);
    expect(rejects()).toEqual([]);
    expect((await kept()).filter((path) => path.startsWith("/hmi"))).toEqual([]);
    // The wall sends it as well.
    await signIn();
    // What was answered is forgotten a moment later.
    await until(async () => rejects().length >= 4 && (await waiting()).length === 0);
    expect(rejects()).toEqual([1, 5, 2, 10]);
  });

  test("whoever signs out leaves nothing behind, with or without network", async () => {
    await isLive();
    await keeps("/hmi");
    await wire.pull();
    await page.click('form[action="/sign-out"] button');
    await page.waitForSelector('h1:has-text("No connection")');
    expect((await kept()).filter((path) => path.startsWith("/hmi"))).toEqual([]);
    await page.goto(`${origin}/hmi`);
    expect(await page.textContent("h1")).toBe("No connection");
    await wire.putBack();
    await page.goto(`${origin}/hmi`);
    await isLive();
    await keeps("/hmi");
    await page.click('form[action="/sign-out"] button');
    await page.waitForURL(/\/sign-in\?out=1$/);
    expect((await kept()).filter((path) => path.startsWith("/hmi"))).toEqual([]);
    const seen = await page.evaluate(
      () =>
        new Promise((resolve, reject) => {
          const request = indexedDB.open("mtc-last-seen");
          request.onerror = () => reject(request.error);
          request.onsuccess = () => {
            const count = request.result.transaction("pages").objectStore("pages").count();
            count.onsuccess = () => resolve(count.result);
          };
        }),
    );
    expect(seen).toBe(0);
  });
});
