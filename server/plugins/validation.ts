// What a schema has against an input: the path and the words, also inside of alternatives.
import type { TSchema } from "@sinclair/typebox";
import { Value, type ValueError, ValueErrorType } from "@sinclair/typebox/value";
import { Elysia } from "elysia";
import { BadInput, type InputError, inputError } from "../../ingest/problem.ts";
import { schemaError } from "../../ingest/schema-errors.ts";
import { inTime } from "./bodies.ts";

/** Errors told at once, and looked at in each alternative. */
const MAX_ERRORS = 10;

/**
 * Bodies are JSON whatever their content type says, and /openapi.json says so. A macro, because those of a route run in
 * their order: `scope` looks at the key before the body is read.
 */
export const jsonBodies = new Elysia({ name: "json-bodies" }).macro({
  json: { parse: ({ request }: { request: Request }) => inTime(request, () => request.json()) },
  // The media type that the document names: a parser by its name, of which Elysia's types know nothing. The one before has read.
  as_json: { parse: "json" as unknown as () => undefined },
});

/**
 * A route's body, taken exactly: Elysia would drop a property nobody knows, but a misspelt one is a mistake that must
 * be told. (Its `normalize: false` would refuse unknown query parameters along with them.)
 */
export const exactly = <Schema extends TSchema>(schema: Schema) => ({
  body: schema,
  json: true as const,
  as_json: true as const,
  /** Before Elysia's own check. @throws BadInput */
  transform({ body }: { body: unknown }): void {
    if (!Value.Check(schema, body)) throw new BadInput(inputErrors(Value.Errors(schema, body)));
  },
});

/**
 * The errors as the caller can use them. TypeBox says of alternatives only that none fits: where the input is clearly
 * meant as one of them (its `kind` is right, or its type), that one's errors are told instead.
 */
export function inputErrors(found: Iterable<ValueError>): InputError[] {
  return [...found].flatMap((error) => within(error)).slice(0, MAX_ERRORS);
}

function within(error: ValueError): InputError[] {
  if (error.type !== ValueErrorType.Union) return [schemaError(error)];
  const alternatives = error.errors.map((errors) => [...errors].slice(0, MAX_ERRORS));
  const meant = alternatives.filter(
    (errors) => errors.length > 0 && !errors.some((one) => isOtherwise(one, error.path)),
  );
  const [only] = meant;
  if (only && meant.length === 1) return inputErrors(only);
  // What Elysia makes of an integer that comes as text.
  if (error.schema.anyOf.some(({ format }: TSchema) => format === "integer"))
    return [inputError(error.path, "wrong_type", { expected: "integer" })];
  const words = error.schema.anyOf.flatMap((one: { const?: unknown }) =>
    one.const === undefined ? [] : String(one.const),
  );
  const isChoice = words.length === error.schema.anyOf.length;
  return [isChoice ? inputError(error.path, "one_of", { words }) : schemaError(error)];
}

/** Does this error say that another alternative is meant: the type itself is another, or the word that names it? */
function isOtherwise({ path, type }: ValueError, union_path: string): boolean {
  if (path === union_path) return true;
  return type === ValueErrorType.Literal && !path.slice(union_path.length + 1).includes("/");
}
