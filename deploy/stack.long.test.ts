// The stack without Docker: what it stands on comes up as processes of their own, is told of, and just that goes down.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { findKafka } from "../.ci/kafka.ts";
import { limit_ms, until } from "../.ci/limits.ts";
import { findFerret, findSecantus } from "../.ci/mongo-peers.ts";
import { findRedis } from "../.ci/redis.ts";

const lacking = [
  ...(findKafka() ? [] : ["Kafka's jars"]),
  ...(Bun.which("mongod") || findSecantus() || findFerret()
    ? []
    : ["a server that speaks MongoDB's protocol"]),
  ...(findRedis() ? [] : ["redis-server"]),
];
const dir = mkdtempSync(`${tmpdir()}/mtc-stack-test-`);
const script = new URL("stack.sh", import.meta.url).pathname;

async function stack(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const child = Bun.spawn([script, ...args], {
    env: {
      ...process.env,
      STACK_DIR: dir,
      PATH: `${process.execPath.replace(/\/[^/]+$/, "")}:${process.env.PATH}`,
    },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, out, err };
}

const pids = (): number[] =>
  (JSON.parse(readFileSync(`${dir}/state.json`, "utf8")) as { started: { pid: number }[] }).started.map(
    ({ pid }) => pid,
  );

/** One that ended may wait for whoever looks after orphans. */
function lives(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

afterAll(async () => {
  await stack("down");
  rmSync(dir, { recursive: true, force: true });
});

test.skipIf(lacking.length > 0)(
  `the servers come up, once, and go down by their pids${lacking.length > 0 ? `: no ${lacking.join(", no ")}` : ""}`,
  async () => {
    const up = await stack("up", "--backing");
    expect([up.code, up.err]).toEqual([0, expect.stringContaining("kafka")]);
    const settings = Object.fromEntries(
      up.out
        .trim()
        .split("\n")
        .map((line) => line.split(/=(.*)/)),
    );
    expect(Object.keys(settings).sort()).toEqual([
      "MTC_CLICKHOUSE_URL",
      "MTC_KAFKA_BROKERS",
      "MTC_MONGO_URL",
      "MTC_REDIS_URL",
    ]);
    expect(Object.values(settings).join(" ")).not.toMatch(/0\.0\.0\.0|localhost/);
    const answer = await fetch(`${new URL(settings.MTC_CLICKHOUSE_URL as string).origin}/?query=SELECT+1`, {
      headers: { "x-clickhouse-user": "mtc", "x-clickhouse-key": "s/cret" },
    });
    expect(await answer.text()).toBe("1\n");

    const started = pids();
    expect(started.filter(lives).length).toBe(4);
    expect((await stack("up", "--backing")).code).toBe(1);
    expect(pids()).toEqual(started);
    // One that died by itself is told of, and is no obstacle.
    process.kill(started[0] as number, "SIGKILL");
    await until(() => !lives(started[0] as number));
    const status = await stack("status");
    expect([status.code, status.out.match(/ runs /g)?.length]).toEqual([1, 3]);

    // A pid that means another process by now is left alone.
    const stranger = Bun.spawn(["sleep", "60"]);
    const file = `${dir}/state.json`;
    const state = JSON.parse(readFileSync(file, "utf8"));
    state.started.push({ name: "stranger", is: "", pid: stranger.pid, began: "1" });
    await Bun.write(file, JSON.stringify(state));
    expect((await stack("down")).code).toBe(0);
    expect(started.filter(lives)).toEqual([]);
    expect(stranger.exitCode).toBe(null);
    stranger.kill();
    expect((await stack("status")).err).toContain("nothing was started");
  },
  limit_ms(90),
);
