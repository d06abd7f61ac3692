// Which requests read which points: as few as their addresses allow.
import { isRegister, type ModbusPoint, widthOf } from "./map.ts";

export type ReadFunction = "readCoils" | "readDiscreteInputs" | "readHoldingRegisters" | "readInputRegisters";

/** A point that somebody wants to know. */
export type Wanted<T> = { point: ModbusPoint; by: T };

/** A stretch of addresses that one request reads, for everybody who wants a part of it. */
export type Block<T> = { fc: ReadFunction; address: number; length: number; wanted: Wanted<T>[] };

const FUNCTIONS: Record<ModbusPoint["kind"], ReadFunction> = {
  di: "readCoils",
  coil: "readCoils",
  discrete: "readDiscreteInputs",
  holding: "readHoldingRegisters",
  input: "readInputRegisters",
};

/** What one request may ask for by the protocol (Modbus Application Protocol 1.1b3, 6.1–6.4). */
const MAX_BITS = 2_000;
const MAX_REGISTERS = 125;

/** Joins points whose addresses touch; what nobody asked for is not read, a device may refuse it. */
export function blocksOf<T>(wanted: Wanted<T>[]): Block<T>[] {
  const blocks: Block<T>[] = [];
  const sorted = wanted.toSorted((a, b) => a.point.address - b.point.address);
  for (const [fc, own] of Map.groupBy(sorted, ({ point }) => FUNCTIONS[point.kind])) {
    let block: Block<T> | undefined;
    for (const one of own) {
      const { point } = one;
      const max = isRegister(point) ? MAX_REGISTERS : MAX_BITS;
      const end = point.address + widthOf(point);
      if (!block || point.address > block.address + block.length || end - block.address > max) {
        blocks.push((block = { fc, address: point.address, length: 0, wanted: [] }));
      }
      block.length = Math.max(block.length, end - block.address);
      block.wanted.push(one);
    }
  }
  return blocks;
}

/** Two blocks for one that the device refuses: one address it does not have spoils all that is asked along with it. */
export function halvesOf<T>({ wanted }: Block<T>): Block<T>[] | undefined {
  const addresses = [...new Set(wanted.map(({ point }) => point.address))];
  const middle = addresses[addresses.length >> 1];
  if (addresses.length < 2 || middle === undefined) return undefined;
  const [low, high] = [true, false].map((below) =>
    blocksOf(wanted.filter(({ point }) => point.address < middle === below)),
  );
  return [...(low ?? []), ...(high ?? [])];
}
