// The suite's files, and a run of some of them: each in a world of its own, as many at once as serve, the slowest first.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { ROOT } from "./imports.ts";
import { merged, NOTHING, type Report, readReport } from "./junit.ts";
import { provide } from "./provide.ts";

/** One more than the cores of a small machine: while one waits, the others work. */
const FILES_AT_ONCE = 3;
/** A file that takes longer hangs, and its name is known by that it has no report; quiet. */
const LIMIT_S = 3_600;
const TIMINGS = ".ci/timings.json";

export type Part = "test" | "long" | "cluster";

export type Run = {
  /** Of `cluster` each file has a cluster of its own. */
  part: Part;
  /** What a quiet machine's limits are multiplied with. */
  slowness: number;
  /** The store of clusters: ferretdb, secantusdb, mongodb. */
  store?: string;
  /** Writes down how long files took: the next runs begin with the slowest. */
  update_timings?: boolean;
};

/** @returns paths from the project's root */
export function filesOf(part: Part): string[] {
  const all = "{server,domain,ingest,analytics-sql,views,loadtest,deploy,.ci}/**/*.test.{ts,tsx}";
  const isOf = (file: string): boolean =>
    part === "cluster"
      ? /\.acceptance(\.long)?\.test\.ts$/.test(file)
      : file.includes(".long.test.") === (part === "long");
  return [...new Bun.Glob(all).scanSync({ cwd: ROOT, dot: true })].filter(isOf).sort();
}

/**
 * Runs the files and says what came of it. Long ones run one at a time, each in a process of its own: it is the machine's
 * whole load, and of chDB a process has no second Kafka table once it closed the first.
 * @returns the report, with files that ended without one as failed
 */
export async function runFiles(files: string[], run: Run): Promise<Report> {
  for (const line of provide(files, run.part !== "test")) console.log(line);
  if (run.part === "test") return runTogether(files, run);
  let report = NOTHING;
  for (const file of files) {
    console.log(`${run.part}: ${file}`);
    report = merged(report, await runTogether([file], run));
  }
  return report;
}

async function runTogether(files: string[], run: Run): Promise<Report> {
  const folder = mkdtempSync(`${tmpdir()}/mtc-test-`);
  const child = Bun.spawn(commandOf(files, run, `${folder}/report.xml`), {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
    timeout: Math.round(1_000 * LIMIT_S * run.slowness),
    env: {
      ...process.env,
      TEST_SLOWNESS: String(run.slowness),
      ...(run.part === "cluster" ? { TEST_PROFILE: "cluster" } : {}),
      ...(run.store === undefined ? {} : { TEST_STORE: run.store }),
      FORCE_COLOR: "0",
    },
  });
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  process.on("SIGINT", forward).on("SIGTERM", forward);
  const code = await child.exited;
  process.off("SIGINT", forward).off("SIGTERM", forward);
  const report = await readReport(`${folder}/report.xml`, files);
  rmSync(folder, { recursive: true, force: true });
  // What fails outside of a test is in no file's report.
  return code !== 0 && report.failed === 0 ? { ...report, failed: 1 } : report;
}

const commandOf = (files: string[], { update_timings }: Run, outfile: string): string[] => [
  ...[process.execPath, "test", "--no-orphans", "--only-failures"],
  `--parallel=${Math.min(files.length, FILES_AT_ONCE)}`,
  ...["--reporter=junit", `--reporter-outfile=${outfile}`],
  ...[`--timings=${TIMINGS}`, ...(update_timings ? ["--update-timings"] : [])],
  ...files.map((file) => `./${file}`),
];

/** @returns how long a file took when timings were last written, s */
export async function knownTime_s(file: string): Promise<number | undefined> {
  const { files } = (await Bun.file(`${ROOT}${TIMINGS}`).json()) as { files: Record<string, number> };
  const known_ms = files[file];
  return known_ms === undefined ? undefined : known_ms / 1_000;
}

/** Ends with the line that says how it went. */
export function printReport({ skipped, failed_files, passed, failed }: Report): void {
  for (const name of skipped) console.log(`skipped: ${name}`);
  for (const file of failed_files) console.log(`failed: ${file}`);
  console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`);
}
