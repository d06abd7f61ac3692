// Reasons for stops over HTTP (SPEC 9): a tree with policies, annotations that change, split and merge, and automatic reasons.
import { expect } from "bun:test";
import { until } from "../.ci/limits.ts";
import { dayAfter, MONDAY, serverSideBySide } from "./testing/side-by-side.ts";

type State = { state: string; reason: string; from: string; to: string; seconds: number };
type Row = Record<string, number | null>;
type Answer = { event_id: string; id: string; detail: string };

const at = (time: string): string => `${MONDAY}T${time}:00Z`;
const WINDOW = `from=${at("06:00")}&to=${at("14:00")}`;
const WHOLE_DAY = `from=${at("00:00")}&to=${dayAfter(1)}T00:00:00Z`;

const { scenario, call, settled } = serverSideBySide(`/api/v1/oee?${WHOLE_DAY}`);

async function machine(id: string): Promise<string> {
  expect((await call("POST", "/api/v1/machines", { id, name: id })).status).toBe(201);
  return `/api/v1/machines/${id}`;
}

async function observe(id: string, rows: [signal: string, time: string, value: string | number][]) {
  const observations = rows.map(([signal, time, value]) => ({ signal, ts: at(time), value }));
  expect((await call("POST", `/internal/machines/${id}/data`, { observations })).status).toBe(202);
}

async function say(
  method: string,
  path: string,
  body?: object,
  headers = {},
): Promise<Answer & { status: number }> {
  const answer = await call<Answer>(method, path, body, headers);
  return { ...answer.body, status: answer.status };
}

async function reasons(base: string): Promise<[string, string, string, string][]> {
  const { body } = await call<{ rows: State[] }>("GET", `${base}/states?${WINDOW}`);
  return body.rows.map(({ state, reason, from, to }) => [
    state,
    reason,
    from.slice(11, 16),
    to.slice(11, 16),
  ]);
}

const stopped: Parameters<typeof observe>[1] = [
  ["execution", "06:00", "ACTIVE"],
  ["execution", "08:00", "STOPPED"],
  ["execution", "12:00", "ACTIVE"],
];

scenario("an annotation is changed, split, merged and taken back; its history stays", async () => {
  const base = await machine("annotated");
  await observe("annotated", stopped);
  const { id } = await say("POST", `${base}/downtime`, {
    from: at("08:00"),
    to: at("10:00"),
    reason: "tool",
  });
  await say("PATCH", `${base}/downtime/${id}`, { to: at("11:00"), note: "blunt" });
  expect((await reasons(base)).slice(1, 3)).toEqual([
    ["STOPPED", "tool", "08:00", "11:00"],
    ["STOPPED", "", "11:00", "12:00"],
  ]);
  const split = await say("POST", `${base}/downtime/${id}/split`, { at: at("09:00"), reason: "material" });
  expect(split.status).toBe(200);
  expect((await reasons(base)).slice(1, 3)).toEqual([
    ["STOPPED", "tool", "08:00", "09:00"],
    ["STOPPED", "material", "09:00", "11:00"],
  ]);
  const list = await call<{ rows: { id: string; reason: string; versions: number }[] }>(
    "GET",
    `${base}/downtime?${WINDOW}`,
  );
  expect(list.body.rows.map(({ reason, versions }) => [reason, versions])).toEqual([
    ["tool", 3],
    ["material", 1],
  ]);
  const ids = list.body.rows.map((row) => row.id);
  expect((await say("POST", `${base}/downtime/merge`, { ids, reason: "setup" })).status).toBe(200);
  expect((await reasons(base))[1]).toEqual(["STOPPED", "setup", "08:00", "11:00"]);
  expect((await say("DELETE", `${base}/downtime/${id}`)).status).toBe(200);
  expect((await reasons(base))[1]).toEqual(["STOPPED", "", "08:00", "12:00"]);
  const { body } = await call<{ deleted: boolean; history: Record<string, unknown>[] }>(
    "GET",
    `${base}/downtime/${id}`,
  );
  expect(body.deleted).toBe(true);
  expect(body.history.map(({ reason, note, deleted }) => [reason, note, deleted])).toEqual([
    ["tool", "", false],
    ["tool", "blunt", false],
    ["tool", "blunt", false],
    ["setup", "blunt", false],
    ["setup", "blunt", true],
  ]);
  expect(body.history.every(({ by, at: said }) => by !== "" && said !== "")).toBe(true);
});

