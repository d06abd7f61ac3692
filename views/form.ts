// A form as it is shown: what stands in its fields, and what is wrong with them. A field is named by its path in the input.
import type { InputError } from "../domain/problem.ts";

/** What is wrong at one field: a code with its parameters, for the catalogue. */
export type FormError = Pick<InputError, "code" | "params" | "line">;

export type FormState = {
  /** By path (`/shifts/0/name`); a field of several boxes has several. */
  values: Readonly<Record<string, readonly string[]>>;
  /** What is wrong with the input, by path. */
  errors: Readonly<Record<string, FormError>>;
  /** The path of the field that the cursor goes to. */
  focus?: string;
};

export const EMPTY_FORM: FormState = { values: {}, errors: {} };

/** What is wrong with an input, for `FormState`; of several at one place the first. */
export const errorsByPath = (errors: readonly InputError[]): FormState["errors"] =>
  Object.fromEntries(errors.toReversed().map((error) => [error.path, error]));

export const textIn = ({ values }: FormState, path: string): string => values[path]?.[0] ?? "";

/** Is a box ticked, one of a list chosen? */
export const isChosen = ({ values }: FormState, path: string, value: string): boolean =>
  values[path]?.includes(value) ?? false;

/** The paths of a list's rows: `/shifts/0`, `/shifts/1`. */
export function rowsOf({ values }: FormState, list: string): string[] {
  let rows = 0;
  for (const path of Object.keys(values)) {
    const index = path.startsWith(`${list}/`) ? /^\d+/.exec(path.slice(list.length + 1))?.[0] : undefined;
    if (index !== undefined) rows = Math.max(rows, Number(index) + 1);
  }
  return Array.from({ length: rows }, (_, row) => `${list}/${row}`);
}

/** A field's id in the page. */
export const fieldId = (path: string): string => `f${path.replaceAll("/", "-")}`;
