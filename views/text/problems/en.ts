// Problems in English: what each code says, what it means, what to do.
import type { ProblemTexts } from "../../problem-text.ts";
import { answers } from "./en-answers.ts";
import { inputs } from "./en-inputs.ts";

export const englishProblems: ProblemTexts = { ...answers, ...inputs };
