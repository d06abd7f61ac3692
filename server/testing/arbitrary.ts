// Values that a schema takes, drawn at random: what the API's own schemas allow, and its worst corners first.
import type { TSchema } from "@sinclair/typebox";
import fc from "fast-check";

/** Numbers that decimals, halves of a µs and bounds make trouble of. */
const AWKWARD = [0, 0.1, 1 / 3, 0.3333333, 0.0000005, 0.0000015, 1e-9, 1.005, 59.9999995, 1e6 + 1 / 3];
const NAMES = [
  "__proto__",
  "constructor",
  "a,b",
  "'",
  "\\",
  "{x:String}",
  "%",
  "\t",
  "\u0000",
  "🛠",
  "цех",
  "NaN",
  "0",
];

/**
 * @param schema JSON Schema, as TypeBox makes it or as it stands in /openapi.json
 * @param own what takes the place of what is more than its type: times, days, clock times
 */
export function arbitraryOf(schema: TSchema, own: (text: TSchema) => fc.Arbitrary<unknown> | undefined) {
  const of = (one: TSchema): fc.Arbitrary<unknown> => {
    const ours = own(one);
    if (ours) return ours;
    if (one.anyOf) return fc.oneof(...one.anyOf.map(of));
    if (one.const !== undefined) return fc.constant(one.const);
    if (one.enum) return fc.constantFrom(...one.enum);
    switch (one.type) {
      case "object":
        return objectOf(one, of);
      case "array":
        return listOf(one, of(one.items));
      case "boolean":
        return fc.boolean();
      case "integer":
        return fc.oneof(fc.integer({ min: one.minimum ?? 0, max: one.maximum ?? 1e6 }), fc.constant(1));
      case "number":
        return numberOf(one);
      case "string":
        return nameOf(one as { minLength?: number; maxLength?: number });
      case "null":
        return fc.constant(null);
      default:
        throw new Error(`no values of ${JSON.stringify(one)}`);
    }
  };
  return of(schema);
}

function objectOf(
  { required = [], properties, patternProperties }: TSchema,
  of: (one: TSchema) => fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> {
  if (!properties) {
    const value = of(Object.values(patternProperties ?? {})[0] as TSchema);
    return fc.dictionary(nameOf({ maxLength: 100 }), value, { maxKeys: 4 });
  }
  const values = Object.fromEntries(
    Object.entries(properties).map(([key, one]) => [key, of(one as TSchema)]),
  );
  return fc.record(values, { requiredKeys: required });
}

const listOf = (schema: TSchema, items: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> => {
  const size = { minLength: schema.minItems ?? 0, maxLength: Math.min(schema.maxItems ?? 7, 7) };
  return schema.uniqueItems ? fc.uniqueArray(items, size) : fc.array(items, size);
};

function numberOf({ minimum = 0, maximum = 1e6, exclusiveMinimum = minimum }: TSchema): fc.Arbitrary<number> {
  const fits = AWKWARD.filter((n) => n <= maximum && n >= minimum && n > exclusiveMinimum);
  return fc.oneof(
    fc.constantFrom(maximum, Math.max(exclusiveMinimum, 1e-6), ...fits),
    fc.double({
      min: Math.max(exclusiveMinimum, minimum),
      max: maximum,
      noNaN: true,
      minExcluded: exclusiveMinimum >= minimum,
    }),
    fc.integer({ min: 1, max: Math.max(1, Math.floor(maximum)) }),
  );
}

const nameOf = ({
  minLength = 1,
  maxLength = 50,
}: {
  minLength?: number;
  maxLength?: number;
}): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constantFrom("A", "B", ...NAMES),
    fc.string({ unit: "binary", minLength, maxLength: Math.min(maxLength, 20) }),
  );
