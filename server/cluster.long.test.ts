// The program as a cluster: processes by role, killed one after the other while a plant runs, and no figure is wrong.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { hostname } from "node:os";
import { limit_ms, pace, until } from "../.ci/limits.ts";
import type { Role } from "./config.ts";
import { CLUSTER_OF, type Cluster, lacking, startCluster } from "./testing/cluster.ts";
import type { Comparison } from "./testing/drift.ts";
import { driftRun } from "./testing/drift-run.ts";
import { hasNamespaces, makeOtherHost } from "./testing/network.ts";
import { signInOnce, type TestServer } from "./testing/server.ts";

setDefaultTimeout(limit_ms(300));
if (!hasNamespaces) console.warn("skipped: a cut network needs root and iproute2");
if (lacking.length > 0) console.warn(`skipped: a cluster needs ${lacking.join(", ")}`);

describe.skipIf(lacking.length > 0)(`a cluster of ${CLUSTER_OF}`, () => {
  let cluster: Cluster;
  let api: TestServer;
  let other: TestServer;
  let collectors: TestServer[];
  let relays: TestServer[];

  beforeAll(async () => {
    cluster = await startCluster();
    api = await cluster.start(["api"]);
    [other, ...collectors] = (await Promise.all([
      cluster.start(["api"]),
      cluster.start(["collect"]),
      cluster.start(["collect"]),
    ])) as [TestServer, ...TestServer[]];
    relays = await Promise.all([cluster.start(["relay"]), cluster.start(["relay"])]);
  });
  afterAll(() => cluster?.stop());

  type Source = { name: string; state: string; error: string; read_by?: string };
  type Ready = { roles: string[]; redis: string; sources: Source[] };
  const ready = async (server: TestServer): Promise<Ready> =>
    (await server.call<Ready>("GET", "/readyz")).body;
  /** What this process itself reads. */
  const sourcesOf = async (server: TestServer): Promise<string[]> =>
    (await ready(server)).sources
      .filter(({ read_by }) => read_by?.endsWith(`/${server.pid}`))
      .map(({ name }) => name);

  test("a process says what it does, and serves no more than that", async () => {
    expect(await ready(api)).toMatchObject({ roles: ["api"], redis: "connected", sources: [] });
    expect((await ready(relays[0] as TestServer)).roles).toEqual(["relay"]);
    for (const path of ["/hmi", "/api/v1/machines", "/openapi.json"])
      expect((await relays[0]?.call("GET", path))?.status).toBe(404);
    expect((await relays[0]?.call("GET", "/metrics"))?.status).toBe(200);
  });

  test("what one process changes the others know soon: machines, keys, users", async () => {
    expect((await api.call("POST", "/api/v1/machines", { id: "mill-1", name: "Mill 1" })).status).toBe(201);
    const seen = (name: string | undefined) =>
      until(async () => {
        const { body } = await other.call<{ name?: string }>("GET", "/api/v1/machines/mill-1");
        return body.name === name || undefined;
      });
    await seen("Mill 1");
    // Changed here and there at once, one change takes nothing back of the other.
    const calls = [
      api.call("PATCH", "/api/v1/machines/mill-1", { name: "Mill one" }),
      other.call("PUT", "/api/v1/machines/mill-1/cycle-times", [
        { valid_from: "2026-01-01T00:00:00Z", ideal_cycle_s: 60 },
      ]),
    ];
    for (const { status } of await Promise.all(calls)) expect(status).toBeLessThan(300);
    await seen("Mill one");
    const { body } = await api.call<{ key: string; id: string }>("POST", "/api/v1/keys", {
      name: "wall",
      scopes: ["read"],
    });
    const status = async () =>
      (await other.call("GET", "/api/v1/machines", undefined, { "x-api-key": body.key })).status;
    await until(async () => (await status()) === 200 || undefined);
    await api.call("DELETE", `/api/v1/keys/${body.id}`);
    await until(async () => (await status()) === 401 || undefined);
    expect((await other.call("DELETE", "/api/v1/machines/mill-1")).status).toBe(204);
    await until(async () => {
      const gone = await api.call("GET", "/api/v1/machines/mill-1");
      return gone.status === 404 || undefined;
    });
  });

  test("every process tells how a source is doing, in its own words, and who reads it", async () => {
    const [name, source] = ["http://127.0.0.1:1", { kind: "mtconnect", url: "http://127.0.0.1:1" }];
    await api.call("POST", "/api/v1/machines", { id: "mill-3", name: "Mill 3", source });
    const seen = await until(async () => {
      const found = (await ready(other)).sources.find((one) => one.name === name);
      return found?.state === "unreachable" ? found : undefined;
    });
    const { error, read_by = "" } = seen;
    expect(error).toMatch(/refused/i);
    expect(collectors.map(({ pid }) => `${hostname()}/${pid}`)).toContain(read_by);
    for (const path of ["/admin/machines", "/admin/machines/mill-3", "/admin/health"]) {
      const { body } = await other.call<string>("GET", path);
      for (const word of [error, read_by]) expect(body).toContain(Bun.escapeHTML(word));
    }
    await api.call("DELETE", "/api/v1/machines/mill-3");
    await until(async () => (await ready(other)).sources.length === 0 || undefined);
  });

  test("a sign-in link works at any process, at one of them and once", async () => {
    const path = /\/sign-in\?token=\S+/.exec(api.output())?.[0] ?? "";
    const follow = ({ origin }: TestServer) => signInOnce(api, origin);
    const answers = await Promise.all([other, api, other, api].map(follow));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([303, 401, 401, 401]);
    const cookie = answers.find(({ status }) => status === 303)?.headers.get("set-cookie") ?? "";
    const [pair = ""] = cookie.split(";");
    for (const { origin } of [api, other])
      expect((await fetch(`${origin}/admin/access`, { headers: { cookie: pair } })).status).toBe(200);
    // The link is no session by itself.
    const token = path.split("=")[1];
    const [name] = pair.split("=");
    const stolen = { cookie: `${name}=${token}` };
    expect((await fetch(`${api.origin}/api/v1/machines`, { headers: stolen })).status).toBe(401);
  });

  // Before anything is killed: what a writer that died had begun holds the log back for seconds.
  test("invariant 6: rebuilt from the log while the topic is read, the figures are the same", async () => {
    await api.call("POST", "/api/v1/machines", { id: "mill-2", name: "Mill 2" });
    const at = (minute: number, signal: string, value: string | number) => ({
      signal,
      ts: new Date(Date.parse("2026-01-05T06:00:00Z") + minute * 60_000).toISOString(),
      value,
    });
    const observations = [
      at(0, "execution", "ACTIVE"),
      at(0, "part_count", 0),
      at(419, "part_count", 400),
      at(420, "execution", "READY"),
    ];
    const { status } = await other.call(
      "POST",
      "/internal/machines/mill-2/data",
      { observations },
      { "idempotency-key": "a" },
    );
    expect([404, 202]).toContain(status);
    await until(async () => {
      const again = await other.call(
        "POST",
        "/internal/machines/mill-2/data",
        { observations },
        { "idempotency-key": "a" },
      );
      return again.status === 202 || undefined;
    });
    const figures = async (server: TestServer): Promise<unknown> => {
      await server.settled();
      const window = "from=2026-01-05T06:00:00Z&to=2026-01-05T14:00:00Z";
      return (await server.call<{ rows: unknown[] }>("GET", `/api/v1/machines/mill-2/oee?${window}`)).body
        .rows[0];
    };
    const before = await figures(api);
    expect(before).toMatchObject({ availability: 420 / 480, total_count: 400 });
    expect(await figures(other)).toEqual(before);
    // One of both makes it, and the other one tells how far it is: a balancer asks either.
    const asked = await until(async () => {
      const answers = await Promise.all([api, other].map((one) => one.call("POST", "/api/v1/rebuild", {})));
      const statuses = answers.map(({ status }) => status);
      // For a second or two after a start the job may be nobody's.
      if (!statuses.includes(202)) return undefined;
      expect(statuses.toSorted()).toEqual([202, 503]);
      return answers[0]?.status === 202 ? other : api;
    });
    const done = await until(async () => {
      const { body } = await asked.call<{ phase: string; error: string }>("GET", "/api/v1/rebuild");
      return ["done", "failed"].includes(body.phase) ? body : undefined;
    }, 120);
    expect(done).toMatchObject({ phase: "done", error: "" });
    expect(await figures(api)).toEqual(before);
  });

  /** A plant of four machines behind four agents, and what is done to the cluster while it runs. @returns how it went */
  async function withPlant(
    day: string,
    steps: (() => Promise<unknown>)[],
    host = "127.0.0.1",
  ): Promise<Comparison[]> {
    const { comparisons } = await driftRun({
      duration_s: 15,
      speed: 30,
      faults_per_minute: 0,
      seed: day,
      start: `${day}T07:00:00Z`,
      simulate: ["--agents", "4", "--host", host],
      serve: async () => ({ ...api, stop: async () => 0 }),
      watch_every_ms: 3_000,
      watch: async () => {
        for (const step of steps.splice(0)) {
          await step();
          await pace(1_000);
        }
      },
    });
    for (const { drifts, ...figures } of comparisons) console.log(JSON.stringify(figures));
    for (const { machine } of comparisons) await api.call("DELETE", `/api/v1/machines/${machine}`);
    return comparisons;
  }

  /** The module keeps no past: what nobody polled is a gap, and the simulator does not know of it. */
  function expectNoDrift(comparisons: Comparison[]): void {
    const kept = comparisons.filter(({ machine }) => machine !== "demo-press-1");
    expect(kept.flatMap(({ drifts }) => drifts)).toEqual([]);
    expect(kept.length).toBe(4);
    // It would prove little if nothing had changed meanwhile.
    expect(kept.reduce((sum, { state_rows }) => sum + state_rows, 0)).toBeGreaterThan(2 * kept.length);
  }

  /** Each source is read by one process. @returns how many by each */
  async function shared(): Promise<number[]> {
    const read = await Promise.all(collectors.map(sourcesOf));
    expect(new Set(read.flat()).size).toBe(read.flat().length);
    expect(read.flat().length).toBeGreaterThan(1);
    return read.map(({ length }) => length);
  }

  test("invariants 1 to 4: everything is killed in turn, and nothing is lost or counted twice", async () => {
    const killed = async (servers: TestServer[], at: number, role: Role): Promise<void> => {
      await servers[at]?.kill();
      servers[at] = await cluster.start([role]);
    };
    const comparisons = await withPlant("2026-01-12", [
      shared,
      () => killed(collectors, 0, "collect"),
      () => killed(relays, 0, "relay"),
      async () => {
        await cluster.redis.kill();
        await until(async () => (await ready(api)).redis === "lost" || undefined);
      },
      () => killed(collectors, 1, "collect"),
      async () => {
        cluster.redis.start();
        await other.kill();
        other = await cluster.start(["api"]);
      },
      () => cluster.restartStore(),
      async () => {
        await cluster.brokers.kill(0);
        await killed(relays, 1, "relay");
        await cluster.brokers.start(0);
      },
      () => until(async () => (await ready(api)).redis === "connected" || undefined),
    ]);
    expectNoDrift(comparisons);
  });

  test.skipIf(!hasNamespaces)(
    "invariants 2 to 4: a collector's network is cut, another one reads its sources, and it comes back",
    async () => {
      const host = makeOtherHost();
      try {
        const [stays] = collectors.splice(1);
        await stays?.stop();
        const remote = await cluster.start(["collect"], host);
        const own = () => sourcesOf(collectors[0] as TestServer);
        const all = 5;
        // An earlier day: the machines are the same, and what is open of the later one does not reach it.
        const comparisons = await withPlant(
          "2026-01-08",
          [
            // Both have a part of them.
            () => until(async () => (await own()).length < all || undefined),
            async () => {
              host.cut();
              await until(async () => (await own()).length === all || undefined);
            },
            async () => {
              host.mend();
              await until(async () => (await own()).length < all || undefined);
            },
          ],
          host.address,
        );
        expectNoDrift(comparisons);
        await remote.kill();
      } finally {
        await host.stop();
      }
    },
  );
});
