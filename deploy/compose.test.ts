// compose.yaml cannot be started by the tests: it is held against Compose's own schema, and against what the code expects.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { Ajv } from "ajv";
import { query } from "chdb";
import { XMLParser } from "fast-xml-parser";
import schema from "../node_modules/dclint/schemas/compose.schema.json" with { type: "json" };
import { version } from "../package.json" with { type: "json" };
import { KAFKA_DEFAULTS } from "../server/cluster-config.ts";
import { type Config, parseConfig, ROLES } from "../server/config.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const PROGRAM: readonly string[] = ROLES;

type Service = {
  image: string;
  build?: string;
  environment?: Record<string, string | number>;
  secrets?: string[];
  volumes?: string[];
  ports?: string[];
  tmpfs?: string[];
  profiles?: string[];
  networks: string[];
  entrypoint?: string[];
  depends_on?: Record<string, { condition: string; required?: boolean }>;
  healthcheck?: { test: string[]; start_period: string };
  logging?: { driver: string; options: Record<string, string> };
  stop_grace_period?: string;
  restart?: string;
  deploy?: { resources: { limits: { memory: string } } };
};
type Compose = {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
  networks: Record<string, { internal?: boolean } | null>;
  secrets: Record<string, { file: string }>;
};

const text = readFileSync(`${ROOT}compose.yaml`, "utf8");
const three: Record<string, string> = Object.fromEntries(
  readFileSync(`${ROOT}deploy/three.env`, "utf8")
    .split("\n")
    .filter((line) => /^\w+=/.test(line))
    .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
);

/** As Compose reads it, with these variables; `$$` is a dollar. */
function read(variables: Record<string, string>): Compose {
  const filled = text.replace(/\$\$|\$\{(\w+):-([^}]*)\}/g, (found, name: string, otherwise: string) =>
    found === "$$" ? "$" : (variables[name] ?? otherwise),
  );
  return Bun.YAML.parse(filled) as Compose;
}

const one = read({});
const services = Object.entries(one.services);
const program = services.filter(([name]) => PROGRAM.includes(name));

