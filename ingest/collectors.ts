// Keeps one collector running for every source: one for an agent however many machines it serves.
import type { LiveHub } from "./live/hub.ts";
import { startModbus } from "./sources/modbus/collector.ts";
import type { MachineSource } from "./sources/model.ts";
import { startAgentCollector } from "./sources/mtconnect/collector.ts";
import type { Collector, Sink, SourceStatus } from "./sources/source.ts";

/** A machine with the source that serves it. */
export type Sourced = { id: string; source: MachineSource };

export type CollectorStatus = SourceStatus & { name: string; machine_ids: string[] };

export type Collectors = {
  /** Starts what is new, stops what is gone, restarts what changed. */
  update(machines: Sourced[]): Promise<void>;
  status(): CollectorStatus[];
  stop(): Promise<void>;
};

/** A collector that should run, and how to start it; equal keys are the same collector. */
type Wanted = { key: string; name: string; machine_ids: string[]; start: () => Collector };

/** An address as it may be shown: without the credentials it may hold. */
const shown = (url: string): string => url.replace(/\/\/[^/?#]*@/, "//");

/** How often the sources' condition is shown to the live hub. */
const WATCH_MS = 500;

export function startCollectors(sink: Sink, hub: LiveHub): Collectors {
  const running = new Map<string, Wanted & { collector: Collector }>();
  let updating = Promise.resolve();

  const timer = setInterval(() => {
    for (const { machine_ids, collector } of running.values()) {
      const { state, heard_ms } = collector.status();
      for (const id of machine_ids) hub.source(id, state, heard_ms);
    }
  }, WATCH_MS);

  async function apply(machines: Sourced[]): Promise<void> {
    const wanted = new Map(collectorsFor(machines, sink).map((one) => [one.key, one]));
    const gone = [...running.values()].filter(({ key }) => !wanted.has(key));
    await Promise.all(gone.map(({ collector }) => collector.stop()));
    for (const { key } of gone) running.delete(key);
    for (const one of wanted.values()) {
      if (!running.has(one.key)) running.set(one.key, { ...one, collector: one.start() });
    }
  }

  return {
    update(machines) {
      const applied = updating.then(() => apply(machines));
      // One failure must not keep all later changes from the collectors.
      updating = applied.catch(() => undefined);
      return applied;
    },
    status: () =>
      [...running.values()].map(({ name, machine_ids, collector }) => ({
        name,
        machine_ids,
        ...collector.status(),
      })),
    async stop() {
      clearInterval(timer);
      await updating;
      await Promise.all([...running.values()].map(({ collector }) => collector.stop()));
      running.clear();
    },
  };
}

function collectorsFor(machines: Sourced[], sink: Sink): Wanted[] {
  const wanted: Wanted[] = [];
  const agents = new Map<string, { machine_id: string; device?: string }[]>();
  for (const { id, source } of machines) {
    if (source.kind === "mtconnect") {
      const url = source.url.replace(/\/+$/, "");
      const served = agents.get(url) ?? [];
      served.push({ machine_id: id, ...(source.device === undefined ? {} : { device: source.device }) });
      agents.set(url, served);
    } else if (source.kind === "modbus") {
      const { kind: _, ...options } = source;
      wanted.push({
        key: JSON.stringify([id, source]),
        name: `modbus://${source.host}:${source.port ?? 502}/${source.unit ?? 1}`,
        machine_ids: [id],
        start: () => startModbus({ ...options, machine_id: id, sink }),
      });
    }
  }
  for (const [url, served] of agents) {
    wanted.push({
      key: JSON.stringify([url, served]),
      name: shown(url),
      machine_ids: served.map(({ machine_id }) => machine_id),
      start: () => startAgentCollector({ url, machines: served, sink }),
    });
  }
  return wanted;
}
