// The admin pages over real HTTP, as a browser without scripts sends their forms.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { discard, startServer, TEST_KEY, type TestServer } from "./testing/server.ts";

let server: TestServer;
let admin: string;
let operator: string;
beforeAll(async () => {
  server = await startServer();
  for (const [id, group] of [
    ["mill-1", "hall 1"],
    ["mill-2", "hall 1"],
    ["lathe-1", ""],
  ] as const) {
    await server.call("POST", "/api/v1/machines", { id, name: id, group });
  }
  await server.call("POST", "/api/v1/users", { name: "olga", password: "long enough", role: "operator" });
  admin = await signIn({ key: TEST_KEY });
  operator = await signIn({ name: "olga", password: "long enough" });
});
afterAll(() => discard(server));

async function signIn(fields: Record<string, string>): Promise<string> {
  const { headers } = await fetch(`${server.origin}/sign-in`, {
    method: "POST",
    body: new URLSearchParams(fields),
    redirect: "manual",
  });
  return headers.get("set-cookie")?.split(";")[0] ?? "";
}

type Page = { status: number; html: string; location: string | null };

async function get(path: string, cookie = admin): Promise<Page> {
  const answer = await fetch(server.origin + path, { headers: { cookie }, redirect: "manual" });
  return { status: answer.status, html: await answer.text(), location: answer.headers.get("location") };
}

async function post(
  path: string,
  fields: Record<string, string | string[]>,
  { cookie = admin, site = "same-origin", language = "en" } = {},
): Promise<Page> {
  const body = new URLSearchParams(
    Object.entries({ ...fields, end: "1" }).flatMap(([name, values]) =>
      [values].flat().map((value): [string, string] => [name, value]),
    ),
  );
  const headers = { cookie: `${cookie}; mtc_language=${language}`, "sec-fetch-site": site };
  const answer = await fetch(server.origin + path, { method: "POST", body, headers, redirect: "manual" });
  return { status: answer.status, html: await answer.text(), location: answer.headers.get("location") };
}

const PAGES = [
  "/admin/machines",
  "/admin/access",
  "/admin/reasons",
  "/admin/reasons/use",
  "/admin/machines/mill-1/calendar",
  "/admin/machines/mill-1/cycle-times",
  "/admin/machines/mill-1/policy",
];

test.each(PAGES)("%s is for admins", async (path) => {
  expect((await get(path)).status).toBe(200);
  expect((await get(path, operator)).status).toBe(403);
  expect(await get(path, "")).toMatchObject({
    status: 302,
    location: `/sign-in?next=${encodeURIComponent(path)}`,
  });
});

const FORMS = [
  ...PAGES.slice(2, 3),
  ...PAGES.slice(4),
  "/admin/access/users",
  "/admin/access/keys",
  "/account",
];
test.each(FORMS)("no other site's page posts to %s, nor does an operator", async (path) => {
  expect((await post(path, { do: "start" }, { site: "cross-site" })).status).toBe(403);
  if (path !== "/account") expect((await post(path, {}, { cookie: operator })).status).toBe(403);
});

const EARLY = {
  "/timezone": "Europe/Berlin",
  "/valid_from": "",
  "/shifts/0/name": "early",
  "/shifts/0/start": "06:00",
  "/shifts/0/end": "14:00",
  "/shifts/0/days": ["mon", "tue"],
};
const CALENDAR = "/admin/machines/mill-1/calendar";

test("a calendar by form is the API's calendar, for a machine or its whole group", async () => {
  const pause = { "/shifts/0/breaks/0/start": "10:00", "/shifts/0/breaks/0/end": "10:30" };
  const day_off = { "/exceptions/0/date": "2026-01-06" };
  const saved = await post(CALENDAR, { ...EARLY, ...pause, ...day_off, "/apply": "group" });
  expect(saved).toMatchObject({ status: 303, location: `${CALENDAR}?saved=2` });
  const calendar = {
    timezone: "Europe/Berlin",
    shifts: [
      {
        name: "early",
        days: ["mon", "tue"],
        start: "06:00",
        end: "14:00",
        breaks: [{ start: "10:00", end: "10:30" }],
      },
    ],
    exceptions: [{ date: "2026-01-06", shifts: [] }],
  };
  for (const id of ["mill-1", "mill-2"]) {
    expect((await server.call("GET", `/api/v1/machines/${id}/calendar`)).body).toEqual(calendar);
  }
  expect((await server.call("GET", "/api/v1/machines/lathe-1/calendar")).status).toBe(404);
  expect((await get(CALENDAR)).html).toContain('value="10:30"');
});

