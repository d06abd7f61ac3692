// Machines, the demo and events set aside on the admin pages, over real HTTP, as a browser without scripts sends forms.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createServer } from "node:net";
import { until } from "../.ci/limits.ts";
import { freePort } from "../ingest/free-ports.ts";
import { type Adam6050, startAdam6050 } from "../ingest/sources/simulator/adam6050.ts";
import { type DemoPlant, startDemoPlant } from "../ingest/sources/simulator/plant.ts";
import { HOUR, putPoison } from "./testing/poison.ts";
import { discard, onCluster, startServer, TEST_KEY, type TestServer } from "./testing/server.ts";

const HOSTILE = `<img src=x onerror=alert(1)>"'&`;
let server: TestServer;
let plant: DemoPlant;
let adam: Adam6050;
let cookie: string;

beforeAll(async () => {
  // One after the other: the module takes a port that is free just now.
  adam = await startAdam6050();
  plant = await startDemoPlant({ days: 0, seed: "admin" });
  server = await startServer();
  cookie = await signIn({ key: TEST_KEY });
});
afterAll(async () => {
  await discard(server);
  await Promise.all([plant.stop(), adam.stop()]);
});

async function signIn(fields: Record<string, string>): Promise<string> {
  const body = new URLSearchParams(fields);
  const { headers } = await fetch(`${server.origin}/sign-in`, { method: "POST", body, redirect: "manual" });
  return headers.get("set-cookie")?.split(";")[0] ?? "";
}

type Page = { status: number; html: string; location: string };

async function ask(path: string, init: RequestInit = {}, as = cookie): Promise<Page> {
  const headers = { cookie: as, "sec-fetch-site": "same-origin", ...(init.headers as object) };
  const answer = await fetch(server.origin + path, { redirect: "manual", ...init, headers });
  const location = answer.headers.get("location") ?? "";
  return { status: answer.status, html: await answer.text(), location };
}

const post = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  ask(path, { method: "POST", body: new URLSearchParams({ ...fields, end: "1" }), headers });

type Machine = { id: string; name: string; group: string; source: unknown; rules: unknown; demo: boolean };
const machines = async (): Promise<Machine[]> =>
  (await server.call<{ rows: Machine[] }>("GET", "/api/v1/machines")).body.rows;

/** A field of the page as a browser would read it. */
const shownIn = (html: string, name: string): string | undefined =>
  new RegExp(`name="${name}"[^>]*? value="([^"]*)"`).exec(html)?.[1];

test("an agent is tested, its devices shown with what they become, and those chosen are machines", async () => {
  const url = plant.agentUrl;
  const tested = await post("/admin/add/mtconnect", { do: "test", "/source/url": url });
  expect(tested.status).toBe(200);
  expect(tested.html).toContain("4 devices found");
  for (const { name, uuid, model } of plant.devices)
    for (const words of [name, uuid, model]) expect(tested.html).toContain(words);
  expect(tested.html).toContain("EXECUTION");
  expect(await machines()).toEqual([]);

  const [first, second] = plant.devices;
  const made = await post("/admin/add/mtconnect", {
    do: "create",
    "/source/url": url,
    "/machines/0/device": first?.uuid ?? "",
    "/machines/0/name": "Mill one",
    "/machines/0/group": "hall 1",
    "/machines/0/take": "1",
    "/machines/1/device": second?.uuid ?? "",
    "/machines/1/name": "not chosen",
  });
  expect(made).toMatchObject({ status: 303, location: "/admin/machines?done=added" });
  expect(await machines()).toMatchObject([
    { name: "Mill one", group: "hall 1", source: { kind: "mtconnect", url, device: first?.uuid } },
  ]);
  // It is read by itself, and the list says so.
  await until(async () => (await ask("/admin/machines")).html.includes("Streaming") || undefined);
  const again = await post("/admin/add/mtconnect", { do: "test", "/source/url": url });
  expect(again.html).toContain("is a machine here already");
});

