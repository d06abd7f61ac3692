// Benches at a size that proves nothing but that they work, for tests.
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
