// The way of all data: name it, put it in its envelope, commit it, wake the relay, show it live.
import { decodeTime, monotonicFactory } from "ulid";
import { sleep } from "../domain/lib/sleep.ts";
import {
  type EventData,
  type EventType,
  encodeData,
  encodeEvent,
  MAX_AHEAD_US,
  type ObservationColumns,
} from "./event.ts";
import type { LiveHub } from "./live/hub.ts";
import { derive, type Rules } from "./rules.ts";
import type { Sink } from "./sources/source.ts";
import {
  type Appended,
  type Commit,
  type Machine,
  type NewEvent,
  Overloaded,
  type Share,
  type Store,
} from "./store/store.ts";

/** Whose data it is, and what it means beside itself. */
export type Subject = { tenant_id: string; id: string; rules: Rules };

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
  /**
   * What collectors write to; waits instead of refusing while the outbox is full, but not after `stopping`.
   * @param standing whether the sources are still this process's to read; while that is unsure nothing is committed
   */
  sink(
    machine: (id: string) => Subject | undefined,
    stopping: AbortSignal,
    standing?: Share["standing"],
  ): Sink;
  /** Event ids go on after the store's newest one: of two words about one thing the later id holds. */
  catchUp(): Promise<void>;
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
  const catchUp = async (): Promise<void> => {
    const last = await store.lastEventId();
    if (last) ulid(decodeTime(last) + 1);
  };
  await catchUp();

  function envelope(
    machine: Subject,
    type: EventType,
    data: Uint8Array,
    columns?: ObservationColumns,
  ): NewEvent {
    const taken_ms = now_ms();
    // However wrong our clock is, what an event tells is not more than a day after it was taken: purges and rebuilds
    // count on that.
    const time_ms = columns
      ? Math.max(taken_ms, Math.ceil((latest_us(columns) - MAX_AHEAD_US) / 1_000))
      : taken_ms;
    const rows = columns?.signal.length ?? 0;
    const header = {
      id: ulid(taken_ms),
      type,
      tenant_id: machine.tenant_id,
      machine_id: machine.id,
      time_ms,
    };
    return { header, bytes: encodeEvent(header, data), rows };
  }

  const event: Pipeline["event"] = (machine, type, data) =>
    envelope(machine, type, encodeData(data), "signal" in data ? data : undefined);

  /** A batch's event, its bytes untouched (invariant 8), and behind it what the batch means by the machine's rules. */
  function observed(
    machine: Subject,
    bytes: Uint8Array,
    columns: ObservationColumns,
    dedupe: Dedupe,
  ): Observed {
    const first = envelope(machine, "mtc.observations.v1", bytes, columns);
    const derived = derive(machine.rules, columns).map((batch) => batch.columns());
    return {
      events: [
        dedupe ? { ...first, dedupe } : first,
        ...derived.map((meant) => ({ ...event(machine, "mtc.observations.v1", meant), derived: true })),
      ],
      show: () => {
        for (const shown of [columns, ...derived]) hub.apply(machine.id, shown);
      },
    };
  }

  async function commit(commit: Commit): Promise<Appended[]> {
    const appended = await store.commit(commit);
    wake();
    return appended;
  }

  const observe: Pipeline["observe"] = async (machine, bytes, columns, dedupe) => {
    const { events, show } = observed(machine, bytes, columns, dedupe);
    const [appended] = await commit({ events });
    if (!appended) throw new Error("the store gave no answer");
    if (appended.outcome === "stored") show();
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
    catchUp,
    sink: (machine, stopping, standing = () => "held") => {
      const fenced: Pipeline["commit"] = async (work) => {
        if (standing() === "lost") throw new Error("another process reads this source now");
        if (standing() === "unsure") throw new Overloaded("another process may read this source by now", 1);
        return commit(work);
      };
      return createSink({ machine, stopping, observed, event, commit: fenced, store });
    },
  };
}

/** The latest time of any of them. */
const latest_us = ({ t0, dt }: ObservationColumns): number =>
  t0 + dt.reduce((latest, offset) => Math.max(latest, offset), -Infinity);

type Dedupe = NewEvent["dedupe"];

/** A collector's key. No header can hold a line break, so no client's Idempotency-Key is ever the same. */
const bySource = (key: string): NonNullable<Dedupe> => ({ key: `\n${key}`, body_hash: "" });

/** A batch on its way to the store, and how to show it live once it is there. */
type Observed = { events: NewEvent[]; show: () => void };

type SinkDeps = {
  machine: (id: string) => Subject | undefined;
  stopping: AbortSignal;
  observed: (machine: Subject, bytes: Uint8Array, columns: ObservationColumns, dedupe: Dedupe) => Observed;
  event: Pipeline["event"];
  commit: Pipeline["commit"];
  store: Store;
};

function createSink({ machine, stopping, observed, event, commit, store }: SinkDeps): Sink {
  return {
    async append(batches, checkpoint) {
      // Made anew for every attempt: the store takes the bytes away.
      const attempt = async (): Promise<void> => {
        const taken = batches.flatMap(({ machine_id, columns: builder, dedupe_key }) => {
          const subject = machine(machine_id);
          if (!subject) return [];
          const columns = builder.columns();
          return [observed(subject, encodeData(columns), columns, bySource(dedupe_key))];
        });
        const results = await commit({
          events: taken.flatMap(({ events }) => events),
          ...(checkpoint ? { checkpoint } : {}),
        });
        let at = 0;
        for (const { events, show } of taken) {
          if (results[at]?.outcome === "stored") show();
          at += events.length;
        }
      };
      await untilTaken(attempt, stopping);
    },
    checkpoint: (agent) => store.checkpoint(agent),
    async assets(records) {
      const attempt = () =>
        commit({
          events: records.flatMap(({ machine_id, asset, dedupe_key }) => {
            const subject = machine(machine_id);
            if (!subject) return [];
            const dedupe = bySource(dedupe_key);
            return [{ ...event(subject, "mtc.asset.v1", { asset }), dedupe }];
          }),
        });
      await untilTaken(attempt, stopping);
    },
    async gap(machine_id, gap) {
      const subject = machine(machine_id);
      if (!subject) return;
      const { from_us, cause } = gap;
      const key = { machine_id, from_us, cause };
      const attempt = () =>
        commit({
          events: [event(subject, "mtc.gap.v1", { gap })],
          ...(gap.to_us === 0 ? { open_gap: key } : { close_gaps: [key] }),
        });
      await untilTaken(attempt, stopping);
    },
    openGaps: (machine_id) => store.openGaps(machine_id),
  };
}

/**
 * A collector does not drop what it read: it stops reading until there is room (invariant 7).
 * @throws Overloaded once the program stops: what was read without room is read again, or missing, after the next start
 */
async function untilTaken<T>(attempt: () => Promise<T>, stopping: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Overloaded) || stopping.aborted) throw error;
      await sleep(error.retry_after_s * 1_000, stopping);
    }
  }
}

export type { Machine };
