// A plant is set up by clicks, in Chromium: a calendar, a cycle time and a reason, and each changes the OEE as it should.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type Browser, chromium, type Page } from "playwright-core";
import { BROWSER_ARGS, chromiumForTests } from "../.ci/chromium.ts";
import { limit_ms } from "../.ci/limits.ts";
import { discard, startServer, TEST_KEY, type TestServer } from "./testing/server.ts";

const { executablePath, missing } = chromiumForTests();

setDefaultTimeout(limit_ms(400));

const PASSWORD = "long enough";
const YESTERDAY = Temporal.Now.plainDateISO("UTC").subtract({ days: 1 }).toString();
const at = (time: string): string => `${YESTERDAY}T${time}:00Z`;

let server: TestServer;
let browser: Browser;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  if (missing) return;
  server = await startServer({ TZ: "UTC" });
  for (const id of ["mill-1", "mill-2"]) {
    await server.call("POST", "/api/v1/machines", { id, name: id, group: "hall 1" });
  }
  // Six hours of running in eight, 600 parts; and nothing at all before and after.
  const execution = [
    ["06:00", "ACTIVE"],
    ["10:00", "STOPPED"],
    ["12:00", "ACTIVE"],
    ["14:00", "READY"],
  ].map(([time = "", value]) => ({ signal: "execution", ts: at(time), value }));
  const parts = [
    ["06:00", 0],
    ["13:59", 600],
  ].map(([time, value]) => ({ signal: "part_count", ts: at(String(time)), value }));
  await server.call("POST", "/internal/machines/mill-1/data", { observations: [...execution, ...parts] });
  await server.settled();
  browser = await chromium.launch({ executablePath, args: BROWSER_ARGS });
  page = await browser.newPage({
    viewport: { width: 1440, height: 900 },
    locale: "en-GB",
    // A browser with windows gives it to who clicks.
    permissions: ["clipboard-write"],
  });
  page.setDefaultTimeout(limit_ms());
  page.on("console", (message) => {
    // A form that is refused is 422, which the browser calls an error; everything else is one.
    if (message.type() === "error" && !message.text().includes("422")) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
});

afterAll(async () => {
  await browser?.close();
  await discard(server);
});

/** Presses a form's button, and waits until its answer has taken its place: what is typed before would be lost. */
async function press(name: string): Promise<void> {
  const answered = page.waitForResponse((answer) => answer.request().method() === "POST");
  await page.getByRole("button", { name, exact: true }).click();
  await answered;
  await page.waitForLoadState();
  await page.waitForFunction(() => !document.querySelector(".htmx-request, .htmx-swapping, .htmx-settling"));
}
const saved = (): Promise<void> => page.getByRole("status").filter({ hasText: "Saved" }).waitFor();

/** What the dashboard says of yesterday. */
async function shown(factor: string): Promise<string | null> {
  await page.goto(`${server.origin}/dashboard/mill-1?period=yesterday`);
  return page.locator(".factor", { hasText: factor }).first().locator(".factor-number").textContent();
}

/** A page takes what is rolled up, the API rolls up all that came before its call: behind it the page has the change. */
async function becomes(factor: string, percent: string): Promise<void> {
  await server.settled();
  await server.call("GET", `/api/v1/machines/mill-1/states?from=${at("13:00")}&to=${at("14:00")}`);
  expect(await shown(factor)).toBe(percent);
}

