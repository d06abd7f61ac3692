// What the API has against an input, in the reader's words: the API speaks English, and to programs.
import { text } from "./text.ts";

/** The first sentence whose pattern the API's words match; the API's own where there is none. */
export function errorText(detail: string): string {
  for (const [pattern, words] of text.form.errors) {
    const found = pattern.exec(detail);
    if (found) return words(...found.slice(1));
  }
  return detail;
}