test("what is wrong is told at its field, in the reader's words, and what was typed stays", async () => {
  const before = await server.call("GET", "/api/v1/machines/lathe-1/calendars");
  const path = "/admin/machines/lathe-1/calendar";
  const wrong = {
    ...EARLY,
    "/shifts/0/name": "<b>früh</b>",
    "/shifts/0/end": "",
    "/exceptions/0/date": "2026-02-30",
  };
  const { status, html } = await post(path, wrong);
  expect(status).toBe(422);
  expect(html).toContain('value="&lt;b>früh&lt;/b>"');
  expect(html).not.toContain("<b>");
  expect(html).toMatch(/id="f-shifts-0-end"[^>]*aria-invalid="true"/);
  expect(html).toMatch(/id="f-shifts-0-end-error"[^>]*>is needed/);
  const russian = await post(path, wrong, { language: "ru" });
  expect(russian.html).toMatch(/id="f-shifts-0-end-error"[^>]*>нужно заполнить/);
  const overlap = {
    ...EARLY,
    "/shifts/1/name": "late",
    "/shifts/1/start": "13:00",
    "/shifts/1/end": "22:00",
    "/shifts/1/days": ["tue"],
  };
  expect((await post(path, overlap)).html).toContain("overlaps another shift");
  expect((await post(path, { ...EARLY, "/timezone": "Mars/Base" })).html).toContain("is not a time zone");
  expect(await server.call("GET", "/api/v1/machines/lathe-1/calendars")).toMatchObject({ body: before.body });
});

test("rows and the preview change the form and save nothing", async () => {
  const path = "/admin/machines/lathe-1/calendar";
  const more = await post(path, { ...EARLY, do: "add /shifts" });
  expect(more.status).toBe(200);
  expect(more.html).toContain('name="/shifts/1/name"');
  expect((await post(path, { ...EARLY, do: "remove /shifts/0" })).html).not.toContain(
    'name="/shifts/0/name"',
  );
  const preview = await post(path, { ...EARLY, do: "preview" });
  expect(preview.html.match(/class="week-shift"/g)).toHaveLength(2);
  expect((await server.call("GET", "/api/v1/machines/lathe-1/calendar")).status).toBe(404);
});

test("a calendar from a day on leaves the days before as they were", async () => {
  await post(CALENDAR, { ...EARLY, "/valid_from": "2026-03-01", "/shifts/0/end": "12:00" });
  const { body } = await server.call<{ rows: { valid_from?: string }[] }>(
    "GET",
    "/api/v1/machines/mill-1/calendars",
  );
  expect(body.rows.map(({ valid_from }) => valid_from)).toEqual([undefined, "2026-03-01"]);
  // The list leads back to each of them.
  const { html } = await get(`${CALENDAR}?from=0`);
  expect(html).toContain('value="14:00"');
});

test("cycle times: typed, pasted from a spreadsheet, told by line where they cannot be read", async () => {
  const path = "/admin/machines/mill-2/cycle-times";
  const typed = {
    "/rows/0/part": "4711",
    "/rows/0/valid_from": "",
    "/rows/0/seconds": "30,5",
    "/rows/1/part": "",
  };
  const pasted = await post(path, {
    ...typed,
    "/csv": "Part\tValid from\tSeconds\n4712\t05.01.2026\t12\n4713\t\t9",
    do: "import",
  });
  expect(pasted.html).toContain('value="4713"');
  expect(pasted.html).not.toContain('value="Seconds"');
  const rows = {
    ...typed,
    "/rows/2/part": "4712",
    "/rows/2/valid_from": "2026-01-05T00:00",
    "/rows/2/seconds": "12",
  };
  expect((await post(path, { ...rows, "/apply": "all" })).location).toBe(`${path}?saved=3`);
  const midnight = Temporal.ZonedDateTime.from("2026-01-05T00:00[Europe/Berlin]").toInstant().toString();
  const times = [
    { part: "4711", valid_from: "2000-01-01T00:00:00Z", ideal_cycle_s: 30.5 },
    { part: "4712", valid_from: midnight, ideal_cycle_s: 12 },
  ];
  for (const id of ["mill-1", "lathe-1"]) {
    expect((await server.call("GET", `/api/v1/machines/${id}/cycle-times`)).body).toEqual({ rows: times });
  }
  const wrong = await post(path, { "/rows/0/part": "4711", "/rows/0/seconds": "0", "/rows/1/part": "x" });
  expect(wrong.status).toBe(422);
  expect(wrong.html).toMatch(/id="f-rows-0-seconds-error"[^>]*>a number over 0/);
  expect(wrong.html).toMatch(/id="f-rows-1-seconds-error"[^>]*>is needed/);
  const text = await post(path, { "/as_text": "1", "/csv": "4711;30\n4712;soon" });
  expect(text.html).toContain("line 2");
  const many = Array.from({ length: 500 }, (_, i) => `P${i};${i + 1}`).join("\n");
  expect((await post(path, { "/as_text": "1", "/csv": many })).status).toBe(303);
  expect((await get(path)).html).toContain("P499\t\t500");
});