test("what is wrong stands at its field, in plain words, with what was typed; nothing is made", async () => {
  const before = await machines();
  const web = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => new Response("nope", { status: 404 }),
  });
  const cases: [url: string, words: string][] = [
    [`http://127.0.0.1:${freePort()}`, "Nobody listens there"],
    [`http://127.0.0.1:${web.port}`, "HTTP 404"],
    [`${server.origin}/healthz`, "It answers, but"],
    ["http://169.254.169.254/latest/meta-data", "link-local"],
    ["http://[fe80::1]:5000", "link-local"],
    ["http://no-such-agent.invalid", "not known in the network"],
    ["nonsense", "is not an address like"],
    ["", "is needed"],
    [`http://x/${HOSTILE}`, "is not an address like"],
  ];
  for (const [url, words] of cases) {
    const { status, html } = await post("/admin/add/mtconnect", { do: "test", "/source/url": url });
    expect([url, status]).toEqual([url, 422]);
    expect([url, html.includes(words)]).toEqual([url, true]);
    expect(html).not.toContain("<img");
    expect(html).toContain('aria-invalid="true"');
  }
  const typed = await post("/admin/add/mtconnect", { do: "test", "/source/url": "http://127.0.0.1:1/a&b" });
  expect(shownIn(typed.html, "/source/url")).toBe("http://127.0.0.1:1/a&amp;b");
  // Chosen, but without a name: the devices are still there to be mended.
  const nameless = await post("/admin/add/mtconnect", {
    do: "create",
    "/source/url": plant.agentUrl,
    "/machines/0/device": plant.devices[1]?.uuid ?? "",
    "/machines/0/name": "",
    "/machines/0/take": "1",
  });
  expect(nameless.status).toBe(422);
  expect(nameless.html).toContain("devices found");
  const none = await post("/admin/add/mtconnect", {
    do: "create",
    "/source/url": plant.agentUrl,
    "/machines/0/device": plant.devices[1]?.uuid ?? "",
  });
  expect(none.status).toBe(422);
  expect(await machines()).toEqual(before);
  await web.stop(true);
});

test("invariant 7: one test of a user at a time", async () => {
  const silent = createServer(() => undefined).listen(0, "127.0.0.1");
  await new Promise((resolve) => silent.once("listening", resolve));
  const { port } = silent.address() as { port: number };
  const fields = { do: "test", "/source/url": `http://127.0.0.1:${port}` };
  const both = await Promise.all([
    post("/admin/add/mtconnect", fields),
    post("/admin/add/mtconnect", fields),
  ]);
  const told = both.map(({ html }) => html.includes("Another test of yours is still running")).sort();
  expect(told).toEqual([false, true]);
  expect(both.some(({ html }) => html.includes("No answer within 5 seconds"))).toBe(true);
  silent.close();
});

test("a module is read live; its wires are rules", async () => {
  adam.setInput(2, true);
  adam.setCounter(3, 4_711);
  const source = { "/source/host": adam.host, "/source/port": String(adam.port), "/source/unit": "1" };
  const fields = { ...source, "/source/map": "adam-6050" };
  const tested = await post("/admin/add/modbus", { do: "test", ...fields });
  expect(tested.status).toBe(200);
  expect(tested.html).toContain("4,711");
  expect(tested.html).toMatch(/data-on="true"><dt>di2<\/dt>/);

  const wires = {
    "/wires/run": "di2",
    "/wires/fault": "di4",
    "/wires/fault_when": "0",
    "/wires/parts": "counter3",
  };
  const same = await post("/admin/add/modbus", {
    do: "create",
    ...fields,
    "/name": "Press",
    "/wires/run": "di2",
    "/wires/fault": "di2",
  });
  expect(same.status).toBe(422);
  const made = await post("/admin/add/modbus", { do: "create", ...fields, ...wires, "/name": "Press" });
  expect(made.status).toBe(303);
  const press = (await machines()).find(({ name }) => name === "Press");
  expect(press).toMatchObject({
    source: { kind: "modbus", host: adam.host, port: adam.port, unit: 1, map: "adam-6050" },
    rules: [
      { signal: "di2", is: "execution", words: { "1": "ACTIVE", "0": "READY" } },
      { signal: "di4", is: "condition:fault", words: { "0": "FAULT", "1": "NORMAL" } },
      { signal: "counter3", is: "part_count" },
    ],
  });
});

