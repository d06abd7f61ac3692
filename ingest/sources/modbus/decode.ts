// A point's value from the bits or bytes a device answered.
import { isBit, isRegister, type ModbusPoint, widthOf } from "./map.ts";

/**
 * @param bits the answer as bits, for coils and inputs
 * @param bytes the answer as bytes, for registers: two each, high byte first
 * @param at how many addresses the point lies behind the first of the answer
 * @returns UNAVAILABLE for what is no number (NaN is what many devices say for "broken wire")
 */
export function decode(
  point: ModbusPoint,
  bits: (boolean | number)[],
  bytes: Buffer,
  at: number,
): number | string {
  const { words, bit = 0, scale, offset } = point;
  if (!isRegister(point)) return wordOf(words, Number(bits[at]) & 1);
  const own = inOrder(point, bytes.subarray(2 * at, 2 * (at + widthOf(point))));
  if (isBit(point)) return wordOf(words, (own.readUInt16BE() >> bit) & 1);
  const raw = numberOf(point.type, own);
  if (!Number.isFinite(raw)) return "UNAVAILABLE";
  if (scale === undefined && offset === undefined) return raw;
  // Fifteen digits are what a decimal fraction survives: 3 × 0.1 is 0.3.
  return Number((raw * (scale ?? 1) + (offset ?? 0)).toPrecision(15));
}

const wordOf = (words: string[] | undefined, bit: number): number | string => words?.[bit] ?? bit;

/** The point's own bytes, the highest first. */
function inOrder({ word_order, byte_order }: ModbusPoint, bytes: Buffer): Buffer {
  const own = Buffer.from(bytes);
  // All bytes reversed, and those of each register back again: the registers are reversed.
  if (word_order === "low-first") own.reverse().swap16();
  if (byte_order === "low-first") own.swap16();
  return own;
}

function numberOf(type: ModbusPoint["type"], bytes: Buffer): number {
  switch (type) {
    case "int16":
      return bytes.readInt16BE();
    case "uint32":
      return bytes.readUInt32BE();
    case "int32":
      return bytes.readInt32BE();
    case "float32":
      return bytes.readFloatBE();
    case "uint64":
      return Number(bytes.readBigUInt64BE());
    case "int64":
      return Number(bytes.readBigInt64BE());
    case "float64":
      return bytes.readDoubleBE();
    default:
      return bytes.readUInt16BE();
  }
}
