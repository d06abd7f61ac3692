// Texts from outside, of agents, devices and networks: each is cut where it comes in, here and nowhere else.

/** What is said of an error, in words that others wrote. */
export const MAX_ERROR_LENGTH = 500;

/** The text, or its beginning with an ellipsis in place of its last character; no half of a character is left. */
export const cut = (text: string, max_length = MAX_ERROR_LENGTH): string =>
  text.length <= max_length ? text : `${text.slice(0, max_length - 1).toWellFormed()}…`;

/** What an error says, cut. */
export const messageOf = (error: unknown): string =>
  cut(error instanceof Error ? error.message : String(error));
