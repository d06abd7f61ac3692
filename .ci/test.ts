// Runs the suite and ends with `N passed, N failed, N skipped`. `bun run test` is what npm and Debian give the means for;
// `bun run test:long` (--long) what takes long, or needs what comes from Maven, Go or pip. With --cluster: the acceptance
// of one program, each file on a cluster of its own, whose store is the one that --store names.
import { parseArgs } from "node:util";
import { slowness } from "./slowness.ts";
import { filesOf, printReport, runFiles } from "./suite.ts";

const { values: options, positionals: names } = parseArgs({
  options: {
    long: { type: "boolean", default: false },
    cluster: { type: "boolean", default: false },
    store: { type: "string" },
    "update-timings": { type: "boolean", default: false },
  },
  allowPositionals: true,
});

const part = options.cluster ? "cluster" : options.long ? "long" : "test";
const files = filesOf(part).filter((file) => names.length === 0 || names.some((name) => file.includes(name)));
if (files.length === 0) {
  console.error(`no test file of this part has ${names.join(" or ")} in its name`);
  process.exit(1);
}
const slower = await slowness();
console.log(`limits are those of a quiet machine × ${slower.toFixed(2)}`);
const began_ms = performance.now();
const report = await runFiles(files, {
  part,
  slowness: slower,
  ...(options.store === undefined ? {} : { store: options.store }),
  update_timings: options["update-timings"],
});
for (const [file, s] of report.slowest(10)) console.log(`${s.toFixed(1).padStart(6)} s  ${file}`);
console.log(`${files.length} files in ${((performance.now() - began_ms) / 1_000).toFixed(0)} s`);
printReport(report);
process.exit(report.failed > 0 || report.passed === 0 ? 1 : 0);