test("a machine that is sent to: its line is shown, its settings and rules change by form, and stay as they were", async () => {
  const made = await post("/admin/add/http", { do: "create", "/name": HOSTILE, "/id": "saw-1" });
  expect(made).toMatchObject({ status: 303, location: "/admin/machines/saw-1?done=added" });
  const page = await ask(made.location);
  expect(page.html).toContain("/internal/machines/saw-1/data");
  expect(page.html).not.toContain("<img");
  const taken = await post("/admin/add/http", { do: "create", "/name": "x", "/id": "saw-1" });
  expect(taken.status).toBe(422);
  expect(taken.html).toContain("another machine has this id");

  const rules = {
    "/rules/0/signal": "run",
    "/rules/0/is": "execution",
    "/rules/0/words": "0=READY, 1=ACTIVE",
  };
  const wrong = await post("/admin/machines/saw-1", { "/name": "Saw", ...rules, "/rules/0/words": "READY" });
  expect(wrong.status).toBe(422);
  expect(wrong.html).toContain("write value=WORD");
  expect(shownIn(wrong.html, "/rules/0/signal")).toBe("run");
  const added = await post("/admin/machines/saw-1", { "/name": "Saw", do: "add /rules" });
  expect(shownIn(added.html, "/name")).toBe("Saw");
  expect(added.html).toContain('name="/rules/0/signal"');
  const saved = await post("/admin/machines/saw-1", { "/name": "Saw", "/group": "hall 2", ...rules });
  expect(saved.status).toBe(303);
  const find = async () => (await machines()).find(({ id }) => id === "saw-1");
  expect(await find()).toMatchObject({
    name: "Saw",
    group: "hall 2",
    source: { kind: "http" },
    rules: [{ signal: "run", is: "execution", words: { "0": "READY", "1": "ACTIVE" } }],
  });
  // The page's own fields, sent back, change nothing: nor with every other machine.
  for (const { id } of await machines()) {
    const before = (await server.call("GET", `/api/v1/machines/${id}`)).body;
    const { html } = await ask(`/admin/machines/${id}`);
    const fields = [...html.matchAll(/<input[^>]* name="(\/[^"]+)"[^>]*>/g)].flatMap(([tag, name = ""]) => {
      const value = / value="([^"]*)"/.exec(tag)?.[1];
      return value === undefined ? [] : [[name, value.replaceAll("&quot;", '"')] as const];
    });
    const area = /<textarea[^>]* name="([^"]+)"[^>]*>([^<]*)</.exec(html);
    const all = Object.fromEntries(area ? [...fields, [area[1], area[2]]] : fields);
    expect([id, (await post(`/admin/machines/${id}`, all)).status]).toEqual([id, 303]);
    expect((await server.call("GET", `/api/v1/machines/${id}`)).body).toEqual(before);
  }
  const gone = await post("/admin/machines/saw-1", { do: "delete" });
  expect(gone).toMatchObject({ status: 303, location: "/admin/machines?done=deleted" });
  expect(await find()).toBeUndefined();
  expect((await ask("/admin/machines/saw-1")).status).toBe(404);
});

