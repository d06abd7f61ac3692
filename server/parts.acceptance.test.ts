// Parts over HTTP (SPEC 8): spikes with a decision, pulses, events, lots with an order and an end, rejects entered later.
import { expect, test } from "bun:test";
import { until } from "../.ci/limits.ts";
import { dayAfter, MONDAY, serverSideBySide } from "./testing/side-by-side.ts";

type Row = { key: string; flags: string[] } & Record<string, number | null>;
type List = { rows: Record<string, unknown>[] };

const at = (time: string, day = MONDAY): string => `${day}T${time}:00Z`;
const WINDOW = `from=${at("06:00")}&to=${at("14:00")}`;
const TUESDAY = dayAfter(1);

const { scenario, call, server, restart } = serverSideBySide(
  `/api/v1/oee?from=${at("00:00")}&to=${at("00:00", dayAfter(2))}`,
);

async function machine(id: string, more: object = {}): Promise<string> {
  expect((await call("POST", "/api/v1/machines", { id, name: id, ...more })).status).toBe(201);
  return `/api/v1/machines/${id}`;
}

async function observe(id: string, rows: [signal: string, time: string, value: string | number][]) {
  const observations = rows.map(([signal, time, value]) => ({ signal, ts: at(time), value }));
  expect((await call("POST", `/internal/machines/${id}/data`, { observations })).status).toBe(202);
}

async function post(path: string, body: object): Promise<void> {
  expect((await call("POST", path, body)).status).toBe(201);
}

const figures = async (base: string, by = "total"): Promise<Row[]> =>
  (await call<{ rows: Row[] }>("GET", `${base}/oee?${WINDOW}&by=${by}`)).body.rows;
const list = async (path: string): Promise<unknown[]> => (await call<List>("GET", path)).body.rows;

scenario("a leap is quarantined, listed, and counts once it is accepted", async () => {
  const base = await machine("leaps");
  const leap = { signal: "part_count", ts: at("08:00") };
  await observe("leaps", [
    ["part_count", "07:00", 2_000],
    ["part_count", "08:00", 599_999],
    ["part_count", "09:00", 2_001],
  ]);
  expect((await figures(base))[0]).toMatchObject({
    total_count: 1,
    flags: ["no_ideal_cycle", "spike_quarantined"],
  });
  const listed = {
    signal: "part_count",
    ts: `${MONDAY}T08:00:00.000000Z`,
    value: 599_999,
    before: 2_000,
    after: 2_001,
  };
  expect(await list(`${base}/spikes?${WINDOW}`)).toEqual([{ ...listed, decision: "open" }]);
  await post(`${base}/spikes`, { ...leap, decision: "refused" });
  expect((await figures(base))[0]).toMatchObject({ total_count: 1, flags: ["no_ideal_cycle"] });
  await post(`${base}/spikes`, { ...leap, decision: "accepted" });
  expect((await figures(base))[0]).toMatchObject({
    total_count: 597_999 + 2_001,
    flags: ["no_ideal_cycle", "counter_reset"],
  });
  expect(await list(`${base}/spikes?${WINDOW}`)).toEqual([{ ...listed, decision: "accepted" }]);
  const refused = await call<{ detail: string }>("POST", `${base}/spikes`, {
    ...leap,
    decision: "maybe",
  });
  expect([refused.status, refused.body.detail]).toEqual([422, expect.stringContaining("/decision")]);
});

scenario(
  "a wired input is a part for each rise: not for a level that is seen again, nor over UNAVAILABLE",
  async () => {
    const base = await machine("pulses", { rules: [{ signal: "di2", is: "part_pulse" }] });
    const seen: Parameters<typeof observe>[1] = [
      ["di2", "06:00", 0],
      ["di2", "06:01", 1],
      ["di2", "06:02", 0],
      ["di2", "06:03", 1],
      ["di2", "06:04", "UNAVAILABLE"],
      ["di2", "06:05", 1],
      ["di2", "06:06", 0],
      ["di2", "06:07", 1],
    ];
    await observe("pulses", seen);
    expect((await figures(base))[0]?.total_count).toBe(3);
    await observe("pulses", seen.toReversed());
    expect((await figures(base))[0]?.total_count).toBe(3);
  },
);

scenario(
  "events add their number; a counter of the same parts goes before them, from its first value on",
  async () => {
    const base = await machine("events");
    await observe("events", [
      ["part_event", "06:10", 1],
      ["part_event", "06:20", 1],
      ["part_event", "06:30", 3],
      ["part_event_bad", "06:30", 1],
    ]);
    expect((await figures(base))[0]).toMatchObject({ total_count: 5, reject_count: 1 });
    await observe("events", [
      ["part_count", "07:00", 100],
      ["part_count", "08:00", 104],
      ["part_event", "08:00", 1],
    ]);
    expect((await figures(base))[0]).toMatchObject({ total_count: 5 + 4, reject_count: 1 });
  },
);

scenario("a counter that a machine begins to tell leaves its past alone", async () => {
  const base = await machine("begins");
  await observe("begins", [
    ["part_count", "06:00", 0],
    ["part_count", "07:00", 10],
  ]);
  const later = [
    { signal: "part_count_good", ts: at("06:00", TUESDAY), value: 0 },
    { signal: "part_count", ts: at("07:00", TUESDAY), value: 15 },
    { signal: "part_count_good", ts: at("07:00", TUESDAY), value: 4 },
  ];
  await call("POST", "/internal/machines/begins/data", { observations: later });
  expect((await figures(base))[0]).toMatchObject({ total_count: 10, reject_count: 0 });
  const path = `${base}/oee?from=${at("00:00", TUESDAY)}&to=${at("00:00", dayAfter(2))}`;
  const { body } = await call<{ rows: Row[] }>("GET", path);
  expect(body.rows[0]).toMatchObject({ total_count: 5, reject_count: 1 });
});

