// The demo plant: simulated machines on real protocols, set up as a customer would set up real ones, and gone again.
import { mutex } from "../domain/lib/mutex.ts";
import { ColumnsBuilder } from "../ingest/columns.ts";
import type { Observation } from "../ingest/event.ts";
import type { Pipeline } from "../ingest/pipeline.ts";
import type { MachineSource } from "../ingest/sources/model.ts";
import { type DemoPlant, startDemoPlant } from "../ingest/sources/simulator/plant.ts";
import type { Store } from "../ingest/store/store.ts";
import { formatTimestamp_us } from "../ingest/time.ts";
import { DEMO_REASONS } from "./demo-reasons.ts";
import type { Machines } from "./modules/machines/service.ts";
import type { Reasons } from "./modules/reasons/service.ts";
import { Problem } from "./plugins/errors.ts";

/** Who has the demo that starts by itself. */
const TENANT = "default";
/** An agent of its own keeps the demo's past no longer than this. */
const HISTORY_DAYS = 3;
/** Observations of one batch of the press's past. */
const BATCH_ROWS = 5_000;

/**
 * Whether there never was a machine: before the first one nothing but reasons is in the log. Where machines were deleted,
 * the demo's as well, they stay gone.
 */
export async function neverHadMachine(store: Pick<Store, "logState" | "entries">): Promise<boolean> {
  const { last } = await store.logState();
  return last === 0 || last === (await store.entries(TENANT, "", "mtc.reasons.v1")).length;
}

type Deps = {
  machines: Machines;
  reasons: Reasons;
  pipeline: Pipeline;
  /** Has the collectors look at the machines now. */
  collect: () => Promise<void>;
  /** Whether the collectors that would read it are on this host. */
  offered: boolean;
};

type Device = Pick<DemoPlant["devices"][number], "uuid" | "name" | "calendar" | "cycle_times">;

/** The demo's simulators and the machines that were made for them. The collectors are given addresses, as for any plant. */
export class Demo {
  readonly #deps: Deps;
  #plant: DemoPlant | undefined;
  /** Two clicks are one demo. */
  readonly #exclusive = mutex();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Where its simulators are, while they run. */
  get running(): { agent_url: string; modbus_address: string } | undefined {
    const plant = this.#plant;
    return (
      plant && { agent_url: plant.agentUrl, modbus_address: `${plant.modbus.host}:${plant.modbus.port}` }
    );
  }

  /** With the program: a plant that never had a machine gets a demo, an earlier demo's machines get theirs back. */
  begin(is_new: boolean): Promise<void> {
    return this.#exclusive(async () => {
      const kept = this.#deps.machines.all().filter(({ demo }) => demo);
      if (kept.length > 0) await this.#start(kept[0]?.tenant_id ?? TENANT, false);
      else if (is_new) await this.#start(TENANT, true);
    });
  }

  /** Adds the demo's machines to a plant, whatever it has. Where they are there already, nothing changes. */
  start(tenant_id: string): Promise<void> {
    if (!this.#deps.offered) throw new Problem("demo_not_offered", {});
    return this.#exclusive(() => this.#start(tenant_id, true));
  }

  /** Deletes the demo's machines of a tenant, its reasons if they are as it made them, and ends the simulators. */
  remove(tenant_id: string): Promise<void> {
    return this.#exclusive(async () => {
      const { machines, reasons, collect } = this.#deps;
      for (const { id, demo } of machines.list(tenant_id)) if (demo) await machines.delete(tenant_id, id);
      if (Bun.deepEquals(await reasons.list(tenant_id), DEMO_REASONS)) await reasons.set(tenant_id, []);
      // First nobody reads them any more: else their end would be a loss of contact.
      await collect();
      if (!machines.all().some(({ demo }) => demo)) await this.#end();
    });
  }

  /** The simulators end, the machines stay. */
  stop(): Promise<void> {
    return this.#exclusive(() => this.#end());
  }

  async #end(): Promise<void> {
    const plant = this.#plant;
    this.#plant = undefined;
    await plant?.stop();
  }

  /** @param whole its machines are made where they are missing; else what was deleted stays so */
  async #start(tenant_id: string, whole: boolean): Promise<void> {
    const { machines, reasons, pipeline } = this.#deps;
    if (whole && (await reasons.list(tenant_id)).length === 0) await reasons.set(tenant_id, DEMO_REASONS);
    this.#plant ??= await startDemoPlant({ days: HISTORY_DAYS });
    const { devices, modbus, started_us, pressPast } = this.#plant;
    for (const device of devices) {
      const source = { kind: "mtconnect", url: device.agent_url, device: device.uuid } as const;
      await this.#put(tenant_id, device, source, whole, started_us.cncs);
    }
    const { host, port, unit, map, ...press } = modbus;
    const source = { kind: "modbus", host, port, unit, map } as const;
    const made = await this.#put(tenant_id, press, source, whole, started_us.cncs);
    if (made) await importPast(pipeline, machines.get(tenant_id, press.uuid), pressPast());
  }

  /** @returns whether it was made */
  async #put(
    tenant_id: string,
    { uuid: id, name, calendar, cycle_times }: Device,
    source: MachineSource,
    whole: boolean,
    from_us: number,
  ): Promise<boolean> {
    const { machines } = this.#deps;
    const known = machines.byId(id);
    if (known || !whole) {
      // What was set up meanwhile stays; a machine that only has the same id is none of ours.
      if (known?.demo) await machines.patch(known.tenant_id, id, { source });
      return false;
    }
    await machines.create(tenant_id, { id, name, source }, true);
    await machines.setCalendar(tenant_id, id, calendar);
    const valid_from = formatTimestamp_us(from_us);
    await machines.setCycleTimes(
      tenant_id,
      id,
      cycle_times.map((time) => ({ ...time, valid_from })),
    );
    return true;
  }
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