scenario(
  "invariant 2: every change that is sent again is answered as it was; another body is a conflict",
  async () => {
    const base = await machine("again");
    await observe("again", stopped);
    const key = { "idempotency-key": "a" };
    const entry = { from: at("08:00"), to: at("10:00"), reason: "tool" };
    const first = await say("POST", `${base}/downtime`, entry, key);
    expect(await say("POST", `${base}/downtime`, entry, key)).toEqual(first);
    const path = `${base}/downtime/${first.id}/split`;
    const split = await say("POST", path, { at: at("09:00") }, { "idempotency-key": "b" });
    expect(await say("POST", path, { at: at("09:00") }, { "idempotency-key": "b" })).toEqual(split);
    expect((await say("POST", path, { at: at("08:30") }, { "idempotency-key": "b" })).status).toBe(409);
    const { body } = await call<{ rows: object[] }>("GET", `${base}/downtime?${WINDOW}`);
    expect(body.rows).toHaveLength(2);
  },
);

scenario("invariant 2: a key that changed one annotation does not pass for a change of another", async () => {
  const base = await machine("keyed");
  const span = { from: at("08:00"), to: at("09:00"), reason: "tool" };
  const one = await say("POST", `${base}/downtime`, span);
  const other = await say("POST", `${base}/downtime`, span);
  const key = { "idempotency-key": "take-back" };
  expect((await say("DELETE", `${base}/downtime/${one.id}`, undefined, key)).status).toBe(200);
  expect((await say("DELETE", `${base}/downtime/${one.id}`, undefined, key)).status).toBe(200);
  expect((await say("DELETE", `${base}/downtime/${other.id}`, undefined, key)).status).toBe(409);
});

scenario("what cannot be is refused with its path; another machine's annotation is none", async () => {
  const base = await machine("refused");
  const other = await machine("other");
  const { id } = await say("POST", `${base}/downtime`, {
    from: at("08:00"),
    to: at("10:00"),
    reason: "tool",
  });
  const refused = async (method: string, path: string, body: object) => {
    const { status, detail } = await say(method, path, body);
    return [status, detail];
  };
  expect(await refused("PATCH", `${base}/downtime/${id}`, { to: at("07:00") })).toEqual([
    422,
    expect.stringContaining("/to"),
  ]);
  expect(await refused("POST", `${base}/downtime/${id}/split`, { at: at("10:00") })).toEqual([
    422,
    expect.stringContaining("/at"),
  ]);
  expect((await say("PATCH", `${other}/downtime/${id}`, { reason: "x" })).status).toBe(404);
  const circle = [
    { code: "a", name: "A", parent: "b" },
    { code: "b", name: "B", parent: "a" },
  ];
  expect(await refused("PUT", "/api/v1/reasons", circle)).toEqual([
    422,
    expect.stringContaining("/0/parent"),
  ]);
  const orphan = [{ code: "a", name: "A", parent: "none" }];
  expect(await refused("PUT", "/api/v1/reasons", orphan)).toEqual([
    422,
    expect.stringContaining("/0/parent"),
  ]);
  const twice = [
    { code: "a", name: "A" },
    { code: "a", name: "B" },
  ];
  expect(await refused("PUT", "/api/v1/reasons", twice)).toEqual([422, expect.stringContaining("/1/code")]);
});

scenario(
  "overlapping stops are united, and clipped to the shift: availability is never negative",
  async () => {
    const base = await machine("overlap");
    const shifts = [{ name: "early", days: ["mon"], start: "06:00", end: "14:00" }];
    await call("PUT", `${base}/calendar`, { timezone: "UTC", shifts });
    await observe("overlap", [["execution", "06:00", "STOPPED"]]);
    for (const [from, to] of [
      ["04:00", "12:00"],
      ["05:00", "15:00"],
      ["06:00", "14:00"],
    ] as const) {
      await say("POST", `${base}/downtime`, { from: at(from), to: at(to), reason: "tool" });
    }
    await call("PUT", `${base}/policy`, { reasons: { tool: "excluded" } });
    const [row] = (await call<{ rows: Row[] }>("GET", `${base}/oee?${WHOLE_DAY}`)).body.rows;
    expect(row).toMatchObject({ scheduled_time_s: 28_800, planned_time_s: 0, availability: null, oee: null });
  },
);

