// Which inputs and registers of a Modbus device are which signals.
import { type Static, Type } from "@sinclair/typebox";
import { MAX_NAME_LENGTH } from "../../event.ts";

/** One input or register and the signal it carries. */
export const ModbusPoint = Type.Object(
  {
    signal: Type.String({
      minLength: 1,
      maxLength: MAX_NAME_LENGTH,
      description: "A canonical signal (execution, part_count …), condition:<id>, or a name of your own",
    }),
    kind: Type.Union(
      [
        Type.Literal("di"),
        Type.Literal("coil"),
        Type.Literal("discrete"),
        Type.Literal("holding"),
        Type.Literal("input"),
      ],
      {
        description:
          "coil FC01, discrete FC02, holding FC03, input FC04; di is a digital input read as a coil",
      },
    ),
    address: Type.Integer({ minimum: 0, maximum: 65_535, description: "PDU address: reference − 1" }),
    type: Type.Optional(
      Type.Union([
        Type.Literal("bit"),
        Type.Literal("uint16"),
        Type.Literal("int16"),
        Type.Literal("uint32"),
        Type.Literal("float32"),
      ]),
    ),
    word_order: Type.Optional(
      Type.Union([Type.Literal("low-first"), Type.Literal("high-first")], {
        description: "Of two-register values; high-first without it",
      }),
    ),
    scale: Type.Optional(Type.Number({ description: "Numbers are multiplied by it" })),
    words: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
        minItems: 2,
        maxItems: 2,
        description: "Of a bit: the word for 0 and the word for 1",
      }),
    ),
    debounce_ms: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 60_000,
        description: "A value counts once it held so long; its time is when it began",
      }),
    ),
  },
  { additionalProperties: false },
);
export type ModbusPoint = Static<typeof ModbusPoint>;

/** A built-in map by name, or points of one's own. */
export const ModbusMap = Type.Union([
  Type.Literal("adam-6050", { description: "DI 0–11 as di0 … di11, counters as counter0 … counter11" }),
  Type.Array(ModbusPoint, { minItems: 1, maxItems: 500 }),
]);
export type ModbusMap = Static<typeof ModbusMap>;

const ADAM_6050_INPUTS = 12;

/** ADAM-6050: DI n at coil n (00001 …), counter n at holding registers 2n, 2n+1, low word first (40001 …). */
export const ADAM_6050: ModbusPoint[] = [
  ...Array.from(
    { length: ADAM_6050_INPUTS },
    (_, n): ModbusPoint => ({ signal: `di${n}`, kind: "di", address: n }),
  ),
  ...Array.from(
    { length: ADAM_6050_INPUTS },
    (_, n): ModbusPoint => ({
      signal: `counter${n}`,
      kind: "holding",
      address: 2 * n,
      type: "uint32",
      word_order: "low-first",
    }),
  ),
];

/** The points a map stands for. */
export const pointsOf = (map: ModbusMap): ModbusPoint[] => (map === "adam-6050" ? ADAM_6050 : map);
