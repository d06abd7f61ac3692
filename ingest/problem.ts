// What is wrong with an input, and where: the server answers 422 with it.

/** `path` is a JSON pointer into the body, e.g. `/observations/3/ts`. */
export type InputError = { path: string; detail: string };

/** The input is refused as a whole; nothing of it was stored. */
export class BadInput extends Error {
  override readonly name = "BadInput";
  readonly errors: InputError[];
  constructor(errors: InputError[]) {
    super(errors.map(({ path, detail }) => `${path || "/"}: ${detail}`).join("; "));
    this.errors = errors;
  }
}

export const badInput = (path: string, detail: string): BadInput => new BadInput([{ path, detail }]);
