// What is wrong with an input, and where: the server answers 422 with it.
import { type Given, type InputCode, type InputError, inputError } from "../domain/problem.ts";

export type { InputError } from "../domain/problem.ts";
export { inputError } from "../domain/problem.ts";

/** The input is refused as a whole; nothing of it was stored. */
export class BadInput extends Error {
  override readonly name = "BadInput";
  readonly errors: InputError[];
  constructor(errors: InputError[]) {
    super(errors.map(({ path, detail }) => `${path || "/"}: ${detail}`).join("; "));
    this.errors = errors;
  }
}

export const badInput = <C extends InputCode>(path: string, code: C, ...params: Given<C>): BadInput =>
  new BadInput([inputError(path, code, ...params)]);
