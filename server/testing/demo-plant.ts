// For tests: what the API says of the demo plant.
import { expect } from "bun:test";
import { until } from "../../.ci/limits.ts";
import type { TestServer } from "./server.ts";

/** A server with the demo. */
export const DEMO = { MTC_DEMO: "auto", MTC_RAW_RETENTION_DAYS: "30" };

export type OeeRow = { key: string; machine_id?: string; oee: number | null; run_time_s: number };
export type StateRow = { state: string; from: string; to: string; seconds: number };

/** Today in the plant's zone, and yesterday: the same day however late the tests run. */
export const today = Temporal.Now.zonedDateTimeISO("Europe/Berlin").startOfDay();
export const yesterday = `from=${today.subtract({ days: 1 }).toInstant()}&to=${today.toInstant()}`;

export async function rows<T>(server: TestServer, path: string): Promise<T[]> {
  const { status, body } = await server.call<{ rows: T[] }>("GET", path);
  expect([path, status]).toEqual([path, 200]);
  return body.rows;
}

export const machineIds = async (server: TestServer): Promise<string[]> =>
  (await rows<{ id: string }>(server, "/api/v1/machines")).map(({ id }) => id).sort();

export const cncsOf = async (server: TestServer): Promise<string[]> =>
  (await machineIds(server)).filter((id) => id !== "demo-press-1");

/** Yesterday of every CNC, as soon as each has an OEE. */
export const figures = (server: TestServer): Promise<OeeRow[]> =>
  until(async () => {
    const found = await rows<OeeRow>(server, `/api/v1/oee?${yesterday}&by=machine`);
    const ids = await cncsOf(server);
    const known = ids.filter((id) => found.some((row) => row.machine_id === id && (row.oee ?? 0) > 0));
    return ids.length === 4 && known.length === 4 ? found : undefined;
  });

/** Every source is connected, and all that it told can be queried. */
export async function allCollected(server: TestServer): Promise<void> {
  await until(async () => {
    const { body } = await server.call<{ sources: { state: string }[] }>("GET", "/readyz");
    const connected = body.sources.filter(({ state }) => state === "streaming" || state === "polling");
    return (body.sources.length >= 2 && connected.length === body.sources.length) || undefined;
  });
  await server.settled();
}
