// /sql/ as ClickHouse's clients use it, as two tenants see it, and as an attacker tries it (SPEC 13).
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createClient } from "@clickhouse/client";
import { databaseOf, VIEW_NAMES } from "../analytics-sql/analyst/views.ts";
import { discard, startServer, TEST_KEY, type TestServer } from "./testing/server.ts";

let server: TestServer;
const DAY = "2026-01-05";
const at = (time: string): string => `${DAY}T${time}:00Z`;

beforeAll(async () => {
  server = await startServer();
  const calendar = {
    timezone: "UTC",
    shifts: [{ name: "early", days: ["mon"], start: "06:00", end: "14:00" }],
  };
  for (const id of ["mill-1", "mill-2"]) {
    await server.call("POST", "/api/v1/machines", { id, name: id, group: "hall" });
    await server.call("PUT", `/api/v1/machines/${id}/calendar`, calendar);
    await server.call("PUT", `/api/v1/machines/${id}/cycle-times`, [
      { valid_from: at("00:00"), ideal_cycle_s: 60 },
    ]);
    const observations = [
      ["execution", "06:00", "ACTIVE"],
      ["part_count", "06:00", 0],
      ["part_count", "10:00", 200],
      ["execution", "10:00", "STOPPED"],
      ["execution", "11:00", "ACTIVE"],
      ["part_count", "13:59", 350],
    ].map(([signal, time, value]) => ({ signal, ts: at(String(time)), value }));
    await server.call("POST", `/internal/machines/${id}/data`, { observations });
  }
  await server.settled();
  // The views show what is rolled up: a question of the API sees to that.
  await server.call("GET", `/api/v1/oee?from=${DAY}T00:00:00Z&to=2026-01-06T00:00:00Z`);
});
afterAll(() => discard(server));

const get = (query: string, more: Record<string, string> = {}, headers: Record<string, string> = {}) =>
  fetch(`${server.origin}/sql/?${new URLSearchParams({ query, ...more })}`, {
    headers: { "x-api-key": TEST_KEY, ...headers },
  });
const text = async (query: string, more: Record<string, string> = {}): Promise<string> =>
  (await (await get(query, more)).text()).trim();

