// The bench itself, at a size that proves nothing but that it works: every figure is there, every count is exact.
import { expect, test } from "bun:test";
import { hasKafka } from "../ingest/testing/brokers.ts";
import type { Line } from "./lib/report.ts";

const LIMIT_MS = 120_000;

/** Runs benches at the size `tiny`; a count that is off makes them fail. */
async function bench(...names: string[]): Promise<Line[]> {
  const child = Bun.spawn([process.execPath, `${import.meta.dir}/bench.ts`, "--size", "tiny", ...names], {
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(err);
  return out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
}

const FIGURES = [
  ["start.ready", "s"],
  ["ingest.columns", "observations/s"],
  ["ingest.rows", "observations/s"],
  ["ingest.raw", "observations/s"],
  ["burst.columns", "observations/s"],
  ["burst.ack_p99", "ms"],
  ["single.requests", "requests/s"],
  ["reader.generated", "MB/s"],
  ["delay.p99", "ms"],
  ["queries.oee.plant_by_hour", "ms"],
  ["queries.states.machine", "ms"],
  ["queries.page.hmi", "ms"],
  ["queries.page.dashboard", "ms"],
  ["roll-ups.by_day.20x3", "ms"],
  ["memory.rss", "MB"],
  ["cost.insert.16", "CPU ms"],
  ["cost.cpu.2", "CPU s per machine-minute"],
  ["cost.memory.2", "MB"],
] as const;

test(
  "invariants 1 and 2: every bench says its figures, and what was acknowledged is there, once",
  async () => {
    const halves = await Promise.all([
      bench("start", "ingest", "burst", "single", "reader"),
      bench("delay", "queries", "roll-ups", "memory", "cost"),
    ]);
    const lines = halves.flat();
    expect(lines.map(({ name, unit }) => [name, unit])).toEqual(
      expect.arrayContaining(FIGURES.map((figure) => [...figure])),
    );
    for (const { value } of lines) expect(value).toBeGreaterThan(0);
    expect(lines.find(({ name }) => name === "ingest.columns")).toMatchObject({ limit: 500_000 });
    expect(lines.find(({ name }) => name === "ingest.raw")?.ratio).toBeGreaterThan(0);
  },
  LIMIT_MS,
);

test.skipIf(!hasKafka)(
  "the way by Kafka says its figures, and every row is there, once",
  async () => {
    const lines = await bench("kafka");
    expect(lines.map(({ name }) => name)).toEqual([
      "kafka.delivered",
      "kafka.drained",
      "kafka.queryable",
      "kafka.delay_p50",
      "kafka.delay_p99",
    ]);
    for (const { value } of lines) expect(value).toBeGreaterThan(0);
  },
  LIMIT_MS,
);

test("a bench that is not known is said so", async () => {
  await expect(bench("nonsense")).rejects.toThrow("bun run bench [start]");
});