describe.skipIf(missing)("a plant is set up by clicks", () => {
  test("the first user makes itself, with the key, and signs in by name", async () => {
    await page.goto(`${server.origin}/admin/access`);
    await page.getByText("Sign in with an API key").click();
    await page.getByLabel("API key").fill(TEST_KEY);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Users and keys" }).waitFor();
    await page.getByLabel("Name", { exact: true }).fill("Anna");
    await page.getByLabel("Password", { exact: true }).fill("short");
    await page.getByLabel("Role").selectOption("admin");
    // The browser asks for ten characters itself; the server does too.
    await page
      .locator("form[action='/admin/access/users']")
      .evaluate((form) => form.setAttribute("novalidate", ""));
    await press("Add a user");
    await page.locator("#f-user-password-error").getByText("at least 10 characters").waitFor();
    expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("Anna");
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await press("Add a user");
    await page.getByRole("status").getByText("Added.").waitFor();

    await press("Sign out");
    await page.goto(`${server.origin}/admin/machines`);
    await page.getByLabel("Name").fill("anna");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "Anna" }).waitFor();
  });

  test("a calendar for the whole group: the plan shrinks to the shift", async () => {
    expect(await shown("Availability")).toBe("25.0 %");
    await page.goto(`${server.origin}/admin/machines`);
    await page
      .getByRole("row", { name: /mill-1/ })
      .getByRole("link", { name: "none: all time counts" })
      .click();
    await page.getByLabel("Time zone").selectOption("UTC");
    await page.getByLabel("Name").fill("Early");
    // By the keyboard, as somebody without a mouse does.
    await page.getByLabel("sat").focus();
    await page.keyboard.press("Space");
    await page.getByLabel("sun").check();
    await press("Add a break");
    await page.getByLabel("Break from").fill("15:00");
    await page.getByLabel("to", { exact: true }).fill("15:30");
    await press("Save");
    await page.getByRole("alert").getByText("is not within 06:00–14:00").waitFor();
    expect(await page.getByLabel("sat").isChecked()).toBe(true);
    await press("Remove the break");
    await press("Show what it means");
    await page.locator(".week-shift").nth(6).waitFor({ state: "attached" });
    await page.getByLabel("Apply to").selectOption("group");
    await press("Save");
    await page.getByRole("status").getByText("Saved for 2 machines.").waitFor();
    expect(new URL(page.url()).pathname).toBe("/admin/machines/mill-1/calendar");
    await becomes("Availability", "75.0 %");
  });

  test("a cycle time, pasted: performance is known", async () => {
    expect(await shown("Performance")).toBe("–");
    await page.goto(`${server.origin}/admin/machines/mill-1/cycle-times`);
    await page.getByText("Paste many from a spreadsheet").click();
    await page.getByLabel("Lines").fill("4711\t30\n\t27");
    await press("Take them over");
    expect(await page.getByLabel("Seconds a part 2").inputValue()).toBe("27");
    await press("Save");
    await saved();
    // 600 parts of 27 s in six hours.
    await becomes("Performance", "75.0 %");
  });

  test("a reason that is excluded, given to the stop: the stop is no loss", async () => {
    await page.goto(`${server.origin}/admin/reasons`);
    await press("Take these");
    await page.getByLabel("Name").first().waitFor();
    await press("Add a reason");
    await page.getByLabel("Name").last().fill("Fire drill");
    await page.getByLabel("Code", { exact: true }).last().fill("drill");
    await page.getByLabel("Below").last().selectOption("planned");
    await press("Save");
    await saved();
    const stop = { from: at("10:00"), to: at("12:00"), reason: "drill" };
    await server.call("POST", "/api/v1/machines/mill-1/downtime", stop);
    await becomes("Availability", "100.0 %");
    await page.goto(`${server.origin}/admin/reasons`);
    await page
      .locator(".reasons-use")
      .getByRole("row", { name: /Fire drill/ })
      .waitFor();
  });

  test("a key is shown once and can be copied", async () => {
    await page.goto(`${server.origin}/admin/access`);
    await page.getByText("Make a key").first().click();
    await page.getByLabel("What is it for?").fill("Grafana");
    await press("Make a key");
    const key = await page.getByRole("textbox", { name: "Key “Grafana”" }).inputValue();
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    const answer = await fetch(`${server.origin}/api/v1/machines`, { headers: { "x-api-key": key } });
    expect(answer.status).toBe(200);
    await page.goto(`${server.origin}/admin/access`);
    expect(await page.content()).not.toContain(key);
  });

  test("nothing was complained of", () => {
    expect(complaints).toEqual([]);
  });
});