describe("ClickHouse's clients", () => {
  test("@clickhouse/client: ping, rows, parameters, a stream, an error with its code", async () => {
    const client = createClient({
      url: server.origin,
      pathname: "/sql/",
      username: "analyst",
      password: TEST_KEY,
    });
    expect((await client.ping({ select: true })).success).toBe(true);
    const result = await client.query({
      query:
        "SELECT machine_id, total_count FROM oee_by_day WHERE machine_id = {m:String} AND total_count > 0",
      query_params: { m: "mill-1" },
      format: "JSONEachRow",
    });
    expect(await result.json<object>()).toEqual([{ machine_id: "mill-1", total_count: 350 }]);
    const awkward = "it's a \\ \n tab\t";
    const echoed = await client.query({
      query: "SELECT {x:String} AS x, {l:Array(UInt8)} AS l",
      query_params: { x: awkward, l: [1, 2] },
      format: "JSONEachRow",
    });
    expect(await echoed.json<object>()).toEqual([{ x: awkward, l: [1, 2] }]);
    const streamed = await client.query({
      query: "SELECT d.day, n.number FROM oee_by_day AS d, (SELECT 1 AS number) AS n",
    });
    expect((await streamed.json<object>()).rows).toBeGreaterThan(0);
    const wrong = client.query({ query: "SELECT nothing FROM machines" });
    await expect(
      wrong.then(
        () => "",
        (error: { code: string }) => error.code,
      ),
    ).resolves.toBe("47");
    await client.close();
  });

  test("GET and POST, a body behind the query, formats by clause, header and default, gzip", async () => {
    expect(await text("SELECT 1")).toBe("1");
    expect(await text("SELECT 1 AS x FORMAT JSONEachRow")).toBe('{"x":1}');
    expect(await text("SELECT 1 AS x", { default_format: "CSVWithNames" })).toBe('"x"\n1');
    expect(await text("SELECT {n:UInt8} + 1", { param_n: "41" })).toBe("42");
    const post = await fetch(`${server.origin}/sql/?query=${encodeURIComponent("SELECT count()")}`, {
      method: "POST",
      headers: { "x-clickhouse-user": "any", "x-clickhouse-key": TEST_KEY },
      body: "FROM machines",
    });
    expect((await post.text()).trim()).toBe("2");
    expect(post.headers.get("x-clickhouse-format")).toBe("TabSeparated");
    expect(await text("SELECT timezone(), toTypeName(ts) FROM observations LIMIT 1")).toBe(
      "UTC\tDateTime64(6, 'UTC')".replaceAll("'", "\\'"),
    );
    expect(post.headers.get("x-clickhouse-timezone")).toBe("UTC");
    expect(JSON.parse(post.headers.get("x-clickhouse-summary") ?? "{}").read_rows).toMatch(/^\d+$/);
    const packed = await get("SELECT 1", { enable_http_compression: "1" }, { "accept-encoding": "gzip" });
    expect(packed.headers.get("content-encoding")).toBe("gzip");
    expect((await packed.text()).trim()).toBe("1");
    expect((await (await get("SELECT 1 FORMAT Parquet")).bytes()).subarray(0, 4)).toEqual(
      Buffer.from("PAR1"),
    );
    expect(await (await fetch(`${server.origin}/sql/ping`)).text()).toBe("Ok.\n");
    expect((await text("SHOW TABLES")).split("\n").sort()).toEqual([...VIEW_NAMES].sort());
    expect(await text("DESCRIBE TABLE gaps")).toContain("starts_at");
  });

  test("what clients add, and what is torn: FORMAT behind SHOW TABLES, encodings, ids that no header holds", async () => {
    const { data } = (await (await get("SHOW TABLES FORMAT JSON")).json()) as { data: { name: string }[] };
    expect(data.map(({ name }) => name).sort()).toEqual([...VIEW_NAMES].sort());
    const posted = (body: string | Uint8Array<ArrayBuffer>, encoding: string) =>
      fetch(`${server.origin}/sql/`, {
        method: "POST",
        headers: { "x-api-key": TEST_KEY, "content-encoding": encoding },
        body,
      });
    const code = (answer: Response) => answer.headers.get("x-clickhouse-exception-code");
    expect(await (await posted(Bun.gzipSync("SELECT 1"), "gzip")).text()).toBe("1\n");
    expect(code(await posted("no gzip", "gzip"))).toBe("354");
    expect(code(await posted(Bun.gzipSync(new Uint8Array(50_000_000)), "gzip"))).toBe("354");
    expect(code(await posted("SELECT 1", "br"))).toBe("48");
    expect(code(await get("SELECT 1", { compress: "1" }))).toBe("48");
    const named = await get("SELECT 1", { query_id: "mine-1" });
    expect(named.headers.get("x-clickhouse-query-id")).toBe("mine-1");
    for (const query_id of ["a\r\nx: y", "é☃", ""]) {
      const answer = await get("SELECT 1", { query_id });
      expect(answer.status).toBe(200);
      expect(answer.headers.get("x-clickhouse-query-id")).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  test("every view can be read; a key is needed, and the scope", async () => {
    for (const view of VIEW_NAMES) {
      const answer = await get(`SELECT * FROM ${view} LIMIT 1 FORMAT JSONEachRow`);
      expect(`${view} ${answer.status}`).toBe(`${view} 200`);
    }
    const nobody = await fetch(`${server.origin}/sql/?query=SELECT+1`);
    expect([nobody.status, nobody.headers.get("x-clickhouse-exception-code")]).toEqual([401, "516"]);
    const { body } = await server.call<{ key: string }>("POST", "/api/v1/keys", {
      name: "k",
      scopes: ["ingest"],
    });
    const lacking = await fetch(`${server.origin}/sql/?query=SELECT+1&password=${body.key}`);
    expect([lacking.status, lacking.headers.get("x-clickhouse-exception-code")]).toEqual([403, "497"]);
  });
});

test("invariant 5: the views show the API's figures to the last digit", async () => {
  for (const [by, view, key] of [
    ["day", "oee_by_day", "toString(day)"],
    ["shift", "oee_by_shift", "concat(toString(day), ' ', shift)"],
    ["hour", "oee_by_hour", "formatDateTime(hour, '%Y-%m-%dT%H:%i:%SZ')"],
  ] as const) {
    const path = `/api/v1/machines/mill-1/oee?by=${by}&from=${DAY}T00:00:00Z&to=2026-01-06T00:00:00Z`;
    const api = (await server.call<{ rows: Record<string, unknown>[] }>("GET", path)).body.rows;
    // A view goes on to where the roll-up has come by now.
    const query = `SELECT ${key} AS key, * FROM ${view} WHERE machine_id = 'mill-1' AND starts_at >= '${DAY} 00:00:00' AND starts_at < '2026-01-06 00:00:00' ORDER BY starts_at FORMAT JSONEachRow`;
    const rows = (await text(query)).split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
    const names = Object.keys(api[0] ?? {}).filter((name) => !["from", "to"].includes(name));
    const only = (row: Record<string, unknown>) => Object.fromEntries(names.map((name) => [name, row[name]]));
    expect(rows.map(only)).toEqual(api.filter(({ key: named }) => named !== "").map(only));
  }
  const states = `/api/v1/machines/mill-1/states?from=${at("06:00")}&to=${at("14:00")}`;
  const rows = (await server.call<{ rows: { state: string; seconds: number }[] }>("GET", states)).body.rows;
  const query = `SELECT state, toUInt32(seconds) FROM state_intervals WHERE machine_id = 'mill-1' AND starts_at >= '${DAY} 06:00:00' AND ends_at <= '${DAY} 11:00:00' ORDER BY starts_at`;
  expect(await text(query)).toBe(
    rows
      .slice(0, 2)
      .map(({ state, seconds }) => `${state}\t${seconds}`)
      .join("\n"),
  );
});

const ATTACKS = [
  "SELECT * FROM mtc.observations",
  "SELECT * FROM `mtc`.`observations`",
  'SELECT * FROM "mtc"."observations"',
  "SELECT 1; SELECT * FROM mtc.observations",
  "SELECT 1;\n--\nDROP TABLE mtc.observations",
  "SELECT /* */ * FROM mtc /* */ . /* */ observations",
  "SELECT * FROM machines WHERE machine_id IN mtc.observations",
  "SELECT * FROM machines WHERE machine_id IN (SELECT machine_id FROM mtc.observations)",
  "SELECT (SELECT count() FROM mtc.observations)",
  "WITH (SELECT count() FROM mtc.observations) AS n SELECT n",
  "WITH machines AS (SELECT * FROM mtc.machines) SELECT * FROM machines",
  "SELECT * FROM merge('mtc', '.*')",
  "SELECT * FROM merge(REGEXP('mtc'), '.*')",
  "SELECT * FROM machines UNION ALL SELECT * FROM mtc.machines",
  "SELECT * FROM machines AS a JOIN mtc.observations AS b ON a.machine_id = b.machine_id",
  "SELECT * FROM numbers(10)",
  "SELECT * FROM view(SELECT 1)",
  "SELECT * FROM file('/etc/passwd')",
  "SELECT * FROM file('/etc/passwd', 'LineAsString')",
  "SELECT file('/etc/passwd')",
  "SELECT * FROM url('http://127.0.0.1/', 'LineAsString')",
  "SELECT * FROM s3('http://127.0.0.1/b/x.parquet')",
  "SELECT * FROM remote('127.0.0.1', mtc.observations)",
  "SELECT * FROM cluster('default', mtc.observations)",
  "SELECT * FROM sqlite('x', 'y')",
  "SELECT * FROM executable('x.sh', 'TSV', 'x String')",
  "SELECT * FROM loop(mtc.observations)",
  "SELECT * FROM system.tables",
  "SELECT * FROM system.processes",
  "SELECT * FROM information_schema.tables",
  "SELECT * FROM default.x",
  "SELECT * FROM tenant_000000000000000000000000.machines",
  "SELECT dictGet('d', 'a', 1)",
  "SELECT joinGet('mtc.x', 'a', 1)",
  "SELECT hasColumnInTable('mtc', 'observations', 'num')",
  "SELECT sleep(3)",
  "SELECT sleepEachRow(1) FROM machines",
  "SELECT hostName(), fqdn()",
  "SELECT getMacro('x'), getServerPort('tcp_port')",
  "SELECT mtc_place('a', ['a'])",
  "SELECT 1 SETTINGS max_execution_time = 1000",
  "SELECT 1 INTO OUTFILE '/tmp/mtc-attack'",
  "SELECT 1 INTO OUTFILE '/tmp/mtc-attack' FORMAT CSV",
  "SET readonly = 0",
  "USE mtc",
  "DROP VIEW machines",
  "CREATE TABLE x (a UInt8) ENGINE = Memory",
  "INSERT INTO machines VALUES (1)",
  "INSERT INTO FUNCTION file('/tmp/mtc-attack') SELECT 1",
  "ALTER TABLE mtc.observations DELETE WHERE 1",
  "OPTIMIZE TABLE mtc.observations",
  "SYSTEM FLUSH LOGS",
  "KILL QUERY WHERE 1",
  "EXPLAIN SELECT * FROM mtc.observations",
  "EXPLAIN AST SELECT 1",
  "SHOW TABLES FROM mtc",
  "SHOW CREATE TABLE machines",
  "SHOW DATABASES",
  "DESCRIBE TABLE mtc.observations",
  "DESCRIBE TABLE file('/etc/passwd')",
  "DESCRIBE (SELECT * FROM mtc.observations)",
  "EXISTS TABLE mtc.observations",
  "GRANT ALL ON *.* TO x",
  "SELECT CAST((SELECT any(word) FROM mtc.observations) AS UInt8)",
  "SELECT * FROM machines WHERE throwIf(1)",
  "SELECT * FROM {t:Identifier}.observations",
  "DESCRIBE TABLE {t:Identifier}.observations",
  // What is applied is not in the parser's tree; a function may be named without its brackets.
  "SELECT * APPLY(file) FROM (SELECT '/etc/passwd')",
  "SELECT * APPLY(x -> file(x)) FROM (SELECT '/etc/passwd')",
  "SELECT COLUMNS('.*') APPLY(sleepEachRow) FROM (SELECT 1)",
  "SELECT t.COLUMNS('a') APPLY(file) FROM (SELECT '/etc/passwd' AS a) AS t",
  "SELECT * APPLY(x -> (SELECT count() FROM mtc.observations)) FROM (SELECT 1)",
  "DESCRIBE (SELECT * APPLY(x -> toFixedString('a', assumeNotNull((SELECT count() FROM mtc.observations)))) FROM (SELECT 1))",
  "SELECT arrayMap(file, ['/etc/passwd'])",
  "DESCRIBE (SELECT arrayMap(file, ['/etc/passwd']))",
  "SELECT arrayMap({f:Identifier}, ['/etc/passwd'])",
  "WITH x -> file(x) AS f SELECT f('/etc/passwd')",
  "SELECT 1 AS x ORDER BY x WITH FILL FROM 1 TO length(file('/etc/passwd'))",
  "SELECT sum(x) OVER (ORDER BY x ROWS BETWEEN length(file('/etc/passwd')) PRECEDING AND CURRENT ROW) FROM (SELECT 1 AS x)",
  "SELECT * FROM (EXPLAIN SELECT 1)",
  "SELECT 1 PARALLEL WITH SELECT 2",
  "SELECT displayName()",
  "SELECT __actionName(1, 'x')",
  "",
  ";",
  "not a query",
];

describe("invariant 10: an analyst reads the tenant's views and nothing else", () => {
  test.each(ATTACKS)("%s", async (query) => {
    const answer = await get(query, { param_t: "mtc", param_f: "file" });
    const body = await answer.text();
    expect(answer.status, body).toBeGreaterThanOrEqual(400);
    expect(body).toMatch(/^Code: \d+\. DB::Exception: /);
    expect(Number(answer.headers.get("x-clickhouse-exception-code"))).toBeGreaterThan(0);
  });

  test("a file is not read even while a query is explained: no error tells what is in it", async () => {
    for (const f of ["file", "FILE", "{f:Identifier}"]) {
      const told = await text(`SELECT toUInt8(arrayMap(${f}, ['/etc/passwd'])[1])`, { param_f: "file" });
      expect(told).toContain("ACCESS_DENIED");
      expect(told).not.toContain("root:");
    }
  });

  test("a value is bound for one query, not for the next one", async () => {
    expect(await text("SELECT {secret:String}", { param_secret: "s" })).toBe("s");
    expect(await text("SELECT {secret:String}")).toMatch(/^Code: 456\./);
    expect(await text("SELECT '{secret:String}'")).toBe("{secret:String}");
  });

  test("what looks dangerous but is not, is answered", async () => {
    expect(await text("SELECT 'INTO OUTFILE SETTINGS; FORMAT CSV' AS x")).toBe(
      "INTO OUTFILE SETTINGS; FORMAT CSV",
    );
    expect(await text("SELECT 'a' AS `FORMAT CSV`")).toBe("a");
    expect(await text(`SELECT count() FROM ${databaseOf("default")}.machines`)).toBe("2");
    expect(await text("WITH a AS (SELECT 7 AS n) SELECT n FROM a -- mtc.observations")).toBe("7");
    expect(
      await text("SELECT count() FROM machines WHERE machine_id IN (SELECT machine_id FROM observations)"),
    ).toBe("2");
    expect(await text("SELECT 1;")).toBe("1");
    expect(await text("DESCRIBE (SELECT 1 AS y)")).toStartWith("y\tUInt8");
  });

  test("settings of the query string are refused as a read-only server does, those that clients send are taken", async () => {
    const refused = await get("SELECT 1", { max_memory_usage: "1" });
    expect([refused.status, refused.headers.get("x-clickhouse-exception-code")]).toEqual([500, "164"]);
    expect(await text("SELECT getSetting('readonly')")).toContain("ACCESS_DENIED");
    expect(await text("SELECT 1", { readonly: "0", max_execution_time: "9999" })).toBe("1");
    const format = await get("SELECT 1 FORMAT Prometheus");
    expect(format.headers.get("x-clickhouse-exception-code")).toBe("73");
  });
});

describe("invariant 7: a query is bounded", () => {
  test("rows, memory and time; afterwards the next one is answered", async () => {
    const wide = "(SELECT arrayJoin(range(3000)) AS x)";
    const rows = await get(`SELECT a.x FROM ${wide} AS a, ${wide} AS b`);
    expect(rows.headers.get("x-clickhouse-exception-code")).toBe("396");
    const memory = await get("SELECT length(groupArray(x)) FROM (SELECT arrayJoin(range(400000000)) AS x)");
    expect(["241", "396", "158"]).toContain(memory.headers.get("x-clickhouse-exception-code") ?? "");
    expect(await text("SELECT 1")).toBe("1");
  });

  test("many at once: some wait, the rest is told to come back", async () => {
    const slow = "SELECT sum(x) FROM (SELECT arrayJoin(range(30000000)) AS x)";
    const answers = await Promise.all(Array.from({ length: 12 }, () => get(slow)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(0);
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(0);
    expect(answers.find(({ status }) => status === 429)?.headers.get("retry-after")).toBe("1");
  });
});
