// What a schema has against an input, as problems: the one place where TypeBox's errors become codes.
import type { TSchema } from "@sinclair/typebox";
import { type ValueError, ValueErrorType } from "@sinclair/typebox/value";
import { type InputError, inputError } from "./problem.ts";

/** One error of TypeBox. @param prefix stands before its path: where the value lies in the input */
export function schemaError({ type, path, schema, message }: ValueError, prefix = ""): InputError {
  const at = prefix + path;
  switch (type) {
    case ValueErrorType.ObjectRequiredProperty:
      return inputError(at, "required");
    case ValueErrorType.ObjectAdditionalProperties:
      return inputError(at, "unknown_property");
    case ValueErrorType.ObjectMinProperties:
      return inputError(at, "too_few_properties", { min: schema.minProperties });
    case ValueErrorType.ObjectMaxProperties:
      return inputError(at, "too_many_properties", { max: schema.maxProperties });
    case ValueErrorType.Literal:
      return inputError(at, "exactly", { value: literal(schema) });
    case ValueErrorType.Union:
      return inputError(at, "no_alternative");
    case ValueErrorType.ArrayUniqueItems:
      return inputError(at, "not_unique");
    case ValueErrorType.ArrayMinItems:
      return inputError(at, "too_few", { min: schema.minItems });
    case ValueErrorType.ArrayMaxItems:
      return inputError(at, "too_many", { max: schema.maxItems });
    default:
      return ofString(type, at, schema) ?? ofNumber(type, at, schema) ?? ofType(type, at, message);
  }
}

function ofString(type: ValueErrorType, at: string, schema: TSchema): InputError | undefined {
  switch (type) {
    case ValueErrorType.StringMinLength:
      return inputError(at, "too_short", { min: schema.minLength });
    case ValueErrorType.StringMaxLength:
      return inputError(at, "too_long", { max: schema.maxLength });
    case ValueErrorType.StringPattern:
      return inputError(at, "wrong_pattern", { pattern: String(schema.pattern) });
    case ValueErrorType.StringFormat:
      return inputError(at, "wrong_format", { format: String(schema.format) });
    default:
      return undefined;
  }
}

function ofNumber(type: ValueErrorType, at: string, schema: TSchema): InputError | undefined {
  switch (type) {
    case ValueErrorType.NumberMinimum:
      return inputError(at, "number_min", { expected: "number", min: schema.minimum });
    case ValueErrorType.IntegerMinimum:
      return inputError(at, "number_min", { expected: "integer", min: schema.minimum });
    case ValueErrorType.NumberMaximum:
      return inputError(at, "number_max", { expected: "number", max: schema.maximum });
    case ValueErrorType.IntegerMaximum:
      return inputError(at, "number_max", { expected: "integer", max: schema.maximum });
    case ValueErrorType.NumberExclusiveMinimum:
      return inputError(at, "number_over", { expected: "number", min: schema.exclusiveMinimum });
    case ValueErrorType.IntegerExclusiveMinimum:
      return inputError(at, "number_over", { expected: "integer", min: schema.exclusiveMinimum });
    case ValueErrorType.NumberExclusiveMaximum:
      return inputError(at, "number_under", { expected: "number", max: schema.exclusiveMaximum });
    case ValueErrorType.IntegerExclusiveMaximum:
      return inputError(at, "number_under", { expected: "integer", max: schema.exclusiveMaximum });
    default:
      return undefined;
  }
}

const TYPES: Partial<Record<ValueErrorType, string>> = {
  [ValueErrorType.String]: "string",
  [ValueErrorType.Number]: "number",
  [ValueErrorType.Integer]: "integer",
  [ValueErrorType.Boolean]: "boolean",
  [ValueErrorType.Null]: "null",
  [ValueErrorType.Array]: "array",
  [ValueErrorType.Object]: "object",
};

/** What no schema of ours says goes on in TypeBox's own words. */
function ofType(type: ValueErrorType, at: string, message: string): InputError {
  const expected = TYPES[type];
  return expected === undefined
    ? inputError(at, "schema_refused", { words: message })
    : inputError(at, "wrong_type", { expected });
}

const literal = ({ const: value }: TSchema): string =>
  typeof value === "string" ? `'${value}'` : String(value);
