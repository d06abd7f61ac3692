// Register maps (SPEC 4.6 and 4.7): what they read, what it means, and which are refused.
import { describe, expect, test } from "bun:test";
import { Value } from "@sinclair/typebox/value";
import { BadInput } from "../../problem.ts";
import { type Block, blocksOf, halvesOf } from "./blocks.ts";
import { decode } from "./decode.ts";
import { checkMap, ModbusMap, type ModbusPoint, pointsOf } from "./map.ts";

const wanted = (points: ModbusPoint[]) => points.map((point) => ({ point, by: "press" }));
const stretches = (blocks: Block<string>[]) => blocks.map(({ fc, address, length }) => [fc, address, length]);
const register = (address: number, more: Partial<ModbusPoint> = {}): ModbusPoint => ({
  signal: `r${address}`,
  kind: "holding",
  address,
  ...more,
});

describe("the ADAM-6050", () => {
  test("is two requests: twelve inputs, twelve counters", () => {
    expect(stretches(blocksOf(wanted(pointsOf("adam-6050"))))).toEqual([
      ["readCoils", 0, 12],
      ["readHoldingRegisters", 0, 24],
    ]);
    const signals = pointsOf("adam-6050").map(({ signal }) => signal);
    expect(signals).toEqual([
      ...Array.from({ length: 12 }, (_, n) => `di${n}`),
      ...Array.from({ length: 12 }, (_, n) => `counter${n}`),
    ]);
  });

  test("has its inputs read with FC02 where its firmware wants that, and channels in frequency mode", () => {
    const map: ModbusMap = { module: "adam-6050", inputs: "discrete", frequency: [3] };
    expect(Value.Check(ModbusMap, map)).toBe(true);
    const points = pointsOf(map);
    expect(stretches(blocksOf(wanted(points)))[0]).toEqual(["readDiscreteInputs", 0, 12]);
    const frequency = points.find(({ signal }) => signal === "frequency3") as ModbusPoint;
    expect(points.some(({ signal }) => signal === "counter3")).toBe(false);
    // 1234.5 Hz are 12,345 tenths, low word first.
    expect(decode(frequency, [], Buffer.from([0x30, 0x39, 0, 0]), 0)).toBe(1_234.5);
  });
});

describe("values", () => {
  const bytes = Buffer.alloc(16);
  const of = (write: (bytes: Buffer) => void, point: Partial<ModbusPoint>, at = 0) => {
    bytes.fill(0);
    write(bytes);
    return decode(register(0, point), [], bytes, at);
  };

  test("registers of every type", () => {
    expect(of((b) => b.writeUInt16BE(65_535), {})).toBe(65_535);
    expect(of((b) => b.writeInt16BE(-2, 4), { type: "int16" }, 2)).toBe(-2);
    expect(of((b) => b.writeUInt32BE(4_000_000_000), { type: "uint32" })).toBe(4_000_000_000);
    expect(of((b) => b.writeInt32BE(-70_000), { type: "int32" })).toBe(-70_000);
    expect(of((b) => b.writeFloatBE(-12.5), { type: "float32" })).toBe(-12.5);
    expect(of((b) => b.writeBigUInt64BE(1n << 52n), { type: "uint64" })).toBe(2 ** 52);
    expect(of((b) => b.writeBigInt64BE(-5n), { type: "int64" })).toBe(-5);
    expect(of((b) => b.writeDoubleBE(0.1), { type: "float64" })).toBe(0.1);
  });

  test("the order of words and of bytes is the device's", () => {
    const abcd = (b: Buffer) => b.writeUInt32BE(0x01020304);
    const orders = [
      [{}, 0x01020304],
      [{ word_order: "low-first" }, 0x03040102],
      [{ byte_order: "low-first" }, 0x02010403],
      [{ word_order: "low-first", byte_order: "low-first" }, 0x04030201],
    ] as const;
    for (const [order, value] of orders) expect(of(abcd, { type: "uint32", ...order })).toBe(value);
    const double = Buffer.alloc(8);
    double.writeDoubleLE(-1.25);
    const low = { type: "float64", word_order: "low-first", byte_order: "low-first" } as const;
    expect(of((b) => double.copy(b), low)).toBe(-1.25);
    expect(of((b) => b.writeUInt16LE(258), { byte_order: "low-first" })).toBe(258);
  });

  test("scale and offset, without the dust of binary fractions", () => {
    expect(of((b) => b.writeUInt16BE(3), { scale: 0.1 })).toBe(0.3);
    expect(of((b) => b.writeUInt16BE(0), { scale: 0.1, offset: -40 })).toBe(-40);
    expect(of((b) => b.writeUInt32BE(4_294_967_295), { type: "uint32", scale: 0.5 })).toBe(2_147_483_647.5);
  });

  test("what is no number is UNAVAILABLE (invariant 4)", () => {
    expect(of((b) => b.writeFloatBE(Number.NaN), { type: "float32" })).toBe("UNAVAILABLE");
    expect(of((b) => b.writeFloatBE(Infinity), { type: "float32", scale: 0.1 })).toBe("UNAVAILABLE");
  });

  test("one bit of a register, as 0 and 1 or in words", () => {
    expect(of((b) => b.writeUInt16BE(0x8001), { bit: 15 })).toBe(1);
    expect(of((b) => b.writeUInt16BE(0x8001), { bit: 1, words: ["READY", "ACTIVE"] })).toBe("READY");
    expect(of((b) => b.writeUInt16LE(0x0001), { bit: 0, byte_order: "low-first" })).toBe(1);
    const coil: ModbusPoint = { signal: "c", kind: "coil", address: 7, words: ["READY", "ACTIVE"] };
    expect(decode(coil, [false, true], bytes, 1)).toBe("ACTIVE");
  });
});

