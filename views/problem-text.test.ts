// Problems in both languages: every code has its words, and no catalogue reads a message.
import { afterEach, expect, test } from "bun:test";
import { CODES, definitionOf } from "../domain/problem.ts";
import { errorsByPath } from "./form.ts";
import { problemText, problemWords } from "./problem-text.ts";
import { english } from "./text/en.ts";
import { englishProblems } from "./text/problems/en.ts";
import { russianProblems } from "./text/problems/ru.ts";
import { russian } from "./text/ru.ts";
import { LANGUAGES, speak } from "./text.ts";

afterEach(() => speak("en"));

test("every code says in every language what is wrong, what that means and what to do", () => {
  for (const language of LANGUAGES) {
    speak(language);
    for (const code of CODES) {
      const { means, todo } = problemWords(code);
      const said = problemText({ code, params: definitionOf(code).example as never });
      for (const words of [said, means, todo]) {
        expect([language, code, words]).not.toEqual([
          language,
          code,
          expect.stringMatching(/^$|undefined|NaN/),
        ]);
        expect([language, code, /[а-яё]/i.test(words)]).toEqual([language, code, language === "ru"]);
      }
    }
  }
});

test("a catalogue holds no pattern: a message that is worded anew would lose its words", () => {
  const patterns = (of: unknown): unknown[] =>
    of instanceof RegExp
      ? [of]
      : typeof of === "object" && of !== null
        ? Object.values(of).flatMap(patterns)
        : [];
  expect([english, russian, englishProblems, russianProblems].flatMap(patterns)).toEqual([]);
});

test("the parameters stand in the words, whatever they hold; others' words are quoted as they are", () => {
  speak("ru");
  expect(problemText({ code: "name_taken", params: { name: "$& «Анна»" } })).toContain("$& «Анна»");
  const told = "connect ETIMEDOUT 10.0.0.1";
  expect(problemText({ code: "trial_failed", params: { failure: "broken", told } })).toContain(told);
  expect(problemText({ code: "trial_failed", params: { failure: "no_host", told } })).not.toContain(told);
  expect(problemText({ code: "too_short", params: { min: 21 }, line: 3 })).toBe(
    "строка 3: не меньше 21 символа",
  );
});

test("of several problems at one place the first is shown", () => {
  const at = (code: "required" | "not_a_time") => ({ path: "/a", code, params: {}, detail: "" });
  expect(errorsByPath([at("required"), at("not_a_time")])["/a"]?.code).toBe("required");
});
