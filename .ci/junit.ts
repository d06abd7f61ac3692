// What a run of `bun test` reports in JUnit's format: how many, which were skipped, which files failed, what each took.
import { XMLParser } from "fast-xml-parser";

export type Report = {
  passed: number;
  failed: number;
  /** `file: name` of each. */
  skipped: string[];
  files: ReadonlySet<string>;
  failed_files: string[];
  /** @returns the files that took longest, s */
  slowest(n: number): [file: string, s: number][];
};

type Case = { "@name": string; skipped?: unknown; failure?: unknown };
type Suite = { "@file": string; "@time": string; testsuite?: Suite[]; testcase?: Case[] };

/** @returns a report of nothing where there is no such file */
export async function readReport(path: string): Promise<Report> {
  const file = Bun.file(path);
  const suites = (await file.exists()) ? suitesOf(await file.text()) : [];
  const cases = suites.map((suite) => ({
    file: suite["@file"],
    s: Number(suite["@time"]),
    all: casesOf(suite),
  }));
  const skipped = cases.flatMap(({ file, all }) =>
    all.filter(isSkipped).map((one) => `${file}: ${one["@name"]}`),
  );
  const failed = cases.flatMap(({ all }) => all.filter(isFailed)).length;
  return {
    passed: cases.flatMap(({ all }) => all).length - failed - skipped.length,
    failed,
    skipped,
    files: new Set(cases.map(({ file }) => file)),
    failed_files: cases.filter(({ all }) => all.some(isFailed)).map(({ file }) => file),
    slowest: (n) =>
      cases
        .map(({ file, s }): [string, number] => [file, s])
        .sort(([, a], [, b]) => b - a)
        .slice(0, n),
  };
}

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
