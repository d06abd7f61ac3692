// Who has a place for a report: turns, shares, and places that come back whatever becomes of a report.
import { afterAll, expect, test } from "bun:test";
import { Elysia } from "elysia";
import { pace, until } from "../../.ci/limits.ts";
import { answer } from "../lists.ts";
import { readSlowly } from "../testing/slow-clients.ts";
import { Admission, reportAdmission } from "./admission.ts";
import { errors } from "./errors.ts";

const SHARE = { working: 3, working_of_one: 2, open: 8, open_of_one: 5, sending: 4, sending_of_one: 2 };

/** Asks for a place; `begun` is set when its turn came. */
function enter(reports: Admission, owner: string, gone?: AbortSignal) {
  const one = { begun: false, place: reports.enter(owner, gone) };
  one.place.then(
    () => (one.begun = true),
    () => undefined,
  );
  return one;
}
const begun = async (all: { begun: boolean }[]): Promise<boolean[]> => {
  await pace(0);
  return all.map((one) => one.begun);
};

test("invariant 7: a key that floods has its places, then 429 with Retry-After; another key's turn comes at once", async () => {
  const reports = new Admission(SHARE);
  const flood = Array.from({ length: 5 }, () => enter(reports, "flood"));
  await expect(reports.enter("flood")).rejects.toMatchObject({
    status: 429,
    headers: { "retry-after": "2" },
  });
  const other = enter(reports, "other");
  expect(await begun([...flood, other])).toEqual([true, true, false, false, false, true]);
  const third = enter(reports, "third");
  (await flood[0]?.place)?.leave();
  expect(await begun([...flood, third])).toEqual([true, true, true, false, false, false]);
  (await other.place).leave();
  expect(await begun([third])).toEqual([true]);
});

test("invariant 7: in all there are so many, of however many keys", async () => {
  const reports = new Admission(SHARE);
  const all = Array.from({ length: 8 }, (_, i) => enter(reports, `key-${i}`));
  await expect(reports.enter("one more")).rejects.toMatchObject({ status: 429 });
  (await all[0]?.place)?.leave();
  expect(await begun([enter(reports, "one more"), ...all])).toEqual([
    false,
    ...Array(4).fill(true),
    ...Array(4).fill(false),
  ]);
});

test("invariant 7: who waits and is given up has no place any more, and whose turn it is goes on", async () => {
  const reports = new Admission(SHARE);
  const working = [enter(reports, "a"), enter(reports, "a")];
  const client = new AbortController();
  const waits = enter(reports, "a", client.signal);
  client.abort(new Error("left"));
  await expect(waits.place).rejects.toThrow("left");
  expect(await begun([...working, waits])).toEqual([true, true, false]);
  expect(reports.count()).toBe(2);
  const next = enter(reports, "a");
  (await working[0]?.place)?.leave();
  expect(await begun([next])).toEqual([true]);
});

test("invariant 7: who was given up before its turn takes none", async () => {
  const reports = new Admission(SHARE);
  await expect(reports.enter("a", AbortSignal.abort(new Error("left")))).rejects.toThrow("left");
  await pace(0);
  expect(reports.count()).toBe(0);
});

test("invariant 7: a long answer that is sent lets others work, and with so many of them further reports are refused", async () => {
  const reports = new Admission(SHARE);
  for (const one of [enter(reports, "a"), enter(reports, "a")]) (await one.place).send();
  expect(reports.count("working")).toBe(0);
  await expect(reports.enter("a")).rejects.toMatchObject({ status: 429 });
  expect(await begun([enter(reports, "b")])).toEqual([true]);
});

const STILL_MS = 500;
const logged: string[] = [];
const admission = reportAdmission(
  { door: { onRequest() {}, onWrongKey() {}, refused() {} } },
  (line) => logged.push(line),
  async () => {},
  STILL_MS,
);
/** 15 MB: more than sockets hold for a reader that takes nothing. */
const rows = Array.from({ length: 30_000 }, (_, i) => ({
  signal: "program",
  ts: `${i}`,
  value: "x".repeat(480),
}));
/** The hooks are given what the routes' own hooks are. */
const callers = new Elysia().resolve({ as: "scoped" }, ({ headers }) => ({
  caller: { id: headers["x-api-key"] ?? "", name: "", session: false } as never,
}));
const app = new Elysia()
  .use(errors(() => {}))
  .use(callers)
  .get("/short", () => ({ rows: [1] }), admission.exact)
  .get("/rows", ({ query }) => answer(query.format, { rows }), admission.exact)
  .get("/fails", () => Promise.reject(new Error("no")), admission.exact)
  .listen({ port: 0, hostname: "127.0.0.1" });
afterAll(() => app.stop(true));
const ask = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${app.server?.port}${path}`);

test("a short answer is as it was, and a long one whole, as JSON and as CSV", async () => {
  expect(await (await ask("/short")).text()).toBe('{"rows":[1]}');
  const json = await ask("/rows");
  expect(json.headers.get("content-type")).toBe("application/json");
  expect(await json.json()).toEqual({ rows });
  const csv = await ask("/rows?format=csv");
  expect(csv.headers.get("content-type")).toBe("text/csv; charset=utf-8");
  expect((await csv.text()).split("\n")).toHaveLength(rows.length + 2);
});

test("invariant 7: places come back, after answers, errors and readers that left", async () => {
  for (const path of ["/short", "/rows", "/rows?format=csv", "/fails"])
    for (let i = 0; i < 4; i++) {
      const answered = await ask(path);
      expect(answered.status).toBe(path === "/fails" ? 500 : 200);
      if (i % 2 === 0) await answered.bytes();
      else await answered.body?.cancel();
      await until(() => admission.open() === 0);
    }
});

test.each(["/rows", "/rows?format=csv"])(
  "invariant 7: a reader of %s that stands still is cut off, and one that is slow is not",
  async (path) => {
    const reader = (pause_ms: number) => readSlowly(app.server?.port ?? 0, path, "k", pause_ms);
    const still = reader(Infinity);
    await until(() => still.bytes > 0);
    await until(() => admission.open() === 0);
    still.pause_ms = 0;
    still.resume();
    await until(() => still.ended);
    expect(still.end_seen).toBe(false);
    expect(logged.pop()).toStartWith("broken off");
    const slow = reader(2);
    await until(() => slow.end_seen);
    slow.destroy();
  },
);