test("a time that is not changed keeps what the field does not show of it", async () => {
  const exact = [{ part: "a", valid_from: "2026-01-05T06:00:07.250Z", ideal_cycle_s: 10 }];
  await server.call("PUT", "/api/v1/machines/mill-2/cycle-times", exact);
  const fields = { "/rows/0/part": "a", "/rows/0/valid_from": "2026-01-05T07:00", "/rows/0/seconds": "11" };
  await post("/admin/machines/mill-2/cycle-times", fields);
  const { body } = await server.call("GET", "/api/v1/machines/mill-2/cycle-times");
  expect(body).toEqual({ rows: [{ ...exact[0], ideal_cycle_s: 11 }] });
});

test("a policy by form", async () => {
  const path = "/admin/machines/mill-1/policy";
  const fields = {
    "/unknown": "excluded",
    "/minor_stop_s": "90",
    "/target_percent": "82,5",
    "/reasons/0/code": "cleaning",
    "/reasons/0/treatment": "excluded",
    "/reasons/1/code": "",
    "/reasons/1/treatment": "loss",
  };
  expect((await post(path, fields)).status).toBe(303);
  const { body } = await server.call<{ policy: object }>("GET", "/api/v1/machines/mill-1");
  expect(body.policy).toEqual({
    unknown: "excluded",
    minor_stop_s: 90,
    target_oee: 0.825,
    reasons: { cleaning: "excluded" },
  });
  const wrong = await post(path, { ...fields, "/target_percent": "120", "/minor_stop_s": "long" });
  expect(wrong.status).toBe(422);
  expect(wrong.html).toContain('id="f-target_percent-error"');
  expect(wrong.html).toMatch(/id="f-minor_stop_s-error"[^>]*>is not a number/);
});

test("an empty plant starts from a tree in the reader's language, which is theirs to change", async () => {
  const path = "/admin/reasons";
  expect((await get(path)).html).toContain('value="start"');
  expect((await post(path, { do: "start" }, { language: "ru" })).status).toBe(303);
  type Tree = { rows: { code: string; name: string; parent?: string; policy?: string }[] };
  const { body } = await server.call<Tree>("GET", "/api/v1/reasons");
  expect(body.rows.length).toBeGreaterThan(12);
  expect(body.rows.find(({ code }) => code === "no_material")?.name).toBe("Нет заготовок");
  expect(body.rows.find(({ code }) => code === "planned")?.policy).toBe("excluded");
  expect((await get(path)).html).not.toContain('value="start"');

  const tree = {
    "/tree/0/code": "a",
    "/tree/0/name": "A",
    "/tree/0/parent": "",
    "/tree/1/code": "b",
    "/tree/1/name": "B",
    "/tree/1/parent": "a",
    "/tree/1/automatic/0/code": "E-stop",
    "/tree/1/automatic/0/machines": ["mill-1", "mill-2"],
    "/tree/2/code": "",
    "/tree/2/name": "",
    "/tree/2/parent": "",
  };
  expect((await post(path, tree)).location).toBe(`${path}?saved`);
  expect((await server.call("GET", "/api/v1/reasons")).body).toEqual({
    rows: [
      { code: "a", name: "A" },
      { code: "b", name: "B", parent: "a", automatic: [{ code: "E-stop", machines: ["mill-1", "mill-2"] }] },
    ],
  });
  const circle = await post(path, { ...tree, "/tree/0/parent": "b" });
  expect(circle.status).toBe(422);
  expect(circle.html).toContain('id="f-tree-0-parent-error"');
});

