// Every problem that an answer may tell, by its code (RFC 9457, SPEC 11.3): the one list that API, pages and catalogues follow.
import { ANSWERS } from "./problems/answers.ts";
import type { Definition, Values } from "./problems/definition.ts";
import { INPUTS } from "./problems/inputs.ts";

export type { Kind } from "./problems/answers.ts";
export type { TrialFailure } from "./problems/inputs.ts";

export const PROBLEMS = { ...ANSWERS, ...INPUTS };

export type Code = keyof typeof PROBLEMS;
/** What may be wrong at one place of an input. */
export type InputCode = keyof typeof INPUTS;
export type AnswerCode = keyof typeof ANSWERS;
export type ParamsOf<C extends Code> = (typeof PROBLEMS)[C]["example"];

export const CODES = Object.keys(PROBLEMS) as Code[];
/** Of whole requests. */
export const ANSWER_CODES = Object.keys(ANSWERS) as AnswerCode[];
/** Of places in an input. */
export const INPUT_CODES = Object.keys(INPUTS) as InputCode[];

/** A code with its parameters. */
export type Told<C extends Code = Code> = { code: C; params: ParamsOf<C> };

/** What is wrong at one place: `path` is a JSON pointer into the input, e.g. `/observations/3/ts`. */
export type InputError = Told & {
  path: string;
  detail: string;
  /** Of a text of lines, which one it is; the first is 1. */
  line?: number;
};

/** The parameters as they are given: none where the code has none. */
export type Given<C extends Code> = keyof ParamsOf<C> extends never ? [] : [params: ParamsOf<C>];

export const definitionOf = (code: Code): Definition => PROBLEMS[code] as Definition;

export const isCode = (word: string): word is Code => Object.hasOwn(PROBLEMS, word);

/** In English. */
export const detailOf = (code: Code, params: Values): string => definitionOf(code).detail(params);

export const inputError = <C extends Code>(path: string, code: C, ...[params]: Given<C>): InputError => ({
  path,
  code,
  params: params ?? {},
  detail: detailOf(code, params ?? {}),
});

/** Where a code is explained; the `type` of an answer. */
export const typeOf = (code: Code): string => `/problems/${code}`;
