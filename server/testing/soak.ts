// A soak by hand: `bun server/testing/soak.ts [minutes=60] [speed=60] [faults a minute=20] [seed] [--dialect 2.x …]`.
import { mkdirSync } from "node:fs";
import { driftRun } from "./drift-run.ts";
import { residentOf } from "./engine-process.ts";

const [minutes = "60", speed = "60", faults = "20", seed = String(Date.now()), ...simulate] =
  process.argv.slice(2);
const options = { minutes: Number(minutes), speed: Number(speed), faults_per_minute: Number(faults), seed };
/** Days with a change of the counters at midnight, in winter time. */
const START = "2026-01-12T07:00:00Z";
const data_dir = `/tmp/soak/${seed}`;

mkdirSync(data_dir, { recursive: true });
console.log(JSON.stringify({ ...options, start: START, data_dir }));
const begun_ms = Date.now();
const { comparisons, faults: injected } = await driftRun({
  ...options,
  duration_s: options.minutes * 60,
  start: START,
  data_dir,
  // Some losses by overrun too: six seconds of silence fill it.
  simulate: ["--buffer", "600", ...simulate],
  watch_every_ms: 60_000,
  watch: async (server, simulator_pid) => {
    const { body } = await server.call<{ outbox: unknown; sources: { state: string }[] }>("GET", "/readyz");
    const states = body.sources.map(({ state }) => state);
    const minute = Math.round((Date.now() - begun_ms) / 60_000);
    console.log(
      JSON.stringify({ minute, rss_mb: rss_mb(server.pid), simulator_rss_mb: rss_mb(simulator_pid), states }),
    );
  },
});
console.log(JSON.stringify(injected));
for (const { drifts, ...figures } of comparisons) {
  console.log(JSON.stringify({ ...figures, drifts: drifts.length }));
  for (const drift of drifts.slice(0, 50)) console.log(`  ${drift}`);
}
process.exit(comparisons.some(({ drifts }) => drifts.length > 0) ? 1 : 0);

/** Resident memory of a process, MB. */
function rss_mb(pid: number): number {
  return Math.round(residentOf(pid) / 1024 ** 2);
}
