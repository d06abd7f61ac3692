// A Modbus device is tried: everything that its map names is read once.
import { TRIAL_MS, trialError } from "../trial.ts";
import { blocksOf } from "./blocks.ts";
import { ModbusConnection, ReadError } from "./connection.ts";
import { decode } from "./decode.ts";
import { type ModbusMap, pointsOf } from "./map.ts";

/** A point's value; null where the device refuses to give it. */
export type TriedPoint = { signal: string; value: string | number | null };

export type TriedModbus = { host: string; port?: number; unit?: number; map: ModbusMap };

/** @returns in the map's order @throws TrialError */
export async function tryModbus({ host, port = 502, unit = 1, map }: TriedModbus): Promise<TriedPoint[]> {
  const clock = AbortSignal.timeout(TRIAL_MS);
  let connection: ModbusConnection | undefined;
  const hangUp = (): void => connection?.close();
  clock.addEventListener("abort", hangUp);
  try {
    connection = await ModbusConnection.open({ host, port }, TRIAL_MS / 2);
    return await read(connection, unit, map);
  } catch (error) {
    const waited = /^no connection within/.test((error as Error).message);
    throw trialError(error, clock.aborted || waited);
  } finally {
    clock.removeEventListener("abort", hangUp);
    connection?.close();
  }
}

async function read(connection: ModbusConnection, unit: number, map: ModbusMap): Promise<TriedPoint[]> {
  const points = pointsOf(map);
  const values = new Map<string, string | number>();
  let refusal: ReadError | undefined;
  for (const { fc, address, length, wanted } of blocksOf(points.map((point) => ({ point, by: null })))) {
    try {
      const { bits, bytes } = await connection.read(unit, fc, address, length);
      for (const { point } of wanted)
        values.set(point.signal, decode(point, bits, bytes, point.address - address));
    } catch (error) {
      if (!(error instanceof ReadError && error.kind === "refused")) throw error;
      refusal = error;
    }
  }
  if (values.size === 0 && refusal) throw refusal;
  return points.map(({ signal }) => ({ signal, value: values.get(signal) ?? null }));
}
