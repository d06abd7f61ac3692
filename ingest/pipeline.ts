// The way of all data: name it, put it in its envelope, commit it, wake the relay, show it live.
import { decodeTime, monotonicFactory } from "ulid";
import { type EventData, type EventType, encodeData, encodeEvent, type ObservationColumns } from "./event.ts";
import type { LiveHub } from "./live/hub.ts";
import type { Sink } from "./sources/source.ts";
import {
  type Appended,
  type Commit,
  type Machine,
  type NewEvent,
  Overloaded,
  type Store,
} from "./store/store.ts";

/** Whose data it is. */
export type Subject = { tenant_id: string; id: string };

export type Pipeline = {
  /**
   * Takes one batch of observations as the bytes of its columns.
   * @returns what became of it, once it is durable (invariant 1)
   * @throws Overloaded when nothing more can be taken (invariant 7)
   */
  observe(
    machine: Subject,
    bytes: Uint8Array,
    columns: ObservationColumns,
    dedupe?: NewEvent["dedupe"],
  ): Promise<Appended>;
  /** Takes a piece of configuration or an operator's entry, with what must commit along with it. */
  record(
    machine: Subject,
    type: EventType,
    data: EventData,
    along?: Omit<Commit, "events"> & { dedupe?: NewEvent["dedupe"] },
  ): Promise<Appended>;
  /** Takes several events in one transaction. */
  commit(commit: Commit): Promise<Appended[]>;
  /** An event of ours, enveloped and named. */
  event(machine: Subject, type: EventType, data: EventData): NewEvent;
  /** What collectors write to; waits instead of refusing while the outbox is full. */
  sink(machine: (id: string) => Subject | undefined): Sink;
};

type Deps = {
  store: Store;
  hub: LiveHub;
  /** Called after every commit. */
  wake(): void;
  now_ms(): number;
};

/** Makes the pipeline; event ids go on after the store's newest even where the clock was set back. */
export async function createPipeline({ store, hub, wake, now_ms }: Deps): Promise<Pipeline> {
  const ulid = monotonicFactory();
  const last = await store.lastEventId();
  if (last) ulid(decodeTime(last) + 1);

  function envelope(machine: Subject, type: EventType, data: Uint8Array, rows: number): NewEvent {
    const time_ms = now_ms();
    const header = { id: ulid(time_ms), type, tenant_id: machine.tenant_id, machine_id: machine.id, time_ms };
    return { header, bytes: encodeEvent(header, data), rows };
  }

  const event: Pipeline["event"] = (machine, type, data) => envelope(machine, type, encodeData(data), 0);

  async function commit(commit: Commit): Promise<Appended[]> {
    const appended = await store.commit(commit);
    wake();
    return appended;
  }

  const observe: Pipeline["observe"] = async (machine, bytes, columns, dedupe) => {
    const event = envelope(machine, "mtc.observations.v1", bytes, columns.signal.length);
    const [appended] = await commit({ events: [dedupe ? { ...event, dedupe } : event] });
    if (!appended) throw new Error("the store gave no answer");
    if (appended.outcome === "stored") hub.apply(machine.id, columns);
    return appended;
  };

  const record: Pipeline["record"] = async (machine, type, data, { dedupe, ...along } = {}) => {
    const made = event(machine, type, data);
    const [appended] = await commit({ ...along, events: [dedupe ? { ...made, dedupe } : made] });
    if (!appended) throw new Error("the store gave no answer");
    return appended;
  };

  return {
    observe,
    record,
    commit,
    event,
    sink: (machine) => createSink({ machine, envelope, event, commit, store, hub }),
  };
}

type SinkDeps = {
  machine: (id: string) => Subject | undefined;
  envelope: (machine: Subject, type: EventType, data: Uint8Array, rows: number) => NewEvent;
  event: Pipeline["event"];
  commit: Pipeline["commit"];
  store: Store;
  hub: LiveHub;
};

function createSink({ machine, envelope, event, commit, store, hub }: SinkDeps): Sink {
  return {
    async append(batches, checkpoint) {
      const taken = batches.flatMap((batch) => {
        const subject = machine(batch.machine_id);
        return subject ? [{ batch, subject, columns: batch.columns.columns() }] : [];
      });
      const results = await untilTaken(() =>
        commit({
          events: taken.map(({ batch, subject, columns }) => ({
            ...envelope(subject, "mtc.observations.v1", encodeData(columns), batch.columns.rows),
            dedupe: { key: batch.dedupe_key, body_hash: "" },
          })),
          ...(checkpoint ? { checkpoint } : {}),
        }),
      );
      taken.forEach(({ batch, columns }, i) => {
        if (results[i]?.outcome === "stored") hub.apply(batch.machine_id, columns);
      });
    },
    checkpoint: (agent) => store.checkpoint(agent),
    async gap(machine_id, gap) {
      const subject = machine(machine_id);
      if (!subject) return;
      const { from_us, cause } = gap;
      const key = { machine_id, from_us, cause };
      await untilTaken(() =>
        commit({
          events: [event(subject, "mtc.gap.v1", { gap })],
          ...(gap.to_us === 0 ? { open_gap: key } : { close_gap: key }),
        }),
      );
    },
    openGaps: (machine_id) => store.openGaps(machine_id),
  };
}

/** A collector does not drop what it read: it stops reading until there is room (invariant 7). */
async function untilTaken<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Overloaded)) throw error;
      await Bun.sleep(error.retry_after_s * 1_000);
    }
  }
}

export type { Machine };
