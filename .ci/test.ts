// Runs the whole suite, each file in a process of its own (chDB takes one data directory a process),
// and ends with `N passed, N failed, N skipped`.
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { XMLParser } from "fast-xml-parser";
import { provideChromium } from "./chromium.ts";
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

/** A test without a limit of its own. */
const TEST_LIMIT_MS = 20_000;

const only = process.argv.slice(2);
const found = [
  ...new Bun.Glob("{server,ingest,analytics-sql,views,loadtest,.ci}/**/*.test.{ts,tsx}").scanSync({
    cwd: ROOT,
    dot: true,
  }),
];
const files = found
  .filter((file) => only.length === 0 || only.some((part) => file.includes(part)))
  // Files with real time in them take longest: they start first.
  .sort((a, b) => Number(isSlow(b)) - Number(isSlow(a)) || a.localeCompare(b));

function isSlow(file: string): boolean {
  return /\.(acceptance|browser|crash|e2e)\.test\./.test(file);
}

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
await Promise.all(Array.from({ length: Math.max(1, Math.min(2, cpus().length)) }, worker));
rmSync(reports, { recursive: true });

for (const name of total.skipped) console.log(`skipped: ${name}`);
for (const file of failed_files) console.log(`failed: ${file}`);
console.log(`${total_files} files in ${((performance.now() - started) / 1_000).toFixed(0)} s`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped.length} skipped`);
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);

async function worker(): Promise<void> {
  for (let file = files.shift(); file !== undefined; file = files.shift()) await runFile(file);
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
    { cwd: ROOT, stdout: "pipe", stderr: "pipe", env: { ...process.env, FORCE_COLOR: "0" } },
  );
  const timer = setTimeout(() => child.kill("SIGKILL"), FILE_LIMIT_MS);
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  clearTimeout(timer);
  const counts = await readReport(report);
  // A file that dies before its report, or fails outside of a test, is one failure.
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped.push(...counts.skipped.map((name) => `${file}: ${name}`));
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  console.log(`${counts.failed > 0 ? "FAIL" : "ok  "} ${file} (${counts.passed} passed, ${seconds} s)`);
  if (counts.failed > 0) {
    failed_files.push(file);
    console.log(`${out}\n${err}`);
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
