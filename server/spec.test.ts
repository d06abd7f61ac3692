// SPEC.md holds: its numbers follow on each other, what is cited is there, and every invariant is cited by a test.
import { expect, test } from "bun:test";

const ROOT = new URL("..", import.meta.url).pathname;
/** History: what it cites was so then. */
const PAST = "CHANGELOG.md";
const INVARIANTS = Array.from({ length: 10 }, (_, i) => String(i + 1));

type File = { name: string; text: string };

/** What SPEC.md numbers: its sections ("8", "8.2"), its invariants, its headings as links name them; and what is wrong. */
type Spec = { sections: Set<string>; invariants: string[]; anchors: Set<string>; wrong: string[] };

/** Reads the headings, `## 8 Parts` and `### 8.2 Counters`, and the list of invariants in the first section. */
function specOf(text: string): Spec {
  const spec: Spec = { sections: new Set(), invariants: [], anchors: new Set(), wrong: [] };
  let [chapter, part] = [0, 0];
  for (const [heading, marks = "", number = "", title = ""] of text.matchAll(/^(##+) (\S+) ?(.*)$/gm)) {
    const expected = marks === "##" ? `${chapter + 1}` : marks === "###" ? `${chapter}.${part + 1}` : "";
    if (number !== expected || title === "") spec.wrong.push(`SPEC.md: "${heading}" is not ${expected}`);
    // What follows is counted from what stands there: one mistake is told once.
    const [own = 0, below = 0] = number.split(".").map(Number);
    [chapter, part] = marks === "##" ? [own, 0] : [chapter, below];
    spec.sections.add(number);
    spec.anchors.add(anchorOf(`${number} ${title}`));
  }
  const [, first = ""] = text.split(/^## /m);
  spec.invariants = [...first.matchAll(/^(\d+)\. \*\*/gm)].map(([, number = ""]) => number);
  if (spec.invariants.join() !== INVARIANTS.join())
    spec.wrong.push(`SPEC.md: its invariants are ${spec.invariants.join()}, not ${INVARIANTS.join()}`);
  return spec;
}

/** As GitHub makes an anchor of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} -]/gu, "")
    .replaceAll(" ", "-");

const LIST = "\\d+(?:\\.\\d+)*(?:(?:, | and | to )\\d+(?:\\.\\d+)*)*";
const SECTIONS = new RegExp(`\\bSPEC (${LIST})`, "g");
const CITED_INVARIANTS = new RegExp(`\\binvariants? (${LIST})`, "gi");
/** The word that neither a number nor the file's name follows. */
const BARE = /\bSPEC\b(?! \d|\.md\b)/g;
const LINKS = /\bSPEC\.md#([\w-]+)/g;
/** Texts that were cited once and are in nobody's checkout. */
const ELSEWHERE = /\b(?:DESIGN|CONTRACT)\b/g;

/** "1, 2 and 4" as its numbers, "1 to 4" as all of them; of sections "6.1 to 6.3" as the two that are named. */
function numbersIn(list: string): string[] {
  return list.split(/, | and /).flatMap((one) => {
    const [from = "", to] = one.split(" to ");
    if (to === undefined) return [from];
    if (list.includes(".")) return [from, to];
    return Array.from(
      { length: Math.max(0, Number(to) - Number(from) + 1) },
      (_, i) => `${Number(from) + i}`,
    );
  });
}

const found = (pattern: RegExp, text: string): string[] =>
  [...text.matchAll(pattern)].map(([whole, group = whole]) => group);
const invariantsIn = (text: string): string[] => found(CITED_INVARIANTS, text).flatMap(numbersIn);

const isTest = ({ name }: File): boolean => /\.(test|contract)\.tsx?$/.test(name);

/** What is wrong with a specification and with what cites it, in words; empty where all is well. */
function problemsOf(spec: Spec, files: File[]): string[] {
  const wrong = files.flatMap(({ name, text }) => [
    ...found(SECTIONS, text)
      .flatMap(numbersIn)
      .filter((number) => !spec.sections.has(number))
      .map((number) => `${name}: there is no section ${number}`),
    ...found(LINKS, text)
      .filter((anchor) => !spec.anchors.has(anchor))
      .map((anchor) => `${name}: there is no heading #${anchor}`),
    ...found(BARE, text).map(() => `${name}: the specification is cited without a number`),
    ...invariantsIn(text)
      .filter((number) => !spec.invariants.includes(number))
      .map((number) => `${name}: there is no invariant ${number}`),
    ...found(ELSEWHERE, text).map((word) => `${name}: ${word} is not in the repository`),
  ]);
  const tested = new Set(files.filter(isTest).flatMap(({ text }) => invariantsIn(text)));
  const untested = spec.invariants
    .filter((number) => !tested.has(number))
    .map((number) => `no test cites invariant ${number}`);
  return [...spec.wrong, ...wrong, ...untested];
}

/** All tracked files that are text, but for this one, which is full of what it refuses. */
async function tracked(): Promise<File[]> {
  const { exitCode, stdout, stderr } = Bun.spawnSync(["git", "ls-files", "-z"], { cwd: ROOT });
  if (exitCode !== 0) throw new Error(`git ls-files: ${stderr.toString()}`);
  const names = stdout.toString().split("\0").filter(Boolean);
  expect(names).toContain("SPEC.md");
  const files = await Promise.all(
    names
      .filter((name) => name !== PAST && name !== "server/spec.test.ts")
      .map(async (name) => ({ name, bytes: Buffer.from(await Bun.file(ROOT + name).bytes()) })),
  );
  return files
    .filter(({ bytes }) => !bytes.includes(0))
    .map(({ name, bytes }) => ({ name, text: bytes.toString() }));
}

test("every citation names what is there, and every invariant is cited by a test", async () => {
  const spec = specOf(await Bun.file(`${ROOT}SPEC.md`).text());
  expect(spec.sections.size).toBeGreaterThan(100);
  const files = await tracked();
  expect(files.flatMap(({ text }) => found(SECTIONS, text)).length).toBeGreaterThan(50);
  expect(problemsOf(spec, files)).toEqual([]);
});

const TEN = INVARIANTS.map((number) => `${number}. **So it is.**`).join("\n");
const GOOD = `# Specification\n\n## 1 Invariants\n\n${TEN}\n\n## 2 Time\n\n### 2.1 Shifts\n\n### 2.2 Breaks\n`;
const CITING: File = {
  name: "all.test.ts",
  text: "(invariants 1 to 9), (invariant 10), (SPEC 1, 2.1 and 2.2)",
};

test("the guard takes what is right", () => {
  const link: File = { name: "guide.md", text: "[breaks](SPEC.md#22-breaks), a specification" };
  expect(problemsOf(specOf(GOOD), [CITING, link])).toEqual([]);
});

test.each([
  ["a section that is not there", "(SPEC 2.3)", "a.ts: there is no section 2.3"],
  ["the second of two", "(SPEC 2.1 and 3)", "a.ts: there is no section 3"],
  ["a heading that is not there", "SPEC.md#23-lunch", "a.ts: there is no heading #23-lunch"],
  ["no number", "as SPEC says", "a.ts: the specification is cited without a number"],
  ["an invariant that is not there", "(invariant 11)", "a.ts: there is no invariant 11"],
  ["the last of several", "Invariants 2, 3 and 12:", "a.ts: there is no invariant 12"],
  ["a text from elsewhere", "(DESIGN 3)", "a.ts: DESIGN is not in the repository"],
])("the guard refuses %s", (_, text, problem) => {
  expect(problemsOf(specOf(GOOD), [CITING, { name: "a.ts", text }])).toEqual([problem]);
});

test.each([
  ["a number that is left out", GOOD.replace("2.2", "2.3"), 'SPEC.md: "### 2.3 Breaks" is not 2.2'],
  ["a number that is there twice", GOOD.replace("2.2", "2.1"), 'SPEC.md: "### 2.1 Breaks" is not 2.2'],
  ["a chapter that is left out", GOOD.replace("## 2 Time", "## 3 Time"), 'SPEC.md: "## 3 Time" is not 2'],
  ["a heading without a number", `${GOOD}\n### Lunch\n`, 'SPEC.md: "### Lunch" is not 2.3'],
  [
    "a missing invariant",
    GOOD.replace("\n7. **", "\n8. **"),
    "SPEC.md: its invariants are 1,2,3,4,5,6,8,8,9,10",
  ],
])("the guard refuses %s", (_, text, problem) => {
  expect(specOf(text).wrong[0]).toStartWith(problem);
});

test("the guard names the invariants that no test cites", () => {
  const some: File = { name: "a.test.ts", text: "(invariants 1 to 5), (invariant 10)" };
  const code: File = { name: "a.ts", text: "(invariant 7)" };
  expect(problemsOf(specOf(GOOD), [some, code])).toEqual(
    [6, 7, 8, 9].map((number) => `no test cites invariant ${number}`),
  );
});
