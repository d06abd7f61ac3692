// The catalogues: complete, and no page of one language holds words of the other.
import { afterEach, beforeAll, expect, test } from "bun:test";
import { FIGURES, FORMULAS, SUMS } from "../domain/figures.ts";
import { STATE_RULES } from "../domain/state-rules.ts";
import { assetPath, assets } from "./assets.ts";
import { everyPage } from "./testing/every-page.ts";
import { english } from "./text/en.ts";
import { russian } from "./text/ru.ts";
import { phrase, speak } from "./text.ts";

beforeAll(async () => {
  await assets();
});
afterEach(() => speak("en"));

/** Every text of a catalogue by its path; what takes values is left out. */
function leaves(catalogue: object, path = ""): [string, string][] {
  return Object.entries(catalogue).flatMap(([key, value]): [string, string][] => {
    if (typeof value === "string") return [[`${path}/${key}`, value]];
    return typeof value === "object" && value !== null ? leaves(value, `${path}/${key}`) : [];
  });
}

/** The same in every language: names, units, abbreviations. */
const ALIKE = /^(OEE|OOE|TEEP|MTBF|MTTR|CSV|JSON|Kafka|Redis|%|–|en|en-GB|)$/;

test("no text is left in English, or empty", () => {
  const known = new Map(leaves(russian));
  const left = leaves(english).filter(([path, words]) => {
    const said = known.get(path);
    return !path.startsWith("/phrases") && (said === words || said === "") && !ALIKE.test(words);
  });
  expect(left).toEqual([]);
});

test("what the API says of figures has its words", () => {
  speak("ru");
  const said = FIGURES.flatMap((figure) => [
    FORMULAS[figure].name,
    ...FORMULAS[figure].terms.flatMap((term) => [SUMS[term].name, SUMS[term].from]),
  ]);
  expect(said.filter((words) => !ALIKE.test(words) && phrase(words) === words)).toEqual([]);
});

test("every rule of the states has its words in each language, found by its id (SPEC 6.1)", () => {
  const ids = [...STATE_RULES.map(({ id }) => id as string), "untold"];
  for (const { stateRules } of [english, russian]) {
    expect(Object.keys(stateRules)).toEqual(ids);
    expect(new Set(Object.values(stateRules)).size).toBe(ids.length);
    expect(Object.values(stateRules).filter((words) => words.trim() === "")).toEqual([]);
  }
});

/** What a reader sees: text, and what a screen reader says. */
const seen = (html: string): string =>
  [
    html.replace(/<(script|style|template)\b.*?<\/\1>/gs, "").replace(/<[^>]*>/g, "\n"),
    ...[...html.matchAll(/ (?:aria-label|title|placeholder|data-label)="([^"]*)"/g)].map(
      ([, words]) => words,
    ),
  ].join("\n");

test("a page in Russian holds no word of the English catalogue, and the other way round", () => {
  const english_only = new Set(
    leaves(english)
      .map(([, words]) => words)
      .filter((words) => /^[A-Z][a-z]{2,}/.test(words)),
  );
  for (const [name, html] of Object.entries(everyPage({ language: "ru" }))) {
    const lines = seen(html)
      .split("\n")
      .map((line) => line.trim());
    expect([name, lines.filter((line) => english_only.has(line))]).toEqual([name, []]);
  }
  for (const [name, html] of Object.entries(everyPage())) {
    expect([name, seen(html).match(/[а-яё]{2,}/i)]).toEqual([name, null]);
  }
});

test("a page loads the scripts of its language", () => {
  const pathOf = (language: "en" | "ru") => {
    speak(language);
    return assetPath("wall.js");
  };
  expect(pathOf("ru")).not.toBe(pathOf("en"));
});
