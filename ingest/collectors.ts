// Keeps one collector running for every source: one for an agent or a host, however many machines it serves.
import { mutex } from "../domain/lib/mutex.ts";
import { HostClock } from "./clock.ts";
import type { LiveHub } from "./live/hub.ts";
import { withoutCredentials } from "./sources/credentials.ts";
import { checkpointOf, type ModbusMachine } from "./sources/modbus/machine.ts";
import { type ModbusOptions, type ModbusPoller, type Poll, startModbus } from "./sources/modbus/poller.ts";
import type { MachineSource } from "./sources/model.ts";
import { type AgentMachine, startAgentCollector } from "./sources/mtconnect/collector.ts";
import type { Collector, Sink, SourceStatus } from "./sources/source.ts";

/** A machine with the source that serves it, and when that was set (ms since 1970). */
export type Sourced = { id: string; source: MachineSource; source_since_ms: number };

export type CollectorStatus = SourceStatus & { name: string; machine_ids: string[] };

export type Collectors = {
  /**
   * Starts what is new, stops what is gone, restarts what changed.
   * @param mine whether this process reads a source, by its place; the others' are left to others
   */
  update(machines: Sourced[], mine?: (place: string) => boolean): Promise<void>;
  status(): CollectorStatus[];
  /** Calls back after every Modbus poll. */
  onPoll(listener: (poll: Poll) => void): void;
  stop(): Promise<void>;
};

/** Machines of one collector that share one status. */
type Row = { name: string; machine_ids: string[] };

/** A collector that should run, and how to start it; equal keys are the same collector. `place` is what it reads. */
type Wanted = {
  key: string;
  place: string;
  rows: Row[];
  start: () => Collector;
  /** Tells a collector that runs already what changed for it. */
  update?: (running: Collector) => Promise<void>;
};

/** How often the sources' condition is shown to the live hub. */
const WATCH_MS = 500;

/** @param clock which time modules are read at */
export function startCollectors(sink: Sink, hub: LiveHub, clock = new HostClock()): Collectors {
  const running = new Map<string, Wanted & { collector: Collector }>();
  const polled_ids = new Set<string>();
  const listeners = new Set<(poll: Poll) => void>();
  const onPoll = (poll: Poll): void => {
    for (const listener of listeners) listener(poll);
  };
  const exclusive = mutex();

  const status = (): CollectorStatus[] =>
    [...running.values()].flatMap(({ rows, collector }) =>
      rows.map((row) => ({ ...row, ...collector.status(row.machine_ids[0]) })),
    );

  const timer = setInterval(() => {
    for (const { machine_ids, state, heard_ms } of status()) {
      for (const id of machine_ids) hub.source(id, state, heard_ms);
    }
  }, WATCH_MS);

  async function apply(machines: Sourced[], mine: (place: string) => boolean): Promise<void> {
    const wanted = new Map(
      [...agentsOf(machines, sink), ...hostsOf(machines, { sink, onPoll, clock })]
        .filter(({ place }) => mine(place))
        .map((one) => [one.key, one]),
    );
    const gone = [...running.values()].filter(({ key }) => !wanted.has(key));
    await Promise.all(gone.map(({ collector }) => collector.stop()));
    for (const { key } of gone) running.delete(key);
    for (const one of wanted.values()) {
      const collector = running.get(one.key)?.collector;
      if (collector) await one.update?.(collector);
      running.set(one.key, { ...one, collector: collector ?? one.start() });
    }
    await forget(machines, wanted);
  }

  /**
   * A machine that is no longer polled must not be missed, should it ever be polled again. One that another process
   * polls from now on is missed until then.
   */
  async function forget(machines: Sourced[], wanted: ReadonlyMap<string, Wanted>): Promise<void> {
    const polled = new Set(machines.filter(({ source }) => source.kind === "modbus").map(({ id }) => id));
    for (const id of polled_ids) {
      if (!polled.has(id))
        await sink.append([], { agent: checkpointOf(id), instance_id: "", next_sequence: 0 });
      polled_ids.delete(id);
    }
    for (const { rows } of wanted.values())
      for (const { machine_ids } of rows)
        for (const id of machine_ids) if (polled.has(id)) polled_ids.add(id);
  }

  return {
    update(machines, mine = () => true) {
      return exclusive(() => apply(machines, mine));
    },
    status,
    onPoll: (listener) => void listeners.add(listener),
    async stop() {
      clearInterval(timer);
      await exclusive(async () => {});
      await Promise.all([...running.values()].map(({ collector }) => collector.stop()));
      running.clear();
    },
  };
}

/** One collector for an agent, one status for all its machines. */
function agentsOf(machines: Sourced[], sink: Sink): Wanted[] {
  const agents = new Map<string, AgentMachine[]>();
  for (const { id, source, source_since_ms: since_ms } of machines) {
    if (source.kind !== "mtconnect") continue;
    const url = source.url.replace(/\/+$/, "");
    const served = agents.get(url) ?? [];
    const { device } = source;
    served.push({ machine_id: id, since_ms, ...(device === undefined ? {} : { device }) });
    agents.set(url, served);
  }
  return [...agents].map(([url, served]) => ({
    key: JSON.stringify([url, served]),
    place: url,
    rows: [{ name: withoutCredentials(url), machine_ids: served.map(({ machine_id }) => machine_id) }],
    start: () => startAgentCollector({ url, machines: served, sink }),
  }));
}

/** One poller for a host and port; a machine more or less does not disturb the others. */
function hostsOf(
  machines: Sourced[],
  shared: Required<Pick<ModbusOptions, "sink" | "onPoll" | "clock">>,
): Wanted[] {
  const hosts = new Map<string, { host: string; port: number; served: ModbusMachine[] }>();
  for (const { id, source, source_since_ms: since_ms } of machines) {
    if (source.kind !== "modbus") continue;
    const { kind: _, host, port = 502, ...machine } = source;
    const key = `modbus://${host}:${port}`;
    const shared = hosts.get(key) ?? { host, port, served: [] };
    shared.served.push({ machine_id: id, since_ms, ...machine });
    hosts.set(key, shared);
  }
  return [...hosts].map(([key, { host, port, served }]) => ({
    key,
    place: key,
    rows: served.map(({ machine_id, unit = 1 }) => ({ name: `${key}/${unit}`, machine_ids: [machine_id] })),
    start: () => startModbus({ ...shared, host, port, machines: served }),
    update: (poller) => (poller as ModbusPoller).update(served),
  }));
}