scenario("lots with an order and an end; a correction takes the place of what began with it", async () => {
  const base = await machine("lots");
  await observe("lots", [
    ["part_count", "06:00", 0],
    ["part_count", "07:00", 10],
    ["part_count", "09:00", 30],
    ["part_count", "13:00", 60],
  ]);
  await post(`${base}/lots`, { lot: "L1", order: "O-7", part: "P", from: at("06:30"), to: at("08:00") });
  await post(`${base}/lots`, { lot: "L2", order: "O-7", from: at("12:00") });
  const by = async (cut: string) =>
    (await figures(base, cut)).map(({ key, total_count }) => [key, total_count]);
  expect(await by("lot")).toEqual([
    ["", 20],
    ["L1", 10],
    ["L2", 30],
  ]);
  expect(await by("order")).toEqual([
    ["", 20],
    ["O-7", 40],
  ]);
  expect(await by("part")).toEqual([
    ["", 50],
    ["P", 10],
  ]);
  await post(`${base}/lots`, { lot: "L3", from: at("12:00"), to: at("12:30") });
  expect(await by("lot")).toEqual([
    ["", 50],
    ["L1", 10],
    ["L3", 0],
  ]);
  expect(await list(`${base}/lots?${WINDOW}`)).toMatchObject([
    { lot: "L1", order: "O-7", part: "P", to: `${MONDAY}T08:00:00.000000Z` },
    { lot: "L3", order: "", to: `${MONDAY}T12:30:00.000000Z` },
  ]);
  const bad = { lot: "L4", from: at("12:00"), to: at("11:00") };
  const refused = await call<{ detail: string }>("POST", `${base}/lots`, bad);
  expect([refused.status, refused.body.detail]).toEqual([422, expect.stringContaining("/to")]);
});

scenario("rejects entered later count against the hour in which the parts were made", async () => {
  const base = await machine("rejects");
  await observe("rejects", [
    ["part_count", "06:00", 0],
    ["part_count", "07:30", 10],
    ["part_count", "09:30", 20],
  ]);
  await post(`${base}/rejects`, { ts: at("07:15"), count: 4, reason: "burr" });
  await post(`${base}/rejects`, { ts: at("07:15"), count: -1, reason: "burr" });
  const hours = (await figures(base, "hour")).map(({ key, reject_count, good_count }) => [
    key.slice(11, 13),
    reject_count,
    good_count,
  ]);
  expect(hours.slice(0, 4)).toEqual([
    ["06", 0, 0],
    ["07", 3, 7],
    ["08", 0, 0],
    ["09", 0, 10],
  ]);
  expect(await list(`${base}/rejects?${WINDOW}`)).toMatchObject([
    { count: 4, reason: "burr" },
    { count: -1, reason: "burr" },
  ]);
});

scenario(
  "one part without an ideal cycle time makes the window's performance unknown, and says so",
  async () => {
    const base = await machine("ideal");
    const times = [{ part: "A", valid_from: at("00:00"), ideal_cycle_s: 60 }];
    expect((await call("PUT", `${base}/cycle-times`, times)).status).toBe(200);
    expect(await list(`${base}/cycle-times`)).toEqual(times);
    await observe("ideal", [
      ["execution", "06:00", "ACTIVE"],
      ["part_number", "06:00", "A"],
      ["part_count", "06:00", 0],
      ["part_count", "07:00", 50],
      ["part_number", "08:00", "B"],
      ["part_count", "09:00", 60],
    ]);
    expect((await figures(base))[0]).toMatchObject({
      performance: null,
      oee: null,
      flags: ["no_ideal_cycle"],
    });
    const parts = await figures(base, "part");
    expect(parts.find(({ key }) => key === "A")).toMatchObject({ performance: 50 / 120, flags: [] });
  },
);

test("whoever counts by itself is not counted by hand as well, after a restart neither", async () => {
  const base = (id: string): string => `/api/v1/machines/${id}`;
  const count = async (id: string, time: string, count = 5): Promise<number> =>
    (await server().call("POST", `${base(id)}/counts`, { ts: at(time), count })).status;
  for (const id of ["by-hand", "by-itself"])
    expect((await server().call("POST", "/api/v1/machines", { id, name: id })).status).toBe(201);
  // People counted before the machine did.
  expect([await count("by-hand", "06:00"), await count("by-itself", "06:00")]).toEqual([201, 201]);
  const observations = [{ signal: "part_event", ts: at("06:10"), value: 1 }];
  const { status } = await server().call("POST", "/internal/machines/by-itself/data", { observations });
  expect(status).toBe(202);
  await server().settled();
  expect([await count("by-hand", "06:20"), await count("by-itself", "06:20")]).toEqual([201, 409]);
  await restart();
  // What was told before the start is known again in a moment.
  await until(async () => (await count("by-itself", "06:30", 0)) === 409 || undefined);
  expect(await count("by-hand", "06:30")).toBe(201);
  await server().settled();
  const path = `/api/v1/oee?${WINDOW}&by=machine&machine=by-hand,by-itself`;
  const { body } = await server().call<{ rows: Row[] }>("GET", path);
  expect(body.rows.map(({ key, total_count }) => [key, total_count])).toEqual([
    ["by-hand", 15],
    ["by-itself", 6],
  ]);
});