describe("compose.yaml", () => {
  test.each([{}, three])("is one by Compose's schema, with %p", (variables) => {
    const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
    // Its own schema is named by an address that ajv knows as http.
    const { $schema: _, ...rules } = schema;
    const valid = ajv.compile(rules);
    valid(read(variables));
    expect(valid.errors ?? []).toEqual([]);
    // The schema is looked at, too: it refuses what is none.
    expect(valid({ services: { api: { image: 1, helthcheck: {} } } })).toBe(false);
  });

  test("every variable has a default, and three.env sets no other", () => {
    const used = [...text.matchAll(/\$\{(\w+)([^}]*)\}/g)];
    expect(used.filter(([, , rest]) => !rest?.startsWith(":-")).map(([all]) => all)).toEqual([]);
    const names = new Set(used.map(([, name]) => name));
    expect(Object.keys(three).filter((name) => name !== "COMPOSE_PROFILES" && !names.has(name))).toEqual([]);
  });

  test("every image is pinned by a tag; ours is this version", () => {
    for (const [name, { image }] of services)
      expect(`${name} ${image}`).toMatch(/^\S+ [\w./-]+:v?\d+\.\d+[\w.-]*$/);
    for (const [, { image, build }] of program) expect([image, build]).toEqual([`mtc:${version}`, "."]);
    expect(PROGRAM.filter((role) => !one.services[role])).toEqual([]);
  });

  test("the ClickHouse server is the version of the embedded engine: one dialect (invariant 9)", () => {
    const [major, minor] = query("SELECT version()").replaceAll('"', "").split(".");
    expect(one.services.clickhouse?.image).toBe(`clickhouse/clickhouse-server:${major}.${minor}`);
  });

  test("volumes, networks and secrets: each that is used is declared, each that is declared is used", () => {
    const named = services.flatMap(([, { volumes = [] }]) =>
      volumes.map((volume) => volume.split(":")[0] ?? "").filter((source) => !source.startsWith(".")),
    );
    expect([...new Set(named)].sort()).toEqual(Object.keys(one.volumes).sort());
    // No two services write into one.
    expect(new Set(named).size).toBe(named.length);
    expect([...new Set(services.flatMap(([, { networks }]) => networks))].sort()).toEqual(
      Object.keys(one.networks).sort(),
    );
    const asked = services.flatMap(([, { secrets = [] }]) => secrets);
    expect([...new Set(asked)].sort()).toEqual(Object.keys(one.secrets).sort());
  });

  test("files that are mounted are there", () => {
    const mounted = services.flatMap(([, { volumes = [] }]) =>
      volumes.map((volume) => volume.split(":")[0] ?? "").filter((source) => source.startsWith(".")),
    );
    expect(mounted).toContain("./analytics-sql/kafka/server-profile.xml");
    for (const file of mounted) expect(statSync(ROOT + file).isFile()).toBe(true);
  });

  test("every service has a health check, bounds on its memory and its log, time to end, and comes back", () => {
    for (const [name, service] of services) {
      expect([name, service.logging]).toEqual([
        name,
        { driver: "json-file", options: { "max-size": "20m", "max-file": "5" } },
      ]);
      expect([name, service.healthcheck?.test.length ?? 0]).not.toEqual([name, 0]);
      expect([name, service.restart]).toEqual([name, "unless-stopped"]);
      expect(service.deploy?.resources.limits.memory).toMatch(/^\d+[MG]$/);
      expect(Number.parseInt(service.stop_grace_period ?? "0", 10)).toBeGreaterThanOrEqual(30);
    }
  });

  test("a ClickHouse server keeps none of its own notes for ever", () => {
    const parsed = new XMLParser({ ignoreAttributes: false }).parse(
      readFileSync(`${ROOT}deploy/clickhouse/server.xml`, "utf8"),
    ) as { clickhouse: Record<string, { "@_remove"?: string; ttl?: string; level?: string }> };
    const { logger, ...logs } = parsed.clickhouse;
    // What is logged from "debug" on has the statements in it.
    expect(logger).toMatchObject({ level: "information", size: "50M", count: 5 });
    for (const [name, log] of Object.entries(logs)) {
      expect(name).toEndWith("_log");
      expect([
        name,
        log["@_remove"] === "1" || /^event_date \+ INTERVAL \d+ DAY DELETE$/.test(log.ttl ?? ""),
      ]).toEqual([name, true]);
    }
    expect(Object.keys(logs)).toEqual(
      expect.arrayContaining([
        "query_log",
        "part_log",
        "text_log",
        "trace_log",
        "metric_log",
        "asynchronous_metric_log",
      ]),
    );
  });

  test("a broker's health check asks in Kafka's protocol, and starts no JVM", async () => {
    for (const [name, { healthcheck, volumes }] of services.filter(
      ([name]) => name.startsWith("kafka-") && name !== "kafka-ui",
    ))
      expect([name, healthcheck?.test, volumes?.[1]]).toEqual([
        name,
        ["CMD", "bash", "/kafka/answers.sh"],
        "./deploy/kafka/answers.sh:/kafka/answers.sh:ro",
      ]);
    const request = Uint8Array.of(0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 255, 255);
    // The size, the number of the request, an error's code or 0, and more that nobody reads.
    for (const { error, code } of [
      { error: 0, code: 0 },
      { error: 35, code: 1 },
    ]) {
      const asked: number[] = [];
      const broker = Bun.listen({
        hostname: "127.0.0.1",
        port: 0,
        socket: {
          data(socket, bytes) {
            asked.push(...bytes);
            if (asked.length >= request.length)
              socket.write(Uint8Array.of(0, 0, 0, 8, 0, 0, 0, 1, 0, error, 7, 7));
          },
        },
      });
      const check = Bun.spawn(["bash", `${ROOT}deploy/kafka/answers.sh`, `${broker.port}`]);
      expect(await check.exited).toBe(code);
      expect(asked).toEqual([...request]);
      broker.stop(true);
    }
    const nobody = Bun.spawn(["bash", `${ROOT}deploy/kafka/answers.sh`, "1"], { stderr: "ignore" });
    expect(await nobody.exited).toBe(1);
  });

  test("who depends on another waits until it is healthy, and only on what is always there, or not required", () => {
    for (const [name, { depends_on = {}, profiles = [] }] of services) {
      for (const [needed, { condition, required }] of Object.entries(depends_on)) {
        expect([name, needed, condition]).toEqual([name, needed, "service_healthy"]);
        const optional = (one.services[needed]?.profiles ?? []).some(
          (profile) => !profiles.includes(profile),
        );
        expect([name, needed, required ?? true]).toEqual([name, needed, !optional]);
      }
    }
    for (const [, { depends_on = {} }] of program)
      expect(Object.keys(depends_on)).toEqual(expect.arrayContaining(["mongo-1", "kafka-1", "redis"]));
    expect(Object.keys(one.services.api?.depends_on ?? {})).toContain("clickhouse");
  });

  test("no port is reached but on loopback; servers are not reached at all", () => {
    for (const [, { ports = [] }] of services)
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+(-\d+)?:\d+$/);
    expect(services.filter(([, { ports }]) => ports).map(([name]) => name)).toEqual(["api", "kafka-ui"]);
    expect(one.networks.servers?.internal).toBe(true);
    // No secret stands in the file.
    expect(text).not.toMatch(/\/\/[^/\s]*:[^/\s]+@/);
  });
});

