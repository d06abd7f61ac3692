// What /metrics tells: requests, ingest, outbox, sources, live readers.
import { Elysia } from "elysia";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Engine } from "../../analytics-sql/engine/engine.ts";
import type { LakeKeeper } from "../../analytics-sql/lake/keeper.ts";
import type { Collectors } from "../../ingest/collectors.ts";
import type { LiveHub } from "../../ingest/live/hub.ts";
import type { Relay } from "../../ingest/outbox/relay.ts";
import { ageOf_s, lagOf_s, type Parts } from "../health/parts.ts";

type Deps = {
  parts: Parts;
  engine: Pick<Engine, "process">;
  relay: Relay;
  collectors: Collectors;
  hub: LiveHub;
  lake: LakeKeeper | undefined;
};

/** What is known when they are asked for: nothing is waited for. */
export function createMetrics({ parts, engine, relay, collectors, hub, lake }: Deps): Registry {
  const registry = new Registry();
  const gauge = (name: string, help: string, read: () => number): void => {
    const made: Gauge = new Gauge({
      name,
      help,
      registers: [registry],
      collect: () => made.set(read()),
    });
  };
  observeParts(registry, parts);
  const outbox = () => parts.outbox().value;
  gauge("mtc_outbox_events", "Events not yet delivered to analytics", () => outbox()?.events ?? Number.NaN);
  gauge("mtc_outbox_bytes", "Bytes not yet delivered to analytics", () => outbox()?.bytes ?? Number.NaN);
  gauge("mtc_outbox_lag_seconds", "Age of the oldest event not yet delivered", () =>
    lagOf_s(outbox() ?? { oldest_ms: Number.NaN }),
  );
  gauge(
    "mtc_outbox_counted_seconds",
    "How long ago the outbox was counted",
    () => ageOf_s(parts.outbox().at_ms) ?? Number.NaN,
  );
  gauge(
    "mtc_delivered_events",
    "Events delivered to analytics since the start",
    () => relay.status().delivered_events,
  );
  gauge(
    "mtc_consumer_lag_events",
    "Events with the bus that analytics has not taken yet; NaN while the bus cannot tell",
    () => {
      const seen = parts.backlog();
      if (!seen) return 0;
      return seen.error === "" ? (seen.value?.events ?? Number.NaN) : Number.NaN;
    },
  );
  gauge("mtc_poison_events", "Events set aside since the start", () => relay.status().poison_events);
  if (lake) {
    gauge("mtc_lake_days", "Days of the raw time series that are in the lake", () => lake.status().days);
    gauge("mtc_lake_written_files", "Files written since the start", () => lake.status().files);
    gauge(
      "mtc_lake_last_success_timestamp_seconds",
      "When the lake was last found up to date, or brought there",
      () => lake.status().last_success_ms / 1_000,
    );
  }
  gauge("mtc_live_readers", "Open live streams", () => hub.readers);
  const { process: own } = engine;
  gauge(
    "mtc_resident_memory_bytes",
    "Resident memory of the program, with the embedded engine's process",
    () => process.memoryUsage.rss() + (own?.().resident_bytes ?? 0),
  );
  if (own) {
    gauge("mtc_engine_up", "1 while the embedded engine takes questions", () => Number(own().up));
    gauge(
      "mtc_engine_restarts",
      "How often the embedded engine was started again since the start",
      () => own().restarts,
    );
    gauge(
      "mtc_engine_resident_memory_bytes",
      "Resident memory of the embedded engine's process, without mapped files",
      () => own().resident_bytes,
    );
  }
  const sources = new Gauge({
    name: "mtc_sources",
    help: "Collectors by state",
    labelNames: ["state"],
    registers: [registry],
    collect() {
      sources.reset();
      for (const { state } of collectors.status()) sources.inc({ state });
    },
  });
  observePolls(registry, collectors);
  return registry;
}

/** What the program stands on. */
function observeParts(registry: Registry, parts: Parts): void {
  const labelNames = ["part"];
  const registers = [registry];
  const up = new Gauge({
    name: "mtc_part_up",
    help: "1 while a part answers",
    labelNames,
    registers,
    collect() {
      for (const one of parts.all()) up.set({ part: one.part }, Number(one.up));
    },
  });
  const age = new Gauge({
    name: "mtc_part_seen_seconds",
    help: "How long ago a part answered last",
    labelNames,
    registers,
    collect() {
      for (const one of parts.all()) age.set({ part: one.part }, ageOf_s(one.seen_ms) ?? Number.NaN);
    },
  });
}

/** How punctual the Modbus polls are, by host. */
function observePolls(registry: Registry, collectors: Collectors): void {
  const labelNames = ["source"];
  const registers = [registry];
  const jitter = new Histogram({
    name: "mtc_modbus_poll_jitter_seconds",
    help: "How long after its time a poll began",
    labelNames,
    registers,
    buckets: [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
  });
  const duration = new Histogram({
    name: "mtc_modbus_poll_seconds",
    help: "From the begin of a poll to its last answer",
    labelNames,
    registers,
    buckets: [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
  });
  const overruns = new Counter({
    name: "mtc_modbus_poll_overruns_total",
    help: "Polls left out because the one before took too long",
    labelNames,
    registers,
  });
  collectors.onPoll(({ source, jitter_s, duration_s, missed }) => {
    jitter.observe({ source }, jitter_s);
    duration.observe({ source }, duration_s);
    overruns.inc({ source }, missed);
  });
}

/** Counts requests and their time by route and status class. */
export function requestMetrics(registry: Registry) {
  const requests = new Counter({
    name: "mtc_http_requests_total",
    help: "HTTP requests",
    labelNames: ["route", "status"],
    registers: [registry],
  });
  const seconds = new Histogram({
    name: "mtc_http_request_seconds",
    help: "Time to answer",
    labelNames: ["route"],
    buckets: [0.001, 0.005, 0.025, 0.1, 0.25, 1, 5],
    registers: [registry],
  });
  const started = new WeakMap<Request, number>();
  return new Elysia({ name: "request-metrics" })
    .onRequest(({ request }) => {
      started.set(request, performance.now());
    })
    .onAfterResponse({ as: "global" }, ({ request, route, set, responseValue }) => {
      const status = responseValue instanceof Response ? responseValue.status : (set.status ?? 200);
      const begun = started.get(request);
      const name = route || "(none)";
      requests.inc({ route: name, status: String(status) });
      if (begun !== undefined) seconds.observe({ route: name }, (performance.now() - begun) / 1_000);
    });
}
