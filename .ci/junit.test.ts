// What a run reports: every test counted once, what was skipped by name, and a file that told nothing as failed.
import { expect, test } from "bun:test";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { merged, readReport } from "./junit.ts";

const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test" tests="6" failures="2" skipped="1" time="12.7">
  <testsuite name="a.test.ts" file="a.test.ts" tests="4" failures="1" skipped="1" time="8.5">
    <testcase name="passes" time="0.06" file="a.test.ts" />
    <testsuite name="a group" file="a.test.ts" tests="3">
      <testcase name="passes too" time="0.06" file="a.test.ts" />
      <testcase name="is skipped" time="0" file="a.test.ts"><skipped /></testcase>
      <testcase name="fails" time="1" file="a.test.ts"><failure type="AssertionError" message="no" /></testcase>
    </testsuite>
  </testsuite>
  <testsuite name="b.test.ts" file="b.test.ts" tests="1" failures="1" skipped="0" time="9.5">
    <testcase name="(worker crashed)" time="0" file="b.test.ts"><failure message="crashed" /></testcase>
  </testsuite>
</testsuites>`;

test("every test is counted once, and a file without a report has failed", async () => {
  const path = `${mkdtempSync(`${tmpdir()}/mtc-report-`)}/report.xml`;
  await Bun.write(path, REPORT);
  const report = await readReport(path, ["a.test.ts", "b.test.ts", "c.test.ts"]);
  expect(report).toMatchObject({
    passed: 2,
    failed: 3,
    skipped: ["a.test.ts: is skipped"],
    failed_files: ["a.test.ts", "b.test.ts", "c.test.ts"],
  });
  expect(report.slowest(1)).toEqual([["b.test.ts", 9.5]]);
  expect(merged(report, report)).toMatchObject({ passed: 4, failed: 6 });
  expect(
    merged(report, report)
      .slowest(3)
      .map(([file]) => file),
  ).toEqual(["b.test.ts", "b.test.ts", "a.test.ts"]);
});

test("where nothing was written every file has failed", async () => {
  expect(await readReport("/nowhere/report.xml", ["a.test.ts"])).toMatchObject({ passed: 0, failed: 1 });
});
