// What a run of `bun test` reports in JUnit's format: how many, which were skipped, which files failed, what each took.
import { XMLParser } from "fast-xml-parser";

export type Report = {
  passed: number;
  failed: number;
  /** `file: name` of each. */
  skipped: string[];
  failed_files: string[];
  /** @returns the files that took longest, s */
  slowest(n: number): [file: string, s: number][];
};

type Case = { "@name": string; skipped?: unknown; failure?: unknown };
type Suite = { "@file": string; "@time": string; testsuite?: Suite[]; testcase?: Case[] };

/** @param files those that were to run: one without a report has failed */
export async function readReport(path: string, files: readonly string[]): Promise<Report> {
  const file = Bun.file(path);
  const suites = (await file.exists()) ? suitesOf(await file.text()) : [];
  const cases = suites.map((suite) => ({
    file: suite["@file"],
    s: Number(suite["@time"]),
    all: casesOf(suite),
  }));
  const all = cases.flatMap((one) => one.all);
  const without = files.filter((name) => !cases.some((one) => one.file === name));
  const failed = all.filter(isFailed).length;
  const skipped = cases.flatMap((one) =>
    one.all.filter(isSkipped).map(({ "@name": name }) => `${one.file}: ${name}`),
  );
  return {
    passed: all.length - failed - skipped.length,
    failed: failed + without.length,
    skipped,
    failed_files: [...cases.filter((one) => one.all.some(isFailed)).map((one) => one.file), ...without],
    slowest: (n) =>
      cases
        .map((one): [string, number] => [one.file, one.s])
        .sort(([, a], [, b]) => b - a)
        .slice(0, n),
  };
}

/** Of no file. */
export const NOTHING: Report = { passed: 0, failed: 0, skipped: [], failed_files: [], slowest: () => [] };

/** @returns one of both */
export const merged = (a: Report, b: Report): Report => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: [...a.skipped, ...b.skipped],
  failed_files: [...a.failed_files, ...b.failed_files],
  slowest: (n) => [...a.slowest(n), ...b.slowest(n)].sort(([, one], [, other]) => other - one).slice(0, n),
});

const isSkipped = ({ skipped }: Case): boolean => skipped !== undefined;
const isFailed = ({ failure }: Case): boolean => failure !== undefined;
const casesOf = ({ testsuite = [], testcase = [] }: Suite): Case[] => [
  ...testcase,
  ...testsuite.flatMap(casesOf),
];

function suitesOf(xml: string): Suite[] {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: "@",
    isArray: (name) => name === "testsuite" || name === "testcase",
  });
  const { testsuites } = parser.parse(xml) as { testsuites?: { testsuite?: Suite[] } };
  return testsuites?.testsuite ?? [];
}
