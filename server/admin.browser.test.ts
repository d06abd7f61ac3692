// An admin in Chromium: from an empty plant by clicks to a first machine with data, the demo on and off, events set aside.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { BROWSER_ARGS, chromiumForTests } from "../.ci/chromium.ts";
import { limit_ms, until } from "../.ci/limits.ts";
import { type DemoPlant, startDemoPlant } from "../ingest/sources/simulator/plant.ts";
import { putPoison } from "./testing/poison.ts";
import { discard, signInLink, startServer, type TestServer } from "./testing/server.ts";

const { executablePath, missing } = chromiumForTests();

setDefaultTimeout(limit_ms(180));

let server: TestServer;
let plant: DemoPlant;
let browser: Browser;
let context: BrowserContext;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  if (missing) return;
  plant = await startDemoPlant({ days: 0, seed: "by clicks" });
  server = await startServer();
  browser = await chromium.launch({ executablePath, args: BROWSER_ARGS });
  context = await browser.newContext({ viewport: { width: 1920, height: 1080 }, locale: "en-GB" });
  page = await context.newPage();
  page.setDefaultTimeout(limit_ms());
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(await signInLink(server));
  await page.click("#sign-in-once button");
  await page.waitForURL(/\/hmi$/);
});

afterAll(async () => {
  await browser?.close();
  await discard(server);
  await plant?.stop();
});

const names = async (): Promise<string[]> => {
  const { body } = await server.call<{ rows: { name: string }[] }>("GET", "/api/v1/machines");
  return body.rows.map(({ name }) => name);
};

const button = (name: string) => page.getByRole("button", { name, exact: true });

describe.skipIf(missing)("an admin with a mouse", () => {
  test("from an empty plant by clicks to a first machine that shows data", async () => {
    await page.waitForSelector(".welcome");
    await page.getByRole("link", { name: "Add a machine", exact: true }).click();
    await page.getByRole("link", { name: /^MTConnect agent/ }).click();
    // First somewhere else: the mistake stands at the field, and what was typed stays.
    await page.fill("#f-source-url", "http://127.0.0.1:1");
    await button("Test").click();
    await page.getByText("Nobody listens there").last().waitFor();
    expect(await page.inputValue("#f-source-url")).toBe("http://127.0.0.1:1");
    await page.fill("#f-source-url", plant.agentUrl);
    await page.press("#f-source-url", "Enter");
    await page.waitForSelector("#tried fieldset");
    const [first, ...others] = await page.$$("#tried fieldset");
    for (const other of others) await (await other.$("input[type=checkbox]"))?.uncheck();
    await (await first?.$('input[name$="/name"]'))?.fill("First mill");
    await button("Add what is chosen").click();
    await page.getByText("It reads by itself from now on").waitFor();
    expect(new URL(page.url()).pathname).toBe("/admin/machines");
    expect(await names()).toEqual(["First mill"]);

    await page.getByRole("link", { name: "Wall", exact: true }).click();
    await page.waitForSelector('.tile[data-name="First mill"]');
    await page.waitForFunction(() => {
      const tile = document.querySelector<HTMLElement>(".tile");
      return tile?.dataset.state !== undefined && tile.dataset.state !== "UNKNOWN";
    });
  });

  test("the demo comes by one click, marked as such, and goes by one click", async () => {
    await page.goto(`${server.origin}/admin/machines`);
    await button("Show me a demo plant").click();
    await page.getByText("The demo plant runs.").waitFor();
    expect(await page.locator(".tag").count()).toBe(5);
    expect(await names()).toHaveLength(6);
    await button("Remove the demo").click();
    await page.getByText("The demo is gone.").waitFor();
    expect(await page.locator(".tag").count()).toBe(0);
    expect(await names()).toEqual(["First mill"]);
  });

  test("health is renewed in place", async () => {
    await page.getByRole("link", { name: "Health", exact: true }).click();
    await page.waitForSelector(".health");
    await page.$eval(".health", (list) => list.setAttribute("data-old", "true"));
    await page.waitForSelector(".health:not([data-old])");
    expect(await page.locator("main#main nav.rooms").count()).toBe(1);
    expect(await page.locator("#health .health").count()).toBe(1);
  });

  test("an event set aside is seen, delivered again, and thrown away when it is refused again", async () => {
    const { data_dir } = server;
    const [{ id = "" } = {}] = (await server.call<{ rows: { id: string }[] }>("GET", "/api/v1/machines")).body
      .rows;
    const port = new URL(server.origin).port;
    // Nobody reads the page's figures meanwhile: the server stands still.
    await page.goto("about:blank");
    await server.stop();
    await putPoison(data_dir, id);
    server = await startServer({ MTC_PORT: port }, data_dir);
    await page.goto(`${server.origin}/admin/machines`);
    await page.getByRole("link", { name: /2 events set aside/ }).click();
    await page
      .getByRole("link", { name: /^Show: Event/ })
      .last()
      .click();
    await page.getByText('"yesterday"').waitFor();
    await button("Deliver all again").click();
    await page.getByText("2 are delivered again.").waitFor();
    const listed = async () =>
      (await server.call<{ rows: unknown[] }>("GET", "/api/v1/dead-letters")).body.rows.length;
    await until(async () => ((await listed()) === 1 ? true : undefined));
    await page.getByRole("link", { name: /^Events/ }).click();
    await page.getByText("Cannot parse input").waitFor();
    await page.getByText("Throw away", { exact: true }).first().click();
    await button("Throw away").click();
    await page.getByText("Thrown away.").waitFor();
    expect(await listed()).toBe(0);
  });

  test("and nothing on the way had the console or the policy complain", () => {
    // A form with a mistake in it is answered with 422, which a browser tells of; and a machine that was made, or removed, while
    // the wall's figures were on their way has no tile for them.
    const known = /422|^htmx:oobErrorNoTarget, #figures-/;
    expect(complaints.filter((words) => !known.test(words))).toEqual([]);
  });
});