test("users and keys by form: a key is shown once, a refusal stands at its form", async () => {
  const made = await post("/admin/access/keys", {
    "/key/name": "<i>wall</i>",
    "/key/scopes": ["read", "ingest"],
  });
  const key = /value="(mtc_[^"]+)"/.exec(made.html)?.[1] ?? "";
  expect(made.html).not.toContain("<i>");
  expect((await fetch(`${server.origin}/api/v1/machines`, { headers: { "x-api-key": key } })).status).toBe(
    200,
  );
  expect((await get("/admin/access")).html).not.toContain(key);
  const { body } = await server.call<{ rows: { id: string; name: string }[] }>("GET", "/api/v1/keys");
  const id = body.rows.find(({ name }) => name === "<i>wall</i>")?.id;
  expect((await post(`/admin/access/keys/${id}`, { do: "revoke" })).location).toBe(
    "/admin/access?done=revoked",
  );
  expect((await fetch(`${server.origin}/api/v1/machines`, { headers: { "x-api-key": key } })).status).toBe(
    401,
  );
  const last = body.rows.find(({ name }) => name === "admin")?.id;
  const kept = await post(`/admin/access/keys/${last}`, { do: "revoke" });
  expect(kept.status).toBe(422);
  expect(kept.html).toContain("nobody could administrate");

  const short = await post("/admin/access/users", {
    "/user/name": "Ян",
    "/user/password": "short",
    "/user/role": "operator",
  });
  expect(short.html).toMatch(/id="f-user-password-error"[^>]*>at least 10 characters/);
  expect(short.html).toContain('value="Ян"');
  expect(short.html).not.toContain('value="short"');
  const fields = { "/user/name": "Ян", "/user/password": "long enough", "/user/role": "manager" };
  expect((await post("/admin/access/users", fields)).location).toBe("/admin/access?done=added");
  expect((await post("/admin/access/users", fields)).html).toContain("is taken");
});

test("a user is changed, disabled and deleted by form", async () => {
  const user = { name: "Ivan", password: "long enough", role: "operator" };
  const { body: ivan } = await server.call<{ id: string }>("POST", "/api/v1/users", user);
  const path = `/admin/access/users/${ivan.id}`;
  await post(path, { [`/${ivan.id}/role`]: "manager", [`/${ivan.id}/password`]: "" });
  const role = async () => {
    const { body } = await server.call<{ rows: { id: string; role: string; disabled: boolean }[] }>(
      "GET",
      "/api/v1/users",
    );
    const found = body.rows.find(({ id }) => id === ivan.id);
    return found && [found.role, found.disabled];
  };
  expect(await role()).toEqual(["manager", false]);
  expect(await signIn({ name: "ivan", password: "long enough" })).not.toBe("");
  await post(path, { do: "disable" });
  expect(await role()).toEqual(["manager", true]);
  await post(path, { do: "delete" });
  expect(await role()).toBeUndefined();
});

test("one's own password: the old one is asked for, other sessions end, this one goes on", async () => {
  const user = { name: "Pavel", password: "long enough", role: "operator" };
  await server.call("POST", "/api/v1/users", user);
  const [here, elsewhere] = [
    await signIn({ name: "Pavel", password: "long enough" }),
    await signIn({ name: "Pavel", password: "long enough" }),
  ];
  const wrong = await post(
    "/account",
    { "/current": "not mine at all", "/password": "another one" },
    { cookie: here },
  );
  expect(wrong.html).toMatch(/id="f-current-error"[^>]*>is not your password/);
  const body = new URLSearchParams({ "/current": "long enough", "/password": "another one" });
  const headers = { cookie: here, "sec-fetch-site": "same-origin" };
  const changed = await fetch(`${server.origin}/account`, {
    method: "POST",
    body,
    headers,
    redirect: "manual",
  });
  expect(changed.status).toBe(303);
  const now = changed.headers.get("set-cookie")?.split(";")[0] ?? "";
  expect((await get("/hmi", now)).status).toBe(200);
  expect((await get("/hmi", elsewhere)).status).toBe(302);
  expect((await get("/hmi", here)).status).toBe(302);
  expect((await get("/account")).html).toContain("API key");
});

test("a page that refuses says why, and nothing of our source", async () => {
  const { status, html } = await post("/admin/events/1", {});
  expect(status).toBe(422);
  expect(html).toContain("was asked for");
  expect(html).not.toMatch(/line \d+/);
});
