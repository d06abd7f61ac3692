// Runs the suite and ends with `N passed, N failed, N skipped`. `bun run test` is what npm and Debian give the means for;
// `bun run test:long` (--long) is what takes long, or comes from Maven, Go or pip. With --cluster: the acceptance of one
// program, each file on a cluster of its own, whose store is the one that --store names (ferretdb, secantusdb, mongodb).
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { type Report, readReport } from "./junit.ts";
import { provide } from "./provide.ts";
import { slowness } from "./slowness.ts";

const ROOT = new URL("..", import.meta.url).pathname;
/** Most files wait half of their time: for a browser, a poll, a disk. */
const FILES_AT_ONCE = 3;
/** These start what they need by themselves, whatever the profile. */
const OWN_PROFILE = /^server\/(cluster|kafka|mongo|move)\./;
const ALL = "{server,ingest,analytics-sql,views,loadtest,deploy,.ci}/**/*.test.{ts,tsx}";
/** A folder for what tests write: in memory, where there is room, since a disk's syncs are not what they are about. */
const { values: options, positionals: parts } = parseArgs({
  options: {
    long: { type: "boolean", default: false },
    cluster: { type: "boolean", default: false },
    store: { type: "string" },
    "update-timings": { type: "boolean", default: false },
  },
  allowPositionals: true,
});

const isWanted = (file: string): boolean =>
  options.cluster
    ? file.includes(".acceptance.") && !OWN_PROFILE.test(file)
    : file.includes(".long.") === options.long;
const files = [...new Bun.Glob(ALL).scanSync({ cwd: ROOT, dot: true })]
  .filter(isWanted)
  .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
  .sort();

for (const line of provide(files, options.long || options.cluster)) console.log(line);
const slower = await slowness();
console.log(`limits are those of a quiet machine × ${slower.toFixed(2)}`);
const began_ms = performance.now();
const { code, report } = await run(files);
const failed_files = [...report.failed_files, ...files.filter((file) => !report.files.has(file))];
// A file that fails outside of a test is not counted by the runner.
const failed = Math.max(report.failed, failed_files.length, code === 0 ? 0 : 1);

for (const name of report.skipped) console.log(`skipped: ${name}`);
for (const file of failed_files) console.log(`failed: ${file}`);
for (const [file, s] of report.slowest(10)) console.log(`${s.toFixed(1).padStart(6)} s  ${file}`);
console.log(`${files.length} files in ${((performance.now() - began_ms) / 1_000).toFixed(0)} s`);
console.log(`${report.passed} passed, ${failed} failed, ${report.skipped.length} skipped`);
process.exit(failed > 0 || report.passed === 0 ? 1 : 0);

/** Each file in a world of its own, as many at once as serve, the slowest first. */
async function run(files: string[]): Promise<{ code: number; report: Report }> {
  const folder = mkdtempSync(`${tmpdir()}/mtc-test-`);
  const timings = ["--timings=.ci/timings.json", ...(options["update-timings"] ? ["--update-timings"] : [])];
  const child = Bun.spawn(
    [
      process.execPath,
      "test",
      "--no-orphans",
      // A cluster is the machine's whole load.
      `--parallel=${options.cluster ? 1 : FILES_AT_ONCE}`,
      "--only-failures",
      "--reporter=junit",
      `--reporter-outfile=${folder}/report.xml`,
      ...timings,
      ...files.map((file) => `./${file}`),
    ],
    {
      cwd: ROOT,
      stdio: ["ignore", "inherit", "inherit"],
      env: {
        ...process.env,
        MTC_TEST_SLOWNESS: String(slower),
        ...(options.cluster ? { TEST_PROFILE: "cluster" } : {}),
        ...(options.store === undefined ? {} : { TEST_STORE: options.store }),
        FORCE_COLOR: "0",
      },
    },
  );
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => child.kill(signal));
  const code = await child.exited;
  const report = await readReport(`${folder}/report.xml`);
  rmSync(folder, { recursive: true });
  return { code, report };
}