test.skipIf(onCluster)(
  "the demo, which a cluster does not offer, comes by a click and goes by a click; nothing else is touched, and it stays gone",
  async () => {
    const own = await machines();
    const started = await post("/admin/demo", { do: "start" });
    expect(started).toMatchObject({ status: 303, location: "/admin/machines?done=demo_started" });
    const demo = (await machines()).filter((machine) => machine.demo);
    expect(demo).toHaveLength(5);
    // Twice is once.
    await post("/admin/demo", { do: "start" });
    expect(await machines()).toHaveLength(own.length + 5);
    const list = await ask("/admin/machines");
    expect(list.html.match(/class="tag"/g)).toHaveLength(5);
    await until(async () => {
      const { body } = await server.call<{ sources: { state: string }[] }>("GET", "/readyz");
      return body.sources.length >= 4 && body.sources.every(({ state }) => /streaming|polling/.test(state))
        ? true
        : undefined;
    });
    const sources = async () =>
      (await server.call<{ sources: { name: string }[] }>("GET", "/readyz")).body.sources.map(
        ({ name }) => name,
      );
    const with_demo = await sources();
    expect((await post("/admin/demo", { do: "remove" })).status).toBe(303);
    expect(await machines()).toEqual(own);
    const left = await until(async () => {
      const now = await sources();
      return now.length < with_demo.length ? now : undefined;
    });
    const simulated = with_demo.find((name) => !left.includes(name) && name.startsWith("http")) ?? "";
    expect(await fetch(`${simulated}/probe`).catch(() => "gone")).toBe("gone");
    const { data_dir } = server;
    await server.stop();
    server = await startServer({ MTC_DEMO: "auto" }, data_dir);
    expect(await machines()).toEqual(own);
  },
);

test("events set aside are seen, counted in the navigation, delivered again, thrown away", async () => {
  await server.call("POST", "/api/v1/machines", { id: "press-9", name: "Press 9" });
  const { data_dir } = server;
  await server.stop();
  await putPoison(data_dir, "press-9", HOSTILE);
  server = await startServer({}, data_dir);
  const { html } = await ask("/admin/events");
  expect(html).toContain("2 events set aside");
  expect(html).toContain("Press 9");
  expect(html).not.toContain("<img");
  const positions = [...html.matchAll(/action="\/admin\/events\/(\d+)"/g)].map(([, position]) =>
    Number(position),
  );
  const [good = 0, bad = 0] = [...new Set(positions)];
  const open = await ask(`/admin/events?show=${good}`);
  expect(open.html).toContain("&quot;part_count&quot;");
  const retried = await post(`/admin/events/${good}`, { do: "retry" });
  expect(retried).toMatchObject({ status: 303, location: "/admin/events?retried=1" });
  await server.settled();
  const path = `/api/v1/machines/press-9/oee?${HOUR}`;
  expect((await server.call("GET", path)).body).toMatchObject({ rows: [{ total_count: 7 }] });
  expect((await post(`/admin/events/${bad}`, { do: "retry" })).status).toBe(303);
  await until(async () => (await ask("/admin/events")).html.includes("Cannot parse") || undefined);
  expect((await post("/admin/events", { do: "discard" })).location).toBe("/admin/events?discarded=1");
  expect((await ask("/admin/events")).html).toContain("None. Everything");
  expect((await post("/admin/events/999999", { do: "retry" })).status).toBe(404);
  expect((await post("/admin/events/nonsense", { do: "retry" })).status).toBe(404);
});

test("none of it is for others, and no other site's page may post it", async () => {
  await server.call("POST", "/api/v1/users", { name: "olga", password: "long enough", role: "operator" });
  const olga = await signIn({ name: "olga", password: "long enough" });
  for (const path of ["/admin/machines", "/admin/add/mtconnect", "/admin/machines/press-9", "/admin/events"])
    expect([path, (await ask(path, {}, olga)).status]).toEqual([path, 403]);
  const posts: [path: string, act: string][] = [
    ["/admin/demo", "start"],
    ["/admin/add/mtconnect", "test"],
    ["/admin/machines/press-9", "delete"],
    ["/admin/events", "discard"],
  ];
  for (const [path, act] of posts) {
    const init = { method: "POST", body: new URLSearchParams({ do: act }) };
    expect([path, (await ask(path, init, olga)).status]).toEqual([path, 403]);
    const foreign = { ...init, headers: { "sec-fetch-site": "cross-site" } };
    expect([path, (await ask(path, foreign)).status]).toEqual([path, 403]);
  }
  expect((await post("/admin/demo", { do: "nonsense" })).status).toBe(422);
  expect((await ask("/admin/add/opc")).status).toBe(404);
});
