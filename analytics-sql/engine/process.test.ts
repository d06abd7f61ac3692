// The engine's process: what is there when it was killed, whom it ends with, and who may reach it.
import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../.ci/limits.ts";
import { openEmbedded } from "./embedded.ts";
import { type Engine, EngineAway } from "./engine.ts";
import { EngineProcess } from "./process.ts";

const root = mkdtempSync(join(tmpdir(), "mtc-process-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Processes whose command line names the directory. */
const holders = (path: string): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(path);
      } catch {
        return false;
      }
    })
    .map(Number);

const onLinux = test.skipIf(process.platform !== "linux");

onLinux("killed, it is away for a moment, is started again, and has what was written", async () => {
  const path = join(root, "killed");
  const told: string[] = [];
  const engine: Engine = await openEmbedded({ path, rawRetentionDays: 30, log: (line) => told.push(line) });
  const write = "INSERT INTO mtc.touched (tenant_id, machine_id, at, from_us) SELECT 't', 'm', now('UTC'), 1";
  const count = () => engine.query("SELECT count() AS n FROM mtc.touched", {});
  await engine.maintain(write);
  for (let n = 1; n <= 3; n++) {
    const [pid = 0] = holders(path);
    expect(readFileSync(`/proc/${pid}/oom_score_adj`, "utf8").trim()).toBe("1000");
    process.kill(pid, "SIGKILL");
    const away = await until(() =>
      count().then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    expect(away).toBeInstanceOf(EngineAway);
    expect(await until(() => count().catch(() => undefined))).toEqual([{ n: 1 }]);
    expect(engine.process?.()).toMatchObject({ up: true, restarts: n });
  }
  expect(told.filter((line) => line.includes("started again"))).toHaveLength(3);
  await engine.close();
  expect(holders(path)).toEqual([]);
});

onLinux("it ends when the program that started it is killed, and its socket is for nobody else", async () => {
  const path = join(root, "parent");
  const program = Bun.spawn(
    [
      process.execPath,
      "-e",
      `const { EngineProcess } = await import(${JSON.stringify(join(import.meta.dir, "process.ts"))});
       const engine = await EngineProcess.start({ path: ${JSON.stringify(path)}, prepare: async () => {}, mend: async () => false, hasRoom: () => true, log() {} });
       console.log(engine.socket); setInterval(() => {}, 1_000);`,
    ],
    { stdout: "pipe" },
  );
  const { value } = await program.stdout.getReader().read();
  const socket = new TextDecoder().decode(value).trim();
  expect(statSync(join(socket, "..")).mode & 0o777).toBe(0o700);
  expect(Buffer.byteLength(socket)).toBeLessThan(104);
  expect(holders(path)).toHaveLength(1);
  program.kill("SIGKILL");
  // The next one waits until the directory is free.
  const next = await EngineProcess.start({
    path,
    prepare: async () => {},
    mend: async () => false,
    hasRoom: () => true,
    log() {},
  });
  expect(holders(path)).toHaveLength(1);
  // The runner ends what a test's programs leave behind, so it may have had no time to clean up.
  rmSync(join(socket, ".."), { recursive: true, force: true });
  await next.close();
  expect(existsSync(next.socket)).toBe(false);
});

test("a directory that cannot be opened is told", async () => {
  await Bun.write(join(root, "file"), "no directory");
  const opening = openEmbedded({ path: join(root, "file", "chdb"), rawRetentionDays: 30 });
  await expect(opening).rejects.toThrow(/director|Not a|path/i);
  await expect(openEmbedded({ path: join(root, "x"), rawRetentionDays: 0 })).rejects.toThrow(RangeError);
});
