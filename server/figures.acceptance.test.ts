// Figures beyond OEE over HTTP (SPEC 10): losses, minor stops, failures, groups; and corrections that arrive late.
import { expect } from "bun:test";
import { dayAfter, MONDAY, serverSideBySide } from "./testing/side-by-side.ts";

type Row = { key: string; flags: string[] } & Record<string, number | null>;
type Report = { total: Row; rows: Row[] };
type Loss = { state: string; reason: string; cause: string; loss: string; excluded: boolean } & Record<
  "seconds" | "count" | "share",
  number
>;

const at = (time: string, day = MONDAY): string => `${day}T${time}:00Z`;
const WINDOW = `from=${at("06:00")}&to=${at("14:00")}`;
const SUNDAY = dayAfter(-1);

const { scenario, call } = serverSideBySide(
  `/api/v1/oee?from=${at("00:00", SUNDAY)}&to=${at("00:00", dayAfter(1))}`,
);

async function machine(id: string, more: object = {}): Promise<string> {
  expect((await call("POST", "/api/v1/machines", { id, name: id, ...more })).status).toBe(201);
  const base = `/api/v1/machines/${id}`;
  const calendar = {
    timezone: "UTC",
    shifts: [{ name: "early", days: ["mon"], start: "06:00", end: "14:00" }],
  };
  expect((await call("PUT", `${base}/calendar`, calendar)).status).toBe(200);
  const times = [{ valid_from: at("00:00", SUNDAY), ideal_cycle_s: 60 }];
  expect((await call("PUT", `${base}/cycle-times`, times)).status).toBe(200);
  return base;
}

async function observe(id: string, rows: [signal: string, time: string, value: string | number][]) {
  const observations = rows.map(([signal, time, value]) => ({ signal, ts: at(time), value }));
  expect((await call("POST", `/internal/machines/${id}/data`, { observations })).status).toBe(202);
}

const total = async (base: string): Promise<Row> =>
  (await call<Report>("GET", `${base}/oee?${WINDOW}`)).body.total;

/** 480 min: ran 06:00–08:00, minor stop of 2 min, ran to 10:00, failed until 10:30, set up until 11:00, ran on. */
const day: Parameters<typeof observe>[1] = [
  ["execution", "06:00", "ACTIVE"],
  ["functional_mode", "06:00", "PRODUCTION"],
  ["condition:servo", "06:00", "NORMAL"],
  ["part_count", "06:00", 0],
  ["part_count_bad", "06:00", 0],
  ["execution", "08:00", "FEED_HOLD"],
  ["execution", "08:02", "ACTIVE"],
  ["part_count", "09:59", 200],
  ["execution", "10:00", "INTERRUPTED"],
  ["condition:servo", "10:00", "FAULT"],
  ["condition:servo", "10:30", "NORMAL"],
  ["functional_mode", "10:30", "SETUP"],
  ["part_count", "10:45", 205],
  ["part_count_bad", "10:45", 5],
  ["functional_mode", "11:00", "PRODUCTION"],
  ["execution", "11:00", "ACTIVE"],
  ["part_count", "13:59", 365],
  ["part_count_bad", "13:59", 15],
];

scenario(
  "invariant 5: the losses add up, from planned time to what the good parts should have taken",
  async () => {
    const base = await machine("losses");
    expect((await call("PUT", `${base}/policy`, { minor_stop_s: 300 })).status).toBe(200);
    await observe("losses", day);
    const row = await total(base);
    expect(row).toMatchObject({
      planned_time_s: 28_800,
      run_time_s: (120 + 118 + 180) * 60,
      breakdown_loss_s: 1_800,
      setup_loss_s: 1_800,
      minor_stop_loss_s: 120,
      other_stop_loss_s: 0,
      unknown_loss_s: 0,
      speed_loss_s: (418 - 365) * 60,
      startup_reject_loss_s: 5 * 60,
      reject_loss_s: 10 * 60,
      failure_count: 1,
      mtbf_s: 418 * 60,
      mttr_s: 1_800,
      stop_count: 2,
      minor_stop_count: 1,
      good_count: 350,
      oee: 350 / 480,
      ooe: 350 / 480,
      utilisation: 1,
      teep: 350 / 480,
    });
    const lost = Object.entries(row).filter(([name]) => name.endsWith("_loss_s"));
    const all_s = lost.reduce((sum, [, value]) => sum + Number(value), 0);
    expect(28_800 - all_s).toBe(350 * 60);
  },
);

scenario(
  "Pareto's list, by time and by count; what the policy excludes is listed, but is no loss",
  async () => {
    const base = await machine("pareto");
    await observe("pareto", day);
    const entry = { from: at("10:00"), to: at("10:20"), reason: "tool" };
    expect((await call("POST", `${base}/downtime`, entry)).status).toBe(201);
    const list = async (query = "") =>
      (await call<{ rows: Loss[] }>("GET", `${base}/losses?${WINDOW}${query}`)).body.rows.map(
        ({ state, reason, loss, excluded, seconds, count, share }) => [
          state,
          reason,
          loss,
          excluded,
          seconds,
          count,
          share,
        ],
      );
    expect(await list()).toEqual([
      ["SETUP", "", "setup", false, 1_800, 1, 1_800 / 3_720],
      ["DOWN", "tool", "breakdown", false, 1_200, 1, 1_200 / 3_720],
      ["DOWN", "", "breakdown", false, 600, 1, 600 / 3_720],
      ["STOPPED", "", "other", false, 120, 1, 120 / 3_720],
    ]);
    expect((await call("PUT", `${base}/policy`, { reasons: { tool: "excluded" } })).status).toBe(200);
    expect((await list("&sort=count"))[0]).toEqual(["SETUP", "", "setup", false, 1_800, 1, 1_800 / 2_520]);
    expect(await list()).toContainEqual(["DOWN", "tool", "", true, 1_200, 1, 0]);
    expect((await total(base)).planned_time_s).toBe(28_800 - 1_200);
  },
);

