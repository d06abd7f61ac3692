// Which inputs and registers of a Modbus device are which signals.
import { type Static, Type } from "@sinclair/typebox";
import type { Given, InputCode } from "../../../domain/problem.ts";
import { MAX_NAME_LENGTH } from "../../event.ts";
import { badInput } from "../../problem.ts";

const literals = <T extends string>(...values: T[]) => values.map((value) => Type.Literal(value));
const HighOrLow = (description: string) =>
  Type.Optional(Type.Union(literals("low-first", "high-first"), { description }));

/** What a register's bits mean; how many registers that takes is in {@link widthOf}. */
const ValueType = Type.Union(
  literals("bit", "uint16", "int16", "uint32", "int32", "float32", "uint64", "int64", "float64"),
  {
    description:
      "bit for inputs and coils, uint16 for registers without it; 64-bit integers are exact to 2^53",
  },
);

/** One input or register and the signal it carries. */
export const ModbusPoint = Type.Object(
  {
    signal: Type.String({
      minLength: 1,
      maxLength: MAX_NAME_LENGTH,
      description: "A canonical signal (execution, part_count …), condition:<id>, or a name of your own",
    }),
    kind: Type.Union(literals("di", "coil", "discrete", "holding", "input"), {
      description: "coil FC01, discrete FC02, holding FC03, input FC04; di is a digital input read as a coil",
    }),
    address: Type.Integer({ minimum: 0, maximum: 65_535, description: "PDU address: reference − 1" }),
    type: Type.Optional(ValueType),
    bit: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 15, description: "One bit of a register, 0 is the lowest" }),
    ),
    word_order: HighOrLow("The order of the registers of one value; high-first without it"),
    byte_order: HighOrLow(
      "The order of the bytes in a register; high-first, as the protocol has it, without it",
    ),
    scale: Type.Optional(Type.Number({ description: "Numbers are multiplied by it" })),
    offset: Type.Optional(Type.Number({ description: "Added to the scaled number" })),
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

const ADAM_6050_INPUTS = 12;

const Adam6050 = Type.Object(
  {
    module: Type.Literal("adam-6050"),
    inputs: Type.Optional(
      Type.Union(literals("coil", "discrete"), { description: "How the inputs are read: FC01, or FC02" }),
    ),
    frequency: Type.Optional(
      Type.Array(Type.Integer({ minimum: 0, maximum: ADAM_6050_INPUTS - 1 }), {
        maxItems: ADAM_6050_INPUTS,
        uniqueItems: true,
        description: "Inputs in frequency mode: frequency<n> in Hz instead of counter<n>",
      }),
    ),
  },
  { additionalProperties: false, description: "The built-in map with the module's own settings" },
);
type Adam6050 = Static<typeof Adam6050>;

/** A built-in map by name, or points of one's own. */
export const ModbusMap = Type.Union([
  Type.Literal("adam-6050", { description: "DI 0–11 as di0 … di11, counters as counter0 … counter11" }),
  Adam6050,
  Type.Array(ModbusPoint, { minItems: 1, maxItems: 500 }),
]);
export type ModbusMap = Static<typeof ModbusMap>;

/**
 * DI n at coil n (00001 …); counter n at holding registers 2n, 2n+1, low word first (40001 …); in frequency mode the
 * same registers hold tenths of a hertz. (ADAM-6000 manual, Modbus mapping of the ADAM-6050.)
 */
function adam6050({ inputs = "coil", frequency = [] }: Omit<Adam6050, "module"> = {}): ModbusPoint[] {
  const channels = Array.from({ length: ADAM_6050_INPUTS }, (_, n) => n);
  const number = { kind: "holding", type: "uint32", word_order: "low-first" } as const;
  return [
    ...channels.map((n): ModbusPoint => ({ signal: `di${n}`, kind: inputs, address: n })),
    ...channels.map(
      (n): ModbusPoint =>
        frequency.includes(n)
          ? { signal: `frequency${n}`, ...number, address: 2 * n, scale: 0.1 }
          : { signal: `counter${n}`, ...number, address: 2 * n },
    ),
  ];
}

/** The points a map stands for. */
export function pointsOf(map: ModbusMap): ModbusPoint[] {
  if (Array.isArray(map)) return map;
  return map === "adam-6050" ? adam6050() : adam6050(map);
}

const WIDTHS: Partial<Record<NonNullable<ModbusPoint["type"]>, number>> = {
  uint32: 2,
  int32: 2,
  float32: 2,
  uint64: 4,
  int64: 4,
  float64: 4,
};

/** How many addresses a point takes. */
export const widthOf = ({ type = "bit" }: ModbusPoint): number => WIDTHS[type] ?? 1;

/** Inputs and coils are bits by themselves; of a register `bit` takes one. */
export const isRegister = ({ kind }: ModbusPoint): boolean => kind === "holding" || kind === "input";
export const isBit = (point: ModbusPoint): boolean => !isRegister(point) || point.bit !== undefined;

/**
 * What the schema cannot tell of a map.
 * @throws BadInput naming the place below `path`
 */
export function checkMap(map: ModbusMap, path: string): void {
  if (!Array.isArray(map)) return;
  const signals = new Set<string>();
  map.forEach((point, i) => {
    const refuse: Refuse = (name, code, ...params) => {
      throw badInput(`${path}/${i}/${name}`, code, ...params);
    };
    if (signals.has(point.signal)) refuse("signal", "point_twice", { signal: point.signal });
    signals.add(point.signal);
    checkType(point, refuse);
    if (point.address + widthOf(point) > 65_536)
      refuse("address", "past_addresses", { value_type: String(point.type) });
  });
}

type Refuse = <C extends InputCode>(name: keyof ModbusPoint, code: C, ...params: Given<C>) => never;

function checkType(point: ModbusPoint, refuse: Refuse): void {
  const { kind, type, bit, words, word_order, byte_order } = point;
  if (!isRegister(point)) {
    if (type !== undefined && type !== "bit") refuse("type", "is_one_bit", { kind, value_type: type });
    if (bit !== undefined) refuse("bit", "bit_by_itself", { kind });
    if (byte_order !== undefined) refuse("byte_order", "no_bytes");
  } else if (type === "bit" ? bit === undefined : type !== undefined && bit !== undefined) {
    if (bit === undefined) refuse("type", "which_bit");
    else refuse("type", "bit_is_no", { value_type: String(type) });
  }
  if (word_order !== undefined && widthOf(point) === 1) refuse("word_order", "one_register");
  if (words !== undefined && !isBit(point)) refuse("words", "words_of_bits");
  for (const name of ["scale", "offset"] as const) {
    if (point[name] !== undefined && isBit(point)) refuse(name, "numbers_only");
  }
}
