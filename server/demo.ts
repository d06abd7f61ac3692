// The demo plant: simulated machines on real protocols, set up as a customer would set up real ones.

import { ColumnsBuilder } from "../ingest/columns.ts";
import type { Observation } from "../ingest/event.ts";
import type { Pipeline } from "../ingest/pipeline.ts";
import type { MachineSource } from "../ingest/sources/model.ts";
import { type DemoPlant, startDemoPlant } from "../ingest/sources/simulator/plant.ts";
import { formatTimestamp_us } from "../ingest/time.ts";
import type { Machines } from "./modules/machines/service.ts";

const TENANT = "default";
/** An agent of its own keeps the demo's past no longer than this. */
const HISTORY_DAYS = 3;
/** Observations of one batch of the press's past. */
const BATCH_ROWS = 5_000;

type Device = Pick<DemoPlant["devices"][number], "uuid" | "name" | "calendar" | "cycle_times">;

export type Demo = { agent_url: string; modbus_address: string; stop(): Promise<void> };

/**
 * Starts the demo where no machine is configured, or where an earlier demo's machines still are: those are given the
 * new addresses. The collectors know nothing of it: they are given addresses, as for any plant.
 */
export async function startDemo(machines: Machines, pipeline: Pipeline): Promise<Demo | undefined> {
  const fresh = machines.all().length === 0;
  if (!fresh && !machines.all().some(({ demo }) => demo)) return undefined;
  const plant = await startDemoPlant({ days: HISTORY_DAYS });
  const valid_from = formatTimestamp_us(plant.started_us.cncs);
  for (const device of plant.devices) {
    await put(device, { kind: "mtconnect", url: device.agent_url, device: device.uuid });
  }
  const { host, port, unit, map, ...press } = plant.modbus;
  await put(press, { kind: "modbus", host, port, unit, map });
  if (fresh) await importPast(pipeline, machines.get(TENANT, press.uuid), plant.pressPast());

  async function put(device: Device, source: MachineSource): Promise<void> {
    const { uuid: id, name, calendar, cycle_times } = device;
    if (!fresh) {
      // What was set up meanwhile, and what was deleted, stays so.
      if (machines.byId(id)?.demo) await machines.patch(TENANT, id, { source });
      return;
    }
    await machines.create(TENANT, { id, name, source }, true);
    await machines.setCalendar(TENANT, id, calendar);
    await machines.setCycleTimes(
      TENANT,
      id,
      cycle_times.map((time) => ({ ...time, valid_from })),
    );
  }

  return {
    agent_url: plant.agentUrl,
    modbus_address: `${host}:${port}`,
    stop: async () => {
      await plant.stop();
    },
  };
}

/** A module keeps no past: a plant that has one elsewhere imports it, as it would over HTTP. */
async function importPast(
  pipeline: Pipeline,
  machine: Parameters<Pipeline["observe"]>[0],
  past: Iterable<Observation>,
): Promise<void> {
  let columns = new ColumnsBuilder();
  const send = async (): Promise<void> => {
    if (columns.rows === 0) return;
    await pipeline.observe(machine, columns.bytes(), columns.columns());
    columns = new ColumnsBuilder();
  };
  for (const { signal, ts_us, seq, value } of past) {
    columns.add(signal, ts_us, seq, value);
    if (columns.rows >= BATCH_ROWS) await send();
  }
  await send();
}
