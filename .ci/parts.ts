// Long tests for as long as there is time, one file after the other: those that a change touches first, and of the rest
// others with each commit. What was not run is named; of a file that nobody has timed it is not known whether there is
// time for it. `bun .ci/parts.ts <seconds that have passed>`.
import { dirname } from "node:path";
import { importsOf, ROOT } from "./imports.ts";
import { merged, NOTHING } from "./junit.ts";
import { inTurn } from "./order.ts";
import { slowness } from "./slowness.ts";
import { filesOf, knownTime_s, printReport, runFiles } from "./suite.ts";

/** When the last file must have ended, s. */
const UNTIL_S = 40 * 60;
/** Commits of one change are no older than this before the last one. */
const CHANGE_MS = 12 * 3_600_000;

const passed_s = Number(process.argv[2] ?? 0);
const began_ms = performance.now();
const elapsed_s = (): number => passed_s + (performance.now() - began_ms) / 1_000;

const slower = await slowness();
const left_out: string[] = [];
let report = NOTHING;
const changed = changedFiles();
const turn = Number.parseInt(git("rev-parse", "HEAD").slice(0, 8), 16);
for (const file of inTurn(filesOf("long"), (one) => isTouched(one, changed), turn)) {
  const known_s = await knownTime_s(file);
  if (known_s === undefined || elapsed_s() + slower * known_s > UNTIL_S) {
    left_out.push(known_s === undefined ? `${file} (never timed: --update-timings)` : file);
    continue;
  }
  report = merged(report, await runFiles([file], { part: "long", slowness: slower }));
}
for (const file of left_out) console.log(`not run: ${file}`);
printReport(report);
process.exit(report.failed > 0 ? 1 : 0);

/** By what it imports, and by its folder: a test that starts the program imports little of it. */
function isTouched(file: string, changed: Set<string>): boolean {
  const folder = `${dirname(file)}/`;
  return (
    [...importsOf([file])].some((path) => changed.has(path)) ||
    [...changed].some((path) => path.startsWith(folder))
  );
}

function changedFiles(): Set<string> {
  const head = git("log", "-1", "--format=%cI");
  const since_ms = Date.parse(head) - CHANGE_MS;
  const names = git("log", `--since=${new Date(since_ms).toISOString()}`, "--name-only", "--format=");
  return new Set(names.split("\n"));
}

function git(...args: string[]): string {
  return Bun.spawnSync(["git", ...args], { cwd: ROOT })
    .stdout.toString()
    .trim();
}
