// One Modbus/TCP device: its points read in as few requests as their addresses allow.
import ModbusRTU from "modbus-serial";
import type { ModbusPoint } from "./map.ts";

/** A stretch of addresses that one request reads. */
export type Block = { fc: ReadFunction; address: number; length: number; points: ModbusPoint[] };

type ReadFunction = "readCoils" | "readDiscreteInputs" | "readHoldingRegisters" | "readInputRegisters";

/** A point's value and when it was read, µs: the middle between request and answer. */
export type Reading = { point: ModbusPoint; ts_us: number; value: number | string };

const FUNCTIONS: Record<ModbusPoint["kind"], ReadFunction> = {
  di: "readCoils",
  coil: "readCoils",
  discrete: "readDiscreteInputs",
  holding: "readHoldingRegisters",
  input: "readInputRegisters",
};

/** What one request may ask for by the protocol (Modbus Application Protocol 1.1b3, 6.1–6.4). */
const MAX_LENGTH: Record<ReadFunction, number> = {
  readCoils: 2_000,
  readDiscreteInputs: 2_000,
  readHoldingRegisters: 125,
  readInputRegisters: 125,
};

/** Joins points whose addresses touch; what nobody asked for is not read, a device may refuse it. */
export function blocksOf(points: ModbusPoint[]): Block[] {
  const blocks: Block[] = [];
  const sorted = points.toSorted((a, b) => a.address - b.address);
  for (const fc of new Set(points.map(({ kind }) => FUNCTIONS[kind]))) {
    let block: Block | undefined;
    for (const point of sorted.filter(({ kind }) => FUNCTIONS[kind] === fc)) {
      const end = point.address + widthOf(point);
      if (!block || point.address > block.address + block.length || end - block.address > MAX_LENGTH[fc]) {
        blocks.push((block = { fc, address: point.address, length: 0, points: [] }));
      }
      block.length = Math.max(block.length, end - block.address);
      block.points.push(point);
    }
  }
  return blocks;
}

export type DeviceOptions = { host: string; port: number; unit: number; timeout_ms: number };

/** A connection to the device; after any error it is of no more use. */
export class ModbusDevice {
  readonly #client = new ModbusRTU();

  private constructor() {
    // A socket that breaks between two reads fails the next one; nobody else needs to hear of it.
    this.#client.on("error", () => undefined);
  }

  /** @throws Error where nobody answers within `timeout_ms` */
  static async connect({ host, port, unit, timeout_ms }: DeviceOptions): Promise<ModbusDevice> {
    const device = new ModbusDevice();
    device.#client.setID(unit);
    device.#client.setTimeout(timeout_ms);
    const patience = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => patience.reject(new Error(`no connection within ${timeout_ms} ms`)),
      timeout_ms,
    );
    try {
      await Promise.race([device.#client.connectTCP(host, { port }), patience.promise]);
      return device;
    } catch (error) {
      device.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Reads all blocks, one after the other. A wrong unit id is silence, not an exception. */
  async read(blocks: Block[]): Promise<Reading[]> {
    const readings: Reading[] = [];
    for (const { fc, address, length, points } of blocks) {
      const asked_ms = Date.now();
      const { data, buffer } = await this.#client[fc](address, length);
      const ts_us = Math.round((asked_ms + Date.now()) * 500);
      for (const point of points) {
        const at = point.address - address;
        // Bits come padded to whole bytes; registers as their bytes, high byte first.
        const value = isBit(point) ? bitOf(point, data[at]) : registerOf(point, buffer, at);
        readings.push({ point, ts_us, value });
      }
    }
    return readings;
  }

  close(): void {
    this.#client.destroy(() => undefined);
  }
}

const isBit = ({ kind, type }: ModbusPoint): boolean =>
  type === "bit" || (type === undefined && kind !== "holding" && kind !== "input");

const widthOf = ({ type }: ModbusPoint): number => (type === "uint32" || type === "float32" ? 2 : 1);

function bitOf({ words }: ModbusPoint, raw: boolean | number | undefined): number | string {
  const bit = Number(raw) & 1;
  return words?.[bit] ?? bit;
}

function registerOf({ type, word_order, scale }: ModbusPoint, buffer: Buffer, at: number): number | string {
  const value = (): number => {
    if (type === "int16") return buffer.readInt16BE(2 * at);
    if (type !== "uint32" && type !== "float32") return buffer.readUInt16BE(2 * at);
    const bytes = Buffer.from(buffer.subarray(2 * at, 2 * at + 4));
    if (word_order === "low-first") bytes.swap32().swap16();
    return type === "uint32" ? bytes.readUInt32BE() : bytes.readFloatBE();
  };
  const scaled = value() * (scale ?? 1);
  return Number.isFinite(scaled) ? scaled : "UNAVAILABLE";
}
