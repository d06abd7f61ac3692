// Benches at a size that proves nothing but that they work, for tests.
import { expect } from "bun:test";
import type { Line } from "./report.ts";

const BENCH = new URL("../bench.ts", import.meta.url).pathname;

/** Runs benches at the size `tiny`; a count that is off makes them fail. */
export async function bench(...names: string[]): Promise<Line[]> {
  const child = Bun.spawn([process.execPath, BENCH, "--size", "tiny", ...names], {
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

/** Runs the benches. @param figures by bench the names of its figures, each with its unit */
export async function expectFigures(figures: Record<string, [name: string, unit: string][]>): Promise<void> {
  const lines = await bench(...Object.keys(figures));
  expect(lines.map(({ name, unit }) => [name, unit])).toEqual(
    expect.arrayContaining(Object.values(figures).flat()),
  );
  for (const { value } of lines) expect(value).toBeGreaterThan(0);
  const line = (wanted: string) => lines.find(({ name }) => name === wanted);
  if ("ingest" in figures) {
    expect(line("ingest.columns")).toMatchObject({ limit: 500_000 });
    expect(line("ingest.raw")?.ratio).toBeGreaterThan(0);
  }
}
