// What a code of a problem stands for: its status, its title, its parameters, and the English made of them.

/** What parameters are by: plain values, since they travel in JSON. */
export type Values = Record<string, string | number | readonly string[]>;

export type Definition<P extends Values = Values> = {
  /** Of the answer; of what is wrong at one place of an input, of the answer that lists it. */
  readonly status: number;
  readonly title: string;
  /** By name, an example of each: the documentation's, and what tells the parameter's type. */
  readonly example: P;
  /** For programs and logs, in English; people get a catalogue's words for the code. */
  detail(params: P): string;
};

type Words<P> = string | ((params: P) => string);

const defined = <P extends Values>(
  status: number,
  title: string,
  example: P,
  words: Words<P>,
): Definition<P> => ({
  status,
  title,
  example,
  detail: (params) => (typeof words === "string" ? words : words(params)),
});

/** A problem of a whole request. */
export const problem = <P extends Values>(
  status: number,
  title: string,
  words: Words<P>,
  ...[example]: keyof P extends never ? [] : [example: P]
): Definition<P> => defined(status, title, (example ?? {}) as P, words);

/** What is wrong at one place of an input. */
export const input = <P extends Values>(
  words: Words<P>,
  ...[example]: keyof P extends never ? [] : [example: P]
): Definition<P> => defined(422, "Unprocessable content", (example ?? {}) as P, words);

/** No parameters. */
export type None = Record<never, never>;
