// A form as it is shown: what stands in its fields, and what is wrong with them. A field is named by its path in the input.

export type FormState = {
  /** By path (`/shifts/0/name`); a field of several boxes has several. */
  values: Readonly<Record<string, readonly string[]>>;
  /** What the API has against the input, by path, in its English. */
  errors: Readonly<Record<string, string>>;
  /** The path of the field that the cursor goes to. */
  focus?: string;
};

export const EMPTY_FORM: FormState = { values: {}, errors: {} };

/** What is wrong with an input, for `FormState`. */
export const errorsByPath = (errors: readonly { path: string; detail: string }[]): FormState["errors"] =>
  Object.fromEntries(errors.toReversed().map(({ path, detail }) => [path, detail]));

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
