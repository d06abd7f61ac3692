// TypeBox's errors as codes: none is lost, and clients read the words they know.
import { expect, test } from "bun:test";
import { FormatRegistry, type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { schemaError } from "./schema-errors.ts";

const strict = { additionalProperties: false };
/** A schema and what it refuses, by the code that is told. */
const REFUSED: Record<string, [TSchema, unknown][]> = {
  required: [[Type.Object({ a: Type.Null() }), {}]],
  unknown_property: [[Type.Object({}, strict), { a: 1 }]],
  too_few_properties: [[Type.Object({}, { minProperties: 1 }), {}]],
  too_many_properties: [[Type.Record(Type.String(), Type.Null(), { maxProperties: 0 }), { a: null }]],
  exactly: [
    [Type.Literal("a"), "b"],
    [Type.Literal(1), 2],
  ],
  no_alternative: [[Type.Union([Type.Null(), Type.Boolean()]), 1]],
  not_unique: [[Type.Array(Type.Null(), { uniqueItems: true }), [null, null]]],
  too_few: [[Type.Array(Type.Null(), { minItems: 1 }), []]],
  too_many: [[Type.Array(Type.Null(), { maxItems: 0 }), [null]]],
  too_short: [[Type.String({ minLength: 2 }), "a"]],
  too_long: [[Type.String({ maxLength: 1 }), "ab"]],
  wrong_pattern: [[Type.String({ pattern: "^a$" }), "b"]],
  wrong_format: [[Type.String({ format: "never" }), "b"]],
  number_min: [
    [Type.Number({ minimum: 1 }), 0],
    [Type.Integer({ minimum: 1 }), 0],
  ],
  number_max: [
    [Type.Number({ maximum: 1 }), 2],
    [Type.Integer({ maximum: 1 }), 2],
  ],
  number_over: [
    [Type.Number({ exclusiveMinimum: 1 }), 1],
    [Type.Integer({ exclusiveMinimum: 1 }), 1],
  ],
  number_under: [
    [Type.Number({ exclusiveMaximum: 1 }), 1],
    [Type.Integer({ exclusiveMaximum: 1 }), 1],
  ],
  wrong_type: [
    [Type.String(), 1],
    [Type.Number(), "1"],
    [Type.Integer(), 1.5],
    [Type.Boolean(), 1],
    [Type.Null(), 1],
    [Type.Array(Type.Null()), 1],
    [Type.Object({}), 1],
  ],
  schema_refused: [[Type.Number({ multipleOf: 2 }), 3]],
};

test("each kind of error has its code, and says what TypeBox says of it", () => {
  FormatRegistry.Set("never", () => false);
  for (const [code, cases] of Object.entries(REFUSED)) {
    for (const [schema, value] of cases) {
      const error = Value.Errors(schema, value).First();
      if (!error) throw new Error(`${code}: nothing is wrong`);
      const told = schemaError(error, "/in");
      expect([told.code, told.detail, told.path]).toEqual([code as never, error.message, `/in${error.path}`]);
    }
  }
  FormatRegistry.Delete("never");
});
