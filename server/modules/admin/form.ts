// HTML forms: fields in, the API's own input out, held to the API's own schema; what is wrong goes back to its field.
import { KindGuard, type Static, type TObject, type TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { BadInput, badInput, type InputError } from "../../../ingest/problem.ts";
import type { FormState } from "../../../views/index.ts";
import { inTime } from "../../plugins/bodies.ts";
import { Problem } from "../../plugins/errors.ts";
import { inputErrors } from "../../plugins/validation.ts";

/** By path in the input, as in {@link FormState}. */
export type Fields = Record<string, string[]>;

/** More than any form of ours has (invariant 7). */
const MAX_FIELDS = 20_000;
const MAX_ROWS = 2_000;

/** A posted form. `act` is what its button asks for besides saving: "add /shifts", "remove /shifts/0". */
export type Posted = { fields: Fields; act: string; ended: boolean };

/** @throws BadInput where it has too many fields, 408 where it is late */
export async function posted(request: Request): Promise<Posted> {
  const fields: Fields = Object.create(null) as Fields;
  let count = 0;
  let act = "";
  let ended = false;
  for (const [name, value] of new URLSearchParams(await inTime(request, () => request.text()))) {
    if (++count > MAX_FIELDS) throw badInput("", "too_many_fields", { max: MAX_FIELDS });
    if (/\/\d{5,}(\/|$)/.test(name)) throw badInput(name, "too_many_rows", { max: MAX_ROWS });
    if (name === "do") act = value;
    else if (name === "end") ended = true;
    else if (name.startsWith("/")) (fields[name] ??= []).push(value);
  }
  return { fields, act, ended };
}

/** What a form does not name is emptied when it is saved, so it must have come whole. @throws BadInput */
export function checkEnded({ ended }: Posted): void {
  if (!ended) throw badInput("", "form_cut");
}

/** An input as the fields of a form. */
export function fieldsOf(input: unknown, path = ""): Fields {
  if (input === undefined || input === null) return {};
  if (typeof input !== "object") return { [path]: [String(input)] };
  if (Array.isArray(input) && input.every((one) => typeof one !== "object"))
    return { [path]: input.map(String) };
  return Object.assign({}, ...Object.entries(input).map(([key, one]) => fieldsOf(one, `${path}/${key}`)));
}

/**
 * The input that the fields say, as a schema has it; empty fields are left out.
 * @param path where the input stands in the form
 * @throws BadInput with paths in the input, as the API does: `wrong` makes the fields' of them
 */
export function inputOf<Schema extends TSchema>(schema: Schema, fields: Fields, path = ""): Static<Schema> {
  const input = read(schema, fields, path);
  if (!Value.Check(schema, input)) throw new BadInput(inputErrors(Value.Errors(schema, input)));
  return input;
}

/** Each text is left as it is where it is not what the schema wants: the check tells. */
function read(schema: TSchema, fields: Fields, path: string): unknown {
  if (KindGuard.IsObject(schema)) return readObject(schema, fields, path);
  if (KindGuard.IsArray(schema)) {
    if (!KindGuard.IsObject(schema.items)) return (fields[path] ?? []).filter((one) => one !== "");
    return Array.from({ length: rowCount(fields, path) }, (_, i) =>
      read(schema.items as TSchema, fields, `${path}/${i}`),
    );
  }
  const typed = (fields[path]?.[0] ?? "").trim();
  if (KindGuard.IsBoolean(schema)) return typed !== "";
  if (typed === "") return undefined;
  if (!KindGuard.IsNumber(schema) && !KindGuard.IsInteger(schema)) return typed;
  const number = Number(typed.replace(",", "."));
  return Number.isNaN(number) ? typed : number;
}

function readObject(schema: TObject, fields: Fields, path: string): object {
  const needed = new Set<string>(schema.required ?? []);
  const entries = Object.entries(schema.properties).flatMap(([key, one]) => {
    const value = read(one, fields, `${path}/${key}`);
    const isLeftOut = value === undefined || (!needed.has(key) && Array.isArray(value) && value.length === 0);
    return isLeftOut ? [] : [[key, value] as const];
  });
  return Object.fromEntries(entries);
}

/** How many rows a list has in the form. @throws BadInput over the bound */
export function rowCount(fields: Fields, list: string): number {
  let rows = 0;
  for (const path of Object.keys(fields)) {
    const index = path.startsWith(`${list}/`) ? /^\d+/.exec(path.slice(list.length + 1))?.[0] : undefined;
    if (index !== undefined) rows = Math.max(rows, Number(index) + 1);
  }
  if (rows > MAX_ROWS) throw badInput(list, "too_many_rows", { max: MAX_ROWS });
  return rows;
}

/** Rows of a list put in another order, or left out: `order` names the old rows by their number. */
export function reordered(fields: Fields, list: string, order: readonly number[]): Fields {
  const place = new Map(order.map((old, now) => [old, now]));
  const result: Fields = {};
  for (const [path, values] of Object.entries(fields)) {
    const row = path.startsWith(`${list}/`) ? /^(\d+)(.*)$/s.exec(path.slice(list.length + 1)) : null;
    if (!row) {
      result[path] = values;
      continue;
    }
    const now = place.get(Number(row[1]));
    if (now !== undefined) result[`${list}/${now}${row[2]}`] = values;
  }
  return result;
}

/** Without rows in which nothing was typed; `kept` are fields that always have a value and say nothing alone. */
export function withoutBlanks(fields: Fields, list: string, kept: readonly string[] = []): Fields {
  const order = Array.from({ length: rowCount(fields, list) }, (_, i) => i).filter((i) =>
    Object.entries(fields).some(
      ([path, values]) =>
        path.startsWith(`${list}/${i}/`) &&
        !kept.includes(path.slice(`${list}/${i}/`.length)) &&
        values.some((value) => value.trim() !== ""),
    ),
  );
  return reordered(fields, list, order);
}

/**
 * What a button for rows does: `add /list`, `remove /list/3`, `up /list/3`, `down /list/3`.
 * @param blank what a new row of a list holds, and where the cursor goes: its first field
 * @returns the form anew, or undefined where the button means something else
 */
export function rowsChanged(
  { fields, act }: Pick<Posted, "fields" | "act">,
  blank: (list: string) => Record<string, string[]>,
): FormState | undefined {
  const [verb = "", path = ""] = act.split(" ");
  if (!["add", "remove", "up", "down"].includes(verb)) return undefined;
  if (verb === "add") {
    const row = `${path}/${rowCount(fields, path)}`;
    const added = Object.entries(blank(path)).map(([key, values]) => [`${row}/${key}`, values] as const);
    return {
      values: { ...fields, ...Object.fromEntries(added) },
      errors: {},
      ...(added[0] ? { focus: added[0][0] } : {}),
    };
  }
  const cut = path.lastIndexOf("/");
  const [list, row] = [path.slice(0, cut), Number(path.slice(cut + 1))];
  const order = Array.from({ length: rowCount(fields, list) }, (_, i) => i);
  const other = verb === "up" ? row - 1 : row + 1;
  if (verb === "remove") return { values: reordered(fields, list, order.toSpliced(row, 1)), errors: {} };
  if (order[row] === undefined || order[other] === undefined) return { values: fields, errors: {} };
  const swapped = order.with(row, other).with(other, row);
  return { values: reordered(fields, list, swapped), errors: {} };
}

/** What a form is shown again for. */
const REFUSED = new Set([409, 422, 429]);

/**
 * What was wrong with an input, for its form.
 * @param path where the input stands in the form
 * @throws the error itself where it is not about the input
 */
export function wrong(error: unknown, path = ""): InputError[] {
  if (error instanceof BadInput) return error.errors.map((one) => ({ ...one, path: path + one.path }));
  if (!(error instanceof Problem && REFUSED.has(error.status))) throw error;
  const { code, params, message: detail, errors = [] } = error;
  if (errors.length === 0) return [{ path: "", code, params, detail }];
  return errors.map((one) => ({ ...one, path: path + one.path }));
}
