// Problems in the reader's words, by code and parameters: a message is never read, so one that is worded anew loses nothing.
import type { Code, ParamsOf, Told } from "../domain/problem.ts";
import { englishProblems } from "./text/problems/en.ts";
import { russianProblems } from "./text/problems/ru.ts";
import { text } from "./text.ts";

/** What a catalogue says of a code. */
export type ProblemWords<C extends Code> = {
  /** At a field, or on a page, with the parameters in it. */
  said: string | ((params: ParamsOf<C>) => string);
  /** What it means. */
  means: string;
  /** What whoever gets it can do. */
  todo: string;
};
export type ProblemTexts = { readonly [C in Code]: ProblemWords<C> };

const problems = (): ProblemTexts => (text.language === "ru" ? russianProblems : englishProblems);

export const problemWords = (code: Code): ProblemWords<Code> => problems()[code] as ProblemWords<Code>;

/** What is wrong, in a few words; of a text of lines with the line. */
export function problemText({ code, params, line }: Told & { line?: number }): string {
  const { said } = problemWords(code);
  const words = typeof said === "string" ? said : said(params as never);
  return line === undefined ? words : text.form.inLine(line, words);
}
