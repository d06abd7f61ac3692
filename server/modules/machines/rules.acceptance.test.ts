// Rules over real HTTP (SPEC 4.8): wired signals in, states and part counts out.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { discard, startServer, type TestServer } from "../../testing/server.ts";
import { stormy } from "../../testing/storm.ts";

let server: TestServer;
beforeAll(async () => {
  server = stormy(await startServer());
});
afterAll(() => discard(server));

const RULES = [
  { signal: "di0", is: "execution", words: { "0": "READY", "1": "ACTIVE" } },
  { signal: "di1", is: "condition:fault", words: { "0": "NORMAL", "1": "FAULT" } },
  { signal: "counter0", is: "part_count" },
];
const AT = "2026-01-05T06:";

type Row = [signal: string, minute: string, value: number | string];
const post = (id: string, rows: Row[], headers: Record<string, string> = {}) =>
  server.call(
    "POST",
    `/internal/machines/${id}/data`,
    { observations: rows.map(([signal, minute, value]) => ({ signal, ts: `${AT}${minute}:00Z`, value })) },
    headers,
  );

type States = { rows: { state: string; seconds: number }[] };
async function states(id: string): Promise<[string, number][]> {
  await server.settled();
  const path = `/api/v1/machines/${id}/states?from=${AT}00:00Z&to=${AT}30:00Z`;
  const { body } = await server.call<States>("GET", path);
  return body.rows.map(({ state, seconds }) => [state, seconds]);
}
async function total(id: string): Promise<number> {
  await server.settled();
  const path = `/api/v1/machines/${id}/oee?from=${AT}00:00Z&to=${AT}30:00Z&by=total`;
  const { body } = await server.call<{ rows: { total_count: number }[] }>("GET", path);
  return body.rows[0]?.total_count ?? Number.NaN;
}

const DAY: Row[] = [
  ["di0", "00", 0],
  ["di1", "00", 0],
  ["counter0", "00", 100],
  ["di0", "05", 1],
  ["counter0", "10", 140],
  ["di0", "15", 0],
  ["di1", "15", 1],
  ["di1", "20", 0],
  // Switched off and on: the module counts from nothing.
  ["counter0", "25", 3],
];

test("inputs are run and fault, a counter counts parts; a batch sent twice changes nothing (invariant 2)", async () => {
  const made = await server.call("POST", "/api/v1/machines", { id: "press", name: "Press", rules: RULES });
  expect(made).toMatchObject({ status: 201, body: { rules: RULES } });
  const headers = { "idempotency-key": "shift-1" };
  const first = await post("press", DAY, headers);
  expect(first).toMatchObject({ status: 202, body: { accepted: DAY.length } });
  expect((await post("press", DAY, headers)).body).toEqual(first.body);
  expect((await post("press", DAY.slice(1), headers)).status).toBe(409);
  expect((await post("press", DAY)).status).toBe(202);
  expect(await states("press")).toEqual([
    ["IDLE", 300],
    ["RUNNING", 600],
    ["DOWN", 300],
    ["IDLE", 600],
  ]);
  expect(await total("press")).toBe(43);
});

test("the signals themselves are kept as they came", async () => {
  await server.settled();
  const path = `/api/v1/machines/press/observations?signal=di0&from=${AT}00:00Z&to=${AT}30:00Z`;
  const { body } = await server.call<{ rows: { value: unknown }[] }>("GET", path);
  expect(body.rows.length).toBeGreaterThanOrEqual(3);
});

test("rules hold from when they are set, for the latest values too, and survive a restart", async () => {
  await server.call("POST", "/api/v1/machines", { id: "saw", name: "Saw" });
  await post("saw", [
    ["di0", "00", 0],
    ["di0", "05", 1],
  ]);
  expect((await states("saw")).map(([state]) => state)).toEqual(["UNKNOWN"]);
  expect(await server.call("PATCH", "/api/v1/machines/saw", { rules: RULES })).toMatchObject({
    status: 200,
    body: { name: "Saw", rules: RULES },
  });
  // The value of minute 0 was over when the rules came; that of minute 5 was not.
  expect(await states("saw")).toEqual([
    ["UNKNOWN", 300],
    ["RUNNING", 1_500],
  ]);
  const { data_dir } = server;
  await server.kill();
  server = await startServer({}, data_dir);
  expect((await server.call("GET", "/api/v1/machines/saw")).body).toMatchObject({ rules: RULES });
  await post("saw", [["di0", "20", 0]]);
  expect(await states("saw")).toEqual([
    ["UNKNOWN", 300],
    ["RUNNING", 900],
    ["IDLE", 600],
  ]);
});

test("rules that cannot hold are refused with their path; other changes leave the rules alone", async () => {
  const refused = async (rules: unknown): Promise<string[]> => {
    const { status, body } = await server.call<{ errors: { path: string }[] }>(
      "PATCH",
      "/api/v1/machines/saw",
      {
        rules,
      },
    );
    expect(status).toBe(422);
    return body.errors.map(({ path }) => path);
  };
  expect(await refused([{ signal: "di0", is: "exection" }])).toContain("/rules/0/is");
  expect(await refused([...RULES, { signal: "di3", is: "part_count" }])).toEqual(["/rules/3/is"]);
  expect(await refused([{ signal: "di0", is: "execution", words: { "1": "" } }])).toContain(
    "/rules/0/words/1",
  );
  await server.call("PATCH", "/api/v1/machines/saw", { name: "Band saw" });
  expect((await server.call("GET", "/api/v1/machines/saw")).body).toMatchObject({
    name: "Band saw",
    rules: RULES,
  });
  await server.call("PATCH", "/api/v1/machines/saw", { rules: [] });
  expect((await server.call("GET", "/api/v1/machines/saw")).body).toMatchObject({ rules: [] });
});
