// The bench itself, at a size that proves nothing but that it works: every figure is there, every count is exact.
import { expect, test } from "bun:test";
import { limit_ms } from "../.ci/limits.ts";
import { bench } from "./lib/tiny.ts";

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
  limit_ms(120),
);

test("a bench that is not known is said so", async () => {
  await expect(bench("nonsense")).rejects.toThrow("bun run bench [start]");
});
