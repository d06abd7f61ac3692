// No test has a limit of its own in milliseconds, waits a fixed time, or fails since the machine is busy.
import { expect, test } from "bun:test";
import { ROOT } from "./imports.ts";
import { LEAST_S, limit_ms, until } from "./limits.ts";

/** Tests, and what only tests are made of. */
const FILES = ["*.test.ts", "*.test.tsx", "*.contract.ts", "testing/*.ts"].map((name) => `**/${name}`);
const HERE = ".ci/limits.test.ts";

/** What is wrong, how it looks, and a line that is so. */
const RULES: [name: string, looks: RegExp, bad: string][] = [
  ["a fixed wait: `until`, or `pace`", /\bBun\.sleep\(/, "await Bun.sleep(100);"],
  ["a fixed wait: `until`, or `pace`", /(?<!\.)\bsetTimeout\(/, "setTimeout(resolve, 100);"],
  ["a fixed wait: `until`", /\bwaitForTimeout\(/, "await page.waitForTimeout(100);"],
  ["a test's limit in ms: `limit_ms(s)`", /^ *\}, *\(?[\d_]{4,}[^;]*\);$/m, "  }, 90_000);"],
  ["a test's limit in ms: `limit_ms(s)`", /^ *\},\n *[\d_ *]+,\n *\);$/m, "  },\n  8 * 60_000,\n);"],
  [
    "a test's limit in ms: `limit_ms(s)`",
    /[sS]etDefaultTimeout\((?!limit_ms\()/,
    "page.setDefaultTimeout(8_000);",
  ],
  [
    "a browser's own 30 s: `context.setDefaultTimeout(limit_ms())`",
    /\bnewContext\((?![\s\S]*\.setDefaultTimeout\()/,
    "await browser.newContext(look);",
  ],
  ["a test's limit in ms: `limit_ms(s)`", /\btimeout: *[\d_]/, "await page.click(at, { timeout: 2_000 });"],
  ["a limit of its own: `until`", /\.now\(\) \+ [\d_]+;/, "const end = Date.now() + 30_000;"],
  [
    "a limit below what all have",
    /\b(?:limit_ms\(|until\([^\n]*, )(?:[1-5]?\d)\);/,
    "await until(() => done(), 20);",
  ],
  [
    "time as a promise, on a quiet machine only: `SLOWNESS`",
    /^(?!.*SLOWNESS).*\.now\(\) - [^\n]*\)\.toBeLessThan\(/m,
    "expect(performance.now() - began_ms).toBeLessThan(500);",
  ],
];

const faults = (text: string): string[] =>
  RULES.flatMap(([name, looks]) => {
    const found = looks.exec(text);
    return found === null ? [] : [`${name}: line ${text.slice(0, found.index).split("\n").length}`];
  });

test("tests wait for what comes, as long as this machine may take", async () => {
  const files = FILES.flatMap((name) => [...new Bun.Glob(name).scanSync({ cwd: ROOT, dot: true })]).filter(
    (file) => file !== HERE && !file.startsWith("node_modules/"),
  );
  expect(files.length).toBeGreaterThan(150);
  const found = await Promise.all(
    files.map(async (file) => faults(await Bun.file(ROOT + file).text()).map((fault) => `${file}: ${fault}`)),
  );
  expect(found.flat()).toEqual([]);
});

test.each(RULES)("%s is found", (name, _, bad) => {
  expect(faults(`before\n${bad}\nafter\n`)).toContain(`${name}: line 2`);
});

test("no limit is below what all have; what is asked for is had once it is there", async () => {
  expect(() => limit_ms(LEAST_S - 1)).toThrow("no test has one below 60 s");
  await expect(until(() => true, LEAST_S - 1)).rejects.toThrow("no test has one below 60 s");
  let asked = 0;
  expect(await until(() => ++asked === 3 && "there")).toBe("there");
  expect(asked).toBe(3);
});
