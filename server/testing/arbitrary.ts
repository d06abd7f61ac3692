// Values that a schema takes, drawn at random: what the API's own schemas allow, and its worst corners first.
import { KindGuard, type TSchema } from "@sinclair/typebox";
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
 * @param schema of the kinds that settings are made of
 * @param own what takes the place of a text with this pattern or format: times, days, clock times
 */
export function arbitraryOf(schema: TSchema, own: (text: TSchema) => fc.Arbitrary<unknown> | undefined) {
  const of = (one: TSchema): fc.Arbitrary<unknown> => {
    if (KindGuard.IsObject(one)) {
      const required = new Set<string>(one.required ?? []);
      const keys = Object.keys(one.properties);
      const values = Object.fromEntries(keys.map((key) => [key, of(one.properties[key] as TSchema)]));
      return fc.record(values, { requiredKeys: keys.filter((key) => required.has(key)) });
    }
    if (KindGuard.IsArray(one)) return listOf(one, of(one.items));
    if (KindGuard.IsUnion(one)) return fc.oneof(...one.anyOf.map(of));
    if (KindGuard.IsLiteral(one)) return fc.constant(one.const);
    if (KindGuard.IsBoolean(one)) return fc.boolean();
    if (KindGuard.IsInteger(one))
      return fc.oneof(fc.integer({ min: one.minimum ?? 0, max: one.maximum ?? 1e6 }), fc.constant(1));
    if (KindGuard.IsNumber(one)) return numberOf(one);
    if (KindGuard.IsRecord(one))
      return fc.dictionary(
        nameOf({ maxLength: 100 }),
        of(Object.values(one.patternProperties)[0] as TSchema),
        {
          maxKeys: 4,
        },
      );
    if (KindGuard.IsString(one)) return own(one) ?? nameOf(one);
    throw new Error(`no values of ${JSON.stringify(one)}`);
  };
  return of(schema);
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