describe("requests", () => {
  test("join what touches, ask for nothing else, and keep to the protocol's lengths", () => {
    const points = [register(0, { type: "uint32" }), register(2), register(4), register(5, { bit: 1 })];
    expect(stretches(blocksOf(wanted(points)))).toEqual([
      ["readHoldingRegisters", 0, 3],
      ["readHoldingRegisters", 4, 2],
    ]);
    const many = Array.from({ length: 130 }, (_, n) => register(n));
    expect(stretches(blocksOf(wanted(many)))).toEqual([
      ["readHoldingRegisters", 0, 125],
      ["readHoldingRegisters", 125, 5],
    ]);
    const end = [register(65_535), { ...register(65_535), kind: "input" as const }];
    expect(stretches(blocksOf(wanted(end)))).toEqual([
      ["readHoldingRegisters", 65_535, 1],
      ["readInputRegisters", 65_535, 1],
    ]);
  });

  test("are halved until what is refused stands alone", () => {
    const [block] = blocksOf(wanted([register(0, { type: "uint32" }), register(2), register(2, { bit: 3 })]));
    const halves = halvesOf(block as Block<string>);
    expect(stretches(halves ?? [])).toEqual([
      ["readHoldingRegisters", 0, 2],
      ["readHoldingRegisters", 2, 1],
    ]);
    for (const half of halves ?? []) expect(halvesOf(half)).toBeUndefined();
  });
});

describe("a map is refused with the path of what is wrong", () => {
  const coil: ModbusPoint = { signal: "c", kind: "coil", address: 0 };
  const wrong: [string, ModbusPoint, string][] = [
    ["two points of one signal", register(7, { signal: "r0" }), "signal"],
    ["a number of a coil", { ...coil, type: "uint16" }, "type"],
    ["a bit of a coil", { ...coil, bit: 0 }, "bit"],
    ["bytes of a coil", { ...coil, byte_order: "low-first" }, "byte_order"],
    ["a bit of a register, but which", register(1, { type: "bit" }), "type"],
    ["a bit of a wider number", register(1, { type: "uint32", bit: 3 }), "type"],
    ["an address beyond the last", register(65_535, { type: "uint32" }), "address"],
    ["a wide address beyond the last", register(65_533, { type: "float64" }), "address"],
    ["word order of one register", register(1, { word_order: "low-first" }), "word_order"],
    ["words of a number", register(1, { words: ["A", "B"] }), "words"],
    ["scale of a bit", { ...coil, scale: 2 }, "scale"],
    ["offset of a bit of a register", register(1, { bit: 1, offset: 2 }), "offset"],
  ];
  test.each(wrong)("%s", (_, point, name) => {
    let error: unknown;
    try {
      checkMap([register(0), point], "/source/map");
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(BadInput);
    expect((error as BadInput).errors.map(({ path }) => path)).toEqual([`/source/map/1/${name}`]);
  });

  test("what reaches just up to the last address is taken", () => {
    checkMap([register(65_534, { type: "uint32" }), register(65_532, { type: "int32" })], "");
    checkMap("adam-6050", "");
  });
});