scenario(
  "the tree gives policies and losses to what is below; conditions give reasons by themselves, operators go before",
  async () => {
    const base = await machine("tree");
    await observe("tree", [
      ...stopped,
      ["condition:servo", "06:00", "NORMAL"],
      ["condition:servo", "08:30", "FAULT"],
      ["alarms:servo", "08:30", '[{"level":"FAULT","code":"SV0401","text":"overload"}]'],
      ["condition:servo", "09:30", "NORMAL"],
      ["alarms:servo", "09:30", "[]"],
    ]);
    const tree = [
      { code: "planned", name: "Planned", policy: "excluded", category: "other" },
      { code: "maintenance", name: "Maintenance", parent: "planned" },
      { code: "drive", name: "Drive", category: "breakdown", automatic: [{ code: "SV0401" }] },
      { code: "fault", name: "Fault", automatic: [{ condition: "servo" }] },
    ];
    expect((await say("PUT", "/api/v1/reasons", tree)).status).toBe(200);
    expect((await call("GET", "/api/v1/reasons")).body).toEqual({ rows: tree });
    expect((await reasons(base)).slice(1, 4)).toEqual([
      ["STOPPED", "", "08:00", "08:30"],
      ["DOWN", "drive", "08:30", "09:30"],
      ["STOPPED", "", "09:30", "12:00"],
    ]);
    await say("POST", `${base}/downtime`, { from: at("09:00"), to: at("11:00"), reason: "maintenance" });
    const { body } = await call<{ policy: { reasons: object }; rows: Row[] }>("GET", `${base}/oee?${WINDOW}`);
    expect(body.policy.reasons).toEqual({
      planned: "excluded",
      maintenance: "excluded",
      drive: "loss",
      fault: "loss",
    });
    expect(body.rows[0]).toMatchObject({
      planned_time_s: 6 * 3_600,
      breakdown_loss_s: 1_800,
      other_stop_loss_s: 1_800 + 3_600,
    });
    // Changed rules correct the past.
    expect((await say("PUT", "/api/v1/reasons", [...tree.slice(0, 2), tree[3]] as object)).status).toBe(200);
    expect((await reasons(base))[2]).toEqual(["DOWN", "fault", "08:30", "09:00"]);
  },
);

scenario(
  "invariant 3: a reason without an end holds until the machine runs again, also where that is told late",
  async () => {
    const base = await machine("open-ended");
    await observe("open-ended", [
      ["execution", "06:00", "ACTIVE"],
      ["execution", "08:00", "STOPPED"],
    ]);
    const { id } = await say("POST", `${base}/downtime`, { from: at("08:00"), reason: "material" });
    expect((await reasons(base)).at(-1)).toEqual(["STOPPED", "material", "08:00", "14:00"]);
    type Shown = { to: string | null; reason: string; by: string };
    const shown = async () => (await call<Shown>("GET", `${base}/downtime/${id}`)).body;
    expect(await shown()).toMatchObject({ to: null, reason: "material" });
    const { by } = await shown();
    await observe("open-ended", [
      ["execution", "12:00", "ACTIVE"],
      ["execution", "13:00", "STOPPED"],
    ]);
    await until(async () => ((await shown()).to === null ? undefined : true));
    await settled();
    expect(await shown()).toMatchObject({ to: at("12:00").replace("Z", ".000000Z"), by });
    expect(await reasons(base)).toEqual([
      ["RUNNING", "", "06:00", "08:00"],
      ["STOPPED", "material", "08:00", "12:00"],
      ["RUNNING", "", "12:00", "13:00"],
      ["STOPPED", "", "13:00", "14:00"],
    ]);
  },
);

scenario("an open reason is split and merged as any other: its later end stays open", async () => {
  const base = await machine("open-split");
  await observe("open-split", [["execution", "06:00", "STOPPED"]]);
  const { id } = await say("POST", `${base}/downtime`, { from: at("06:00"), reason: "material" });
  await say("POST", `${base}/downtime/${id}/split`, { at: at("07:00"), reason: "no operator" });
  const list = async () =>
    (await call<{ rows: { id: string; to: string | null }[] }>("GET", `${base}/downtime?${WINDOW}`)).body
      .rows;
  expect((await list()).map(({ to }) => to?.slice(11, 16) ?? null)).toEqual(["07:00", null]);
  await say("POST", `${base}/downtime/merge`, { ids: (await list()).map((one) => one.id) });
  expect((await list()).map(({ to }) => to)).toEqual([null]);
  await say("PATCH", `${base}/downtime/${id}`, { to: at("09:00") });
  expect(await reasons(base)).toEqual([
    ["STOPPED", "material", "06:00", "09:00"],
    ["STOPPED", "", "09:00", "14:00"],
  ]);
});