scenario("groups, the plant, and machines by name: sums first", async () => {
  await machine("hall-a", { group: "hall" });
  await machine("hall-b", { group: "hall" });
  await observe("hall-a", day);
  const by = async (query: string): Promise<Row[]> =>
    (await call<Report>("GET", `/api/v1/oee?${WINDOW}&${query}`)).body.rows;
  const groups = await by("by=group");
  expect(groups.map(({ key }) => key)).toEqual(["", "hall"]);
  expect(groups[1]).toMatchObject({ planned_time_s: 2 * 28_800, good_count: 350, oee: 350 / 960 });
  expect(await by("by=total&group=hall")).toEqual([{ ...groups[1], key: "" } as Row]);
  expect((await by("by=total&machine=hall-a"))[0]).toMatchObject({ oee: 350 / 480 });
  expect((await by("by=plant"))[0]?.total_count).toBe((await by("by=total"))[0]?.total_count as number);
  expect((await call("GET", "/api/v1/oee?group=none")).status).toBe(404);
  expect((await call("GET", "/api/v1/oee?machine=hall-a,none")).status).toBe(404);
  const patched = await call<{ group: string }>("PATCH", "/api/v1/machines/hall-b", { group: "yard" });
  expect(patched.body.group).toBe("yard");
  expect((await by("by=group")).map(({ key }) => key)).toEqual(["", "hall", "yard"]);
});

scenario(
  "invariant 5: a target is told beside the figures and changes none; where machines differ there is none",
  async () => {
    const base = await machine("target");
    const other = await machine("other-target");
    await observe("target", day);
    type Aimed = Report & { target_oee: number | null; policy: object | null };
    const aimed = async (path: string) => (await call<Aimed>("GET", `${path}oee?${WINDOW}`)).body;
    const put = async (of: string, policy: object) =>
      await call<{ errors?: { path: string }[] }>("PUT", `${of}/policy`, policy);
    const before = await aimed(`${base}/`);
    expect(before.target_oee).toBeNull();
    expect((await put(base, { target_oee: 0.85 })).status).toBe(200);
    const { body } = await call<{ policy: object }>("GET", base);
    expect(body.policy).toEqual({ unknown: "loss", reasons: {}, minor_stop_s: 0, target_oee: 0.85 });
    expect(await aimed(`${base}/`)).toEqual({ ...before, target_oee: 0.85 });
    const both = async () =>
      (await call<Aimed>("GET", `/api/v1/oee?${WINDOW}&machine=target,other-target`)).body;
    expect((await both()).target_oee).toBeNull();
    await put(other, { target_oee: 0.85 });
    expect(await both()).toMatchObject({ target_oee: 0.85, policy: { unknown: "loss" } });
    await put(other, { target_oee: 0.6 });
    await put(base, {});
    expect((await aimed(`${base}/`)).target_oee).toBeNull();
    expect((await aimed(`${other}/`)).target_oee).toBe(0.6);
    for (const target_oee of [0, 1.01, -0.5, "0.8"])
      expect([target_oee, (await put(base, { target_oee })).body.errors?.[0]?.path]).toEqual([
        target_oee,
        "/target_oee",
      ]);
  },
);

scenario("invariant 3: what arrives late corrects figures that were asked for before", async () => {
  const base = await machine("late");
  await observe("late", day.slice(4));
  const before = await total(base);
  expect(before).toMatchObject({ unknown_time_s: 2 * 3_600, total_count: 165 });
  await observe("late", day.slice(0, 4));
  expect(await total(base)).toMatchObject({ unknown_time_s: 0, run_time_s: 418 * 60, total_count: 365 });
  await call("POST", `${base}/rejects`, { ts: at("07:00"), count: 3 });
  expect((await total(base)).reject_count).toBe(18);
});

scenario("invariant 3: a counter's leap of yesterday is told by today's value", async () => {
  const base = await machine("leap");
  const observation = (ts: string, value: number) => ({
    observations: [{ signal: "part_count", ts, value }],
  });
  const post = async (ts: string, value: number) => {
    await call("POST", "/internal/machines/leap/data", observation(ts, value));
  };
  const yesterday = async (): Promise<Row> =>
    (await call<Report>("GET", `${base}/oee?from=${at("00:00", SUNDAY)}&to=${at("00:00")}`)).body.total;
  await post(at("10:00", SUNDAY), 2_000);
  await post(at("23:50", SUNDAY), 599_999);
  expect(await yesterday()).toMatchObject({ total_count: 597_999 });
  await post(at("00:10"), 2_001);
  expect(await yesterday()).toMatchObject({ total_count: 0, flags: ["spike_quarantined"] });
});
