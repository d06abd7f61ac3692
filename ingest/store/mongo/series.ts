// The projector: observations of the log into the time series, after they were acknowledged and in their own time.
import { observations } from "../../columns.ts";
import type { ObservationColumns } from "../../event.ts";
import { Trouble } from "../../trouble.ts";
import type { Collections, EventDoc, RawDoc } from "./documents.ts";
import type { Leases } from "./leases.ts";

const BATCH_EVENTS = 200;
const BATCH_ROWS = 20_000;
const IDLE_MS = 1_000;
const BACKOFF_MS = 5_000;

export type Series = { wake(): void; stop(): Promise<void> };

/** Starts it; it runs until `stop`. Cut off, it writes some observations twice: readers take one of each (invariant 2). */
export function startSeries(
  collections: Pick<Collections, "outbox" | "raw_machine_data">,
  leases: Leases,
  log: (message: string) => void,
): Series {
  const trouble = new Trouble("time series", log);
  let running = true;
  let wake = () => {};

  const sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  async function run(): Promise<void> {
    while (running) {
      try {
        const taken = await project(collections, leases);
        trouble.over();
        if (taken === 0 && running) await sleep(IDLE_MS);
      } catch (error) {
        trouble.failed(error);
        if (running) await sleep(BACKOFF_MS);
      }
    }
    await leases.release();
  }

  const done = run();
  return {
    wake: () => wake(),
    async stop() {
      running = false;
      wake();
      await done;
    },
  };
}

/** @returns how many events it took */
async function project(
  { outbox, raw_machine_data }: Pick<Collections, "outbox" | "raw_machine_data">,
  leases: Leases,
): Promise<number> {
  const slots = await leases.hold();
  if (slots.length === 0) return 0;
  const events = await nextOf(outbox, slots);
  // A bucket of the time series is of one machine, and takes what comes behind each other.
  events.sort((a, b) => (a.machine_id < b.machine_id ? -1 : a.machine_id > b.machine_id ? 1 : a._id - b._id));
  const docs = events.flatMap(observed);
  if (docs.length > 0) await raw_machine_data.insertMany(docs, { ordered: false });
  await outbox.updateMany({ _id: { $in: events.map(({ _id }) => _id) } }, { $unset: { raw: "" } });
  return events.length;
}

async function nextOf(outbox: Collections["outbox"], slots: number[]): Promise<EventDoc[]> {
  const taken: EventDoc[] = [];
  let rows = 0;
  const cursor = outbox
    .find({ raw: true, slot: { $in: slots } })
    .sort({ _id: 1 })
    .limit(BATCH_EVENTS);
  for await (const event of cursor) {
    taken.push(event);
    rows += event.rows;
    if (rows >= BATCH_ROWS) break;
  }
  return taken;
}

const decoder = new TextDecoder();

/** An event's observations; of one that cannot be read there are none, as in analytics. */
function observed({ id, tenant_id, machine_id, bytes }: EventDoc): RawDoc[] {
  let data: ObservationColumns;
  try {
    data = (JSON.parse(decoder.decode(bytes)) as { data: ObservationColumns }).data;
  } catch {
    return [];
  }
  return Array.from(observations(data), ({ signal, ts_us, seq, value }) => ({
    ts: new Date(ts_us / 1_000),
    machine: { tenant_id, machine_id },
    signal,
    ts_us,
    seq,
    ...(typeof value === "number" && { num: value }),
    ...(typeof value === "string" && { word: value }),
    event_id: id,
  }));
}