describe("MTC in it", () => {
  const dir = mkdtempSync(`${tmpdir()}/mtc-compose-`);
  beforeAll(() => {
    // The script writes beside itself: it runs in a copy of the folder.
    Bun.spawnSync(["cp", `${ROOT}deploy/secrets.sh`, `${dir}/secrets.sh`]);
    const { success, stderr } = Bun.spawnSync([`${dir}/secrets.sh`]);
    if (!success) throw new Error(stderr.toString());
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  const secret = (name: string): string => readFileSync(`${dir}/secrets/${name}`, "utf8").trim();
  /** The settings as a container's process would read them. */
  const configOf = (role: string, variables: Record<string, string>): Config => {
    const environment = read(variables).services[role]?.environment ?? {};
    return parseConfig(
      Object.fromEntries(
        Object.entries(environment).map(([name, value]) => [
          name,
          String(value).replace(/^\/run\/secrets/, `${dir}/secrets`),
        ]),
      ),
    );
  };

  test("secrets.sh makes what compose.yaml names, for the owner's eyes, once", () => {
    const files = readdirSync(`${dir}/secrets`).sort();
    expect(files).toEqual(Object.keys(one.secrets).sort());
    for (const [name, { file }] of Object.entries(one.secrets)) expect(file).toBe(`./deploy/secrets/${name}`);
    for (const file of files) expect(statSync(`${dir}/secrets/${file}`).mode & 0o777).toBe(0o600);
    const before = files.map(secret);
    expect(new Set(before).size).toBe(before.length);
    expect(Bun.spawnSync([`${dir}/secrets.sh`]).success).toBe(true);
    expect(files.map(secret)).toEqual(before);
    // Half of a pair would be made to fit nothing.
    rmSync(`${dir}/secrets/redis_conf`);
    expect(Bun.spawnSync([`${dir}/secrets.sh`], { stderr: "ignore" }).exitCode).toBe(1);
    rmSync(`${dir}/secrets/redis_url`);
    expect(Bun.spawnSync([`${dir}/secrets.sh`]).success).toBe(true);
    expect(readdirSync(`${dir}/secrets`).sort()).toEqual(files);
    const ignored = Bun.spawnSync(["git", "check-ignore", "deploy/secrets/admin_key", ".env"], { cwd: ROOT });
    expect(ignored.exitCode).toBe(0);
  });

  test("both ends of a secret fit: users and passwords of the URLs are those of the servers", () => {
    const clickhouse = new URL(secret("clickhouse_url"));
    const hash = new Bun.CryptoHasher("sha256").update(clickhouse.password).digest("hex");
    expect(secret("clickhouse_user")).toContain(`<password_sha256_hex>${hash}<`);
    expect(secret("clickhouse_user")).toContain(`<${clickhouse.username}>`);
    expect(secret("redis_conf")).toContain(`requirepass ${new URL(secret("redis_url")).password}\n`);
    const member = readFileSync(`${ROOT}deploy/mongo/member.js`, "utf8");
    expect(secret("mongo_url")).toMatch(/^mongodb:\/\/mtc:[0-9a-f]{64}@/);
    const set = /[?&]replicaSet=(\w+)/.exec(secret("mongo_url"))?.[1];
    expect(member).toContain(`_id: "${set}"`);
    expect(one.services["mongo-1"]?.entrypoint?.at(-1)).toContain(`--replSet ${set} `);
  });

  test.each(ROLES.flatMap((role) => [{}, three].map((variables) => ({ role, variables }))))(
    "its settings are taken, and lead to the services: %p",
    ({ role, variables }) => {
      const config = configOf(role, variables);
      expect([config.profile, config.roles, config.demo]).toEqual(["cluster", [role], "off"]);
      expect(config.admin_key).toBe(secret("admin_key"));
      const there = read(variables).services;
      const profiles = (variables as { COMPOSE_PROFILES?: string }).COMPOSE_PROFILES?.split(",") ?? [];
      const on = (name: string): boolean =>
        (there[name]?.profiles ?? []).every((profile) => profiles.includes(profile)) && name in there;
      const brokers = config.kafka?.brokers ?? [];
      expect(brokers.map((broker) => broker.split(":")[0] ?? "").filter((host) => !on(host))).toEqual([]);
      expect(brokers.length).toBe(
        Object.keys(there).filter((name) => /^kafka-\d/.test(name) && on(name)).length,
      );
      expect(config.kafka).toMatchObject(KAFKA_DEFAULTS);
      for (const url of [config.clickhouse_url, config.redis_url])
        expect(on(new URL(url ?? "").hostname)).toBe(true);
      const hosts = /@([^/]+)\//.exec(config.mongo_url ?? "")?.[1]?.split(",") ?? [];
      expect(hosts.sort()).toEqual(
        Object.keys(there)
          .filter((name) => name.startsWith("mongo-"))
          .map((name) => `${name}:27017`),
      );
    },
  );

  test("brokers are advertised, vote and copy by the names that they have", () => {
    for (const variables of [{}, three]) {
      const { services: there } = read(variables);
      const nodes = Object.entries(there).filter(([name]) => /^kafka-\d/.test(name));
      const on = nodes.filter(([, { profiles }]) => !profiles || "COMPOSE_PROFILES" in variables);
      for (const [name, { environment = {} }] of on) {
        expect(environment.KAFKA_ADVERTISED_LISTENERS).toBe(`PLAINTEXT://${name}:9092`);
        const voters = on.map(([node, of]) => `${of.environment?.KAFKA_NODE_ID}@${node}:9093`);
        expect(environment.KAFKA_CONTROLLER_QUORUM_VOTERS).toBe(voters.join());
        expect(Number(environment.KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR)).toBe(on.length);
        expect(Number(environment.KAFKA_TRANSACTION_STATE_LOG_MIN_ISR)).toBe(Math.max(1, on.length - 1));
      }
    }
  });

  test("the port that is published is the one it listens on, on every address of its container", () => {
    const { port, host } = configOf("api", {});
    expect(host).toBe("0.0.0.0");
    expect(one.services.api?.ports).toEqual([`127.0.0.1:${port}-${port + 1}:${port}`]);
    expect(readFileSync(`${ROOT}Dockerfile`, "utf8")).toContain(`\nEXPOSE ${port}\n`);
  });

  test.each([
    { status: 200, path: "/readyz", code: 0 },
    { status: 503, path: "/readyz", code: 1 },
    { status: 200, path: "/healthz", code: 1 },
  ])(
    "its health check asks /readyz: $path says $status, it ends with $code",
    async ({ status, path, code }) => {
      const server = Bun.serve({
        hostname: "127.0.0.1",
        port: 0,
        fetch: (request) =>
          new Response("", { status: new URL(request.url).pathname === path ? status : 404 }),
      });
      const [, ...command] = one.services.api?.healthcheck?.test ?? [];
      expect(command).toEqual(["bun", "deploy/healthy.ts"]);
      const child = Bun.spawn([process.execPath, ...command.slice(1)], {
        cwd: ROOT,
        env: { ...process.env, MTC_PORT: `${server.port}` },
      });
      expect(await child.exited).toBe(code);
      await server.stop(true);
    },
  );
});

describe("Dockerfile", () => {
  const dockerfile = readFileSync(`${ROOT}Dockerfile`, "utf8");
  const ignore = readFileSync(`${ROOT}.dockerignore`, "utf8").split("\n");

  test("is built on the Bun that the commands name, from the lock file, and runs as nobody special", () => {
    const bun = /bun@([\d.]+) install/.exec(readFileSync(`${ROOT}.ci/run`, "utf8"))?.[1];
    for (const [, image] of dockerfile.matchAll(/^FROM (\S+)/gm)) expect(image).toBe(`oven/bun:${bun}-slim`);
    expect(dockerfile).toContain("RUN bun install --frozen-lockfile --production\n");
    expect(dockerfile.lastIndexOf("\nUSER bun\n")).toBeGreaterThan(dockerfile.lastIndexOf("FROM"));
    expect(dockerfile).toContain(
      'HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["bun", "deploy/healthy.ts"]',
    );
  });

  test("copies just what .dockerignore lets through, and no secret", () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, from = ""]) =>
      from.split(" "),
    );
    const let_through = ignore.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
    expect([...new Set(copied)].sort()).toEqual(let_through.sort());
    expect(ignore.filter((line) => line !== "" && !line.startsWith("#"))[0]).toBe("*");
  });

  test("the program's every import is among it", async () => {
    const rooms = ["domain", "analytics-sql", "ingest", "views", "server"];
    const wrong: string[] = [];
    const seen = new Set<string>();
    const follow = async (file: string): Promise<void> => {
      if (seen.has(file)) return;
      seen.add(file);
      const inside = file.slice(ROOT.length);
      if (!rooms.includes(inside.split("/")[0] ?? "") && inside !== "package.json") wrong.push(inside);
      if (/\/testing\/|\.test\.tsx?$/.test(inside)) wrong.push(inside);
      if (!/\.tsx?$/.test(file)) return;
      const loader = file.endsWith("x") ? "tsx" : "ts";
      const found = new Bun.Transpiler({ loader }).scanImports(await Bun.file(file).text());
      for (const { path } of found)
        if (path.startsWith(".")) await follow(Bun.resolveSync(path, file.slice(0, file.lastIndexOf("/"))));
    };
    await follow(`${ROOT}server/main.ts`);
    expect(seen.size).toBeGreaterThan(150);
    expect(wrong).toEqual([]);
  });
});
