// What reads the machines' sources: collectors that several processes share, each with its part, and what all tell of theirs.
import { hostname } from "node:os";
import { type BackgroundLoop, backgroundLoop } from "../domain/lib/background-loop.ts";
import type { HostClock } from "../ingest/clock.ts";
import {
  type CollectorStatus,
  type Collectors,
  type Sourced,
  startCollectors,
} from "../ingest/collectors.ts";
import type { LiveHub } from "../ingest/live/hub.ts";
import type { Pipeline } from "../ingest/pipeline.ts";
import type { MachineSource } from "../ingest/sources/model.ts";
import type { Share, Store, Told } from "../ingest/store/store.ts";
import { Trouble } from "../ingest/trouble.ts";
import type { Machines } from "./modules/machines/service.ts";

/** How often a process says that it lives, and looks what has become its own. */
const LOOK_MS = 1_000;
/** Several machines that change at once are one change for the collectors. */
const SETTLE_MS = 50;
/** When a source was last heard is told to the others so often; how it is doing as soon as that changes. */
const TELL_EVERY_MS = 10_000;
/** Of very many sources those in trouble are told first; their words are cut (invariant 7). */
const MAX_TOLD = 5_000;
const MAX_ERROR_LENGTH = 500;

type Log = (message: string) => void;

/** How a source is doing, and which process reads it: `host/pid`, "" where there is only this one. */
export type SourceReport = CollectorStatus & { read_by: string };

export type Sources = {
  collectors: Collectors;
  /** All sources, whoever reads them. @throws where the store cannot be read */
  report(): Promise<SourceReport[]>;
  /** Starts the collectors, and brings them to what the machines are now; before that nothing is read from any source. */
  collect(): Promise<void>;
  stop(): Promise<void>;
};

type Deps = {
  store: Pick<Store, "share">;
  pipeline: Pipeline;
  machines: Machines;
  hub: LiveHub;
  clock: HostClock;
  /** Whether this process reads any, and whether others may as well. */
  collects: boolean;
  shared: boolean;
  log: Log;
};

export function startSources({
  store,
  pipeline,
  machines,
  hub,
  clock,
  collects,
  shared,
  log,
}: Deps): Sources {
  const stopping = new AbortController();
  const share = store.share("collect");
  const sink = pipeline.sink((id) => machines.byId(id), stopping.signal, share.standing);
  const collectors = startCollectors(sink, hub, clock);
  const sourced = (): Sourced[] =>
    machines.all().map(({ id, source, source_since_ms }) => ({
      id,
      source: source as MachineSource,
      source_since_ms,
    }));
  const me = shared ? `${hostname()}/${process.pid}` : "";
  const own = (): SourceReport[] => collectors.status().map((row) => ({ ...row, read_by: me }));
  const sharing = shareCollectors(collectors, share, { sourced, tell: teller(share, own), log });
  const collect = async (): Promise<void> => {
    if (collects) await sharing.look();
  };
  const telling = tellOfContact(own, log);
  let settling: Timer | undefined;
  machines.onChange(() => {
    clearTimeout(settling);
    settling = setTimeout(
      () => void collect().catch((error: Error) => log(`collectors: ${error.message}`)),
      SETTLE_MS,
    );
  });
  return {
    collectors,
    collect,
    // What another process tells is a second or two old: a machine may be gone by now.
    report: async () =>
      withOthers(own(), await share.told(), me).filter(({ machine_ids }) =>
        machine_ids.some((id) => machines.byId(id)),
      ),
    async stop() {
      clearTimeout(settling);
      await telling.stop();
      stopping.abort();
      await sharing.stop();
    },
  };
}

/** Says once of each source that is lost why it is, and once when it is heard again. */
function tellOfContact(own: () => SourceReport[], log: Log): BackgroundLoop {
  const known = new Map<string, Trouble>();
  return backgroundLoop(async () => {
    const rows = own();
    for (const { name, state, error, since_ms } of rows) {
      const trouble = known.get(name) ?? new Trouble(`source ${name}`, log);
      known.set(name, trouble);
      if (state === "unreachable") trouble.failed(new Error(error || "it is not heard any more"), since_ms);
      else if (state !== "connecting") trouble.over();
    }
    // One that was taken away is missed by nobody.
    const names = new Set(rows.map(({ name }) => name));
    for (const name of known.keys()) if (!names.has(name)) known.delete(name);
    return LOOK_MS;
  });
}

/** @returns what is to be called again and again: it has the others know how this process's sources are doing */
function teller(share: Share, own: () => SourceReport[]): () => void {
  let told = { of: "", at_ms: 0 };
  return () => {
    const rows = own()
      .map((row) => ({ ...row, error: row.error.slice(0, MAX_ERROR_LENGTH).toWellFormed() }))
      .sort((a, b) => Number(b.error !== "") - Number(a.error !== ""))
      .slice(0, MAX_TOLD);
    const of = JSON.stringify(rows.map((row) => ({ ...row, heard_ms: 0 })));
    if (of === told.of && performance.now() - told.at_ms < TELL_EVERY_MS) return;
    told = { of, at_ms: performance.now() };
    share.tell(JSON.stringify(rows));
  };
}

/** A source that another process has taken over is that one's; one that nobody has is lost, and whoever had it is named. */
export function withOthers(own: SourceReport[], told: Told[], me: string): SourceReport[] {
  const all = [...own];
  for (const { words, lives } of told.toSorted((a, b) => Number(b.lives) - Number(a.lives))) {
    const known = new Set(all.map(({ name }) => name));
    const theirs = (JSON.parse(words) as SourceReport[]).filter(
      ({ name, read_by }) => read_by !== me && !known.has(name),
    );
    all.push(...(lives ? theirs : theirs.map(lost)));
  }
  return all;
}

function lost(row: SourceReport): SourceReport {
  return { ...row, state: "unreachable", error: `nobody reads it: ${row.read_by} is gone`, read_by: "" };
}

/**
 * `look` brings the collectors to what the machines are now; its first call begins to take a part. `stop` leaves everything to
 * the others.
 * @param sourced all machines there are, whoever reads them
 */
function shareCollectors(
  collectors: Collectors,
  share: Share,
  { sourced, tell, log }: { sourced: () => Sourced[]; tell: () => void; log: Log },
) {
  const trouble = new Trouble("collectors", log);
  let looking: BackgroundLoop | undefined;
  const apply = (): Promise<void> => collectors.update(sourced(), share.has);
  const balance = async (): Promise<void> => {
    try {
      if (await share.balance(apply)) await apply();
      trouble.over();
    } catch (error) {
      trouble.failed(error);
    }
  };
  return {
    async look(): Promise<void> {
      if (!looking) {
        await balance();
        looking = backgroundLoop(async () => {
          await balance();
          tell();
          return LOOK_MS;
        });
      }
      await apply();
    },
    async stop(): Promise<void> {
      await looking?.stop();
      await collectors.stop();
      await share.release().catch((error: unknown) => trouble.failed(error));
    },
  };
}
