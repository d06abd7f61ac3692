// Runs the whole suite, each file in a process of its own (chDB takes one data directory a process), and ends with
// `N passed, N failed, N skipped`. With --cluster: the acceptance of one program, with each file on a cluster of its own,
// whose store is the one that --store names (ferretdb, secantusdb, mongodb).
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { XMLParser } from "fast-xml-parser";
import { provideChromium } from "./chromium.ts";
import { type Cost, costOf, takeNext } from "./costs.ts";
import { provideKafka } from "./kafka.ts";
import { provideMbpoll, providePymodbus } from "./modbus-peers.ts";
import { provideFerret, provideSecantus } from "./mongo-peers.ts";
import { provideRedis } from "./redis.ts";
import { provideMoto } from "./s3-peer.ts";
import { provideSchemaRegistry } from "./schema-registry.ts";

type Counts = { passed: number; failed: number; skipped: string[] };

const ROOT = new URL("..", import.meta.url).pathname;
/** A file that hangs fails, with its name. */
const FILE_LIMIT_MS = 8 * 60_000;

/** Each may hold an engine or brokers in memory. */
const MAX_FILES_AT_ONCE = 3;

const { values: options, positionals: only } = parseArgs({
  options: { cluster: { type: "boolean", default: false }, store: { type: "string" } },
  allowPositionals: true,
});

/** A test without a limit of its own. A cluster takes its time to start, and its answers are a hop further away. */
const TEST_LIMIT_MS = options.cluster ? 120_000 : 20_000;
const STORE = options.store === undefined ? {} : { TEST_STORE: options.store };
const PROFILE = options.cluster ? { TEST_PROFILE: "cluster", ...STORE } : {};
/** These start what they need by themselves, whatever the profile. */
const OWN_PROFILE = /^server\/(cluster|kafka|mongo|move)\./;
/** Two minutes of both cores, which the suite does not have. */
const CLUSTER_ONLY = /^server\/cluster-same\./;
const ALL = "{server,ingest,analytics-sql,views,loadtest,deploy,.ci}/**/*.test.{ts,tsx}";
const ACCEPTANCE = "server/**/*.acceptance.test.ts";

const found = [...new Bun.Glob(options.cluster ? ACCEPTANCE : ALL).scanSync({ cwd: ROOT, dot: true })].filter(
  (file) => !(options.cluster ? OWN_PROFILE : CLUSTER_ONLY).test(file),
);
const files = found
  .filter((file) => only.length === 0 || only.some((part) => file.includes(part)))
  // The longest first, so that all cores end together.
  .sort((a, b) => costOf(b).seconds - costOf(a).seconds || a.localeCompare(b));

console.log(`chromium: ${provideChromium()}`);
console.log(`mbpoll: ${provideMbpoll()}, pymodbus: ${providePymodbus()}`);
console.log(`moto: ${provideMoto()}, redis: ${provideRedis()}`);
console.log(`kafka: ${provideKafka()}, schema registry: ${provideSchemaRegistry()}`);
console.log(`ferretdb: ${provideFerret()}, secantusdb: ${provideSecantus()}`);
const total_files = files.length;
const reports = mkdtempSync(`${tmpdir()}/mtc-test-`);
const started = performance.now();
const total: Counts = { passed: 0, failed: 0, skipped: [] };
const failed_files: string[] = [];
/** Processes that run a file, each with what it started. */
const groups = new Set<number>();
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => {
    groups.forEach(endGroup);
    process.exit(1);
  });
// A cluster is the machine's whole load.
await runAll({
  cores: Math.max(1, Math.min(2, cpus().length)),
  files: options.cluster ? 1 : MAX_FILES_AT_ONCE,
});
rmSync(reports, { recursive: true });

for (const name of total.skipped) console.log(`skipped: ${name}`);
for (const file of failed_files) console.log(`failed: ${file}`);
console.log(`${total_files} files in ${((performance.now() - started) / 1_000).toFixed(0)} s`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped.length} skipped`);
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);

/** Starts files as long as there is room, and again whenever one has ended. */
async function runAll(room: { cores: number; files: number }): Promise<void> {
  const running = new Map<Promise<void>, Cost>();
  while (files.length > 0 || running.size > 0) {
    for (;;) {
      const file = takeNext(files, running.values(), room);
      if (file === undefined) break;
      const run: Promise<void> = runFile(file).finally(() => running.delete(run));
      running.set(run, costOf(file));
    }
    await Promise.race(running.keys());
  }
}

async function runFile(file: string): Promise<void> {
  const report = `${reports}/${file.replaceAll("/", "_")}.xml`;
  const began = performance.now();
  const child = Bun.spawn(
    [
      process.execPath,
      "test",
      `./${file}`,
      `--timeout=${TEST_LIMIT_MS}`,
      "--reporter=junit",
      `--reporter-outfile=${report}`,
    ],
    {
      cwd: ROOT,
      stdout: "pipe",
      stderr: "pipe",
      // A group of its own: whatever it starts ends with it, or would hold its output open.
      detached: true,
      env: { ...process.env, ...PROFILE, FORCE_COLOR: "0" },
    },
  );
  groups.add(child.pid);
  const timer = setTimeout(() => endGroup(child.pid), FILE_LIMIT_MS);
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited.finally(() => endGroup(child.pid)),
  ]);
  clearTimeout(timer);
  const counts = await readReport(report);
  // A file that dies before its report, or fails outside of a test, is one failure.
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped.push(...counts.skipped.map((name) => `${file}: ${name}`));
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  // Of whatever the file waited for at its end; see `.ci/costs.ts`.
  const busy_s = (Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1e6).toFixed(1);
  const took = `${counts.passed} passed, ${seconds} s, ${busy_s} s of a core`;
  console.log(`${counts.failed > 0 ? "FAIL" : "ok  "} ${file} (${took})`);
  if (counts.failed > 0) {
    failed_files.push(file);
    console.log(`${out}\n${err}`);
  }
}

function endGroup(pid: number): void {
  groups.delete(pid);
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // All of it has ended.
  }
}

type Suite = { testsuite?: Suite[]; testcase?: { "@name": string; skipped?: unknown; failure?: unknown }[] };

async function readReport(path: string): Promise<Counts> {
  const counts: Counts = { passed: 0, failed: 0, skipped: [] };
  const file = Bun.file(path);
  if (!(await file.exists())) return counts;
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: "@",
    isArray: (name) => name === "testsuite" || name === "testcase",
  });
  const count = ({ testsuite = [], testcase = [] }: Suite): void => {
    for (const test of testcase) {
      if (test.skipped !== undefined) counts.skipped.push(test["@name"]);
      else if (test.failure !== undefined) counts.failed += 1;
      else counts.passed += 1;
    }
    testsuite.forEach(count);
  };
  const { testsuites } = parser.parse(await file.text()) as { testsuites?: Suite };
  if (testsuites) count(testsuites);
  return counts;
}
