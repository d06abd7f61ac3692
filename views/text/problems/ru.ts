// Те же проблемы по-русски.
import type { ProblemTexts } from "../../problem-text.ts";
import { answers } from "./ru-answers.ts";
import { inputs } from "./ru-inputs.ts";

export const russianProblems: ProblemTexts = { ...answers, ...inputs };
