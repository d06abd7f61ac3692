// `bun run bench [name…] [--size tiny|short|full]`: measures the product; one JSON object a line, progress on stderr.
import { parseArgs } from "node:util";
import { browser } from "./benches/browser.ts";
import { burst } from "./benches/burst.ts";
import { cluster } from "./benches/cluster.ts";
import { cost } from "./benches/cost.ts";
import { delay } from "./benches/delay.ts";
import { ingest } from "./benches/ingest.ts";
import { kafka } from "./benches/kafka.ts";
import { memory } from "./benches/memory.ts";
import { queries } from "./benches/queries.ts";
import { reader } from "./benches/reader.ts";
import { rollUps } from "./benches/roll-ups.ts";
import { single } from "./benches/single.ts";
import { start } from "./benches/start.ts";
import type { Bench, Line } from "./lib/report.ts";
import { SIZES, type Size } from "./lib/sizes.ts";

const BENCHES: Bench[] = [
  start,
  ingest,
  burst,
  single,
  reader,
  delay,
  browser,
  queries,
  rollUps,
  memory,
  cost,
  kafka,
  cluster,
];

const USAGE = `bun run bench [${BENCHES.map(({ name }) => name).join("] [")}] [--size tiny|short|full]`;

const { values, positionals } = parseArgs({
  options: { size: { type: "string", default: "short" } },
  allowPositionals: true,
});
const sizes = values.size in SIZES ? SIZES[values.size as Size] : undefined;
const wanted = BENCHES.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
if (!sizes || positionals.some((asked) => !BENCHES.some(({ name }) => name === asked))) {
  console.error(USAGE);
  process.exit(2);
}

const missed: Line[] = [];
let failed = 0;
for (const { name, run } of wanted) {
  const progress = (message: string): void => console.error(`${name}: ${message}`);
  const began_ms = performance.now();
  try {
    await run({
      sizes,
      progress,
      report(line) {
        console.log(JSON.stringify(line));
        if (line.ok === false) missed.push(line);
      },
    });
    progress(`done in ${((performance.now() - began_ms) / 1_000).toFixed(1)} s`);
  } catch (error) {
    failed += 1;
    progress(`failed: ${error instanceof Error ? (error.stack ?? error.message) : error}`);
  }
}
for (const { name, value, unit } of missed) console.error(`over its budget: ${name} (${value} ${unit})`);
// A budget that was missed is a finding; figures that could not be had, or that lost something, are an error.
process.exit(failed > 0 ? 1 : 0);
