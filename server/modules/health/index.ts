// /healthz, /readyz, /metrics: open to all, for whoever watches the watcher. None of them waits for what it tells of.
import { Elysia } from "elysia";
import type { Registry } from "prom-client";
import type { LakeKeeper } from "../../../analytics-sql/lake/keeper.ts";
import type { Redis } from "../../../ingest/live/redis.ts";
import type { Relay } from "../../../ingest/outbox/relay.ts";
import type { Store } from "../../../ingest/store/store.ts";
import type { Role } from "../../config.ts";
import { ageOf_s, lagOf_s, type Part, type Parts, readinessOf } from "../../health/parts.ts";

type Deps = {
  store: Pick<Store, "about">;
  parts: Parts;
  relay: Relay;
  lake: LakeKeeper | undefined;
  metrics: Registry;
  stopping: () => boolean;
  roles: readonly Role[];
  redis: Redis | undefined;
};

export const healthModule = (deps: Deps) =>
  new Elysia()
    .get("/healthz", () => ({ status: "ok" }), { detail: { tags: ["Health"], summary: "The process lives" } })
    .get(
      "/readyz",
      ({ set }) => {
        const report = readyReport(deps);
        if (report.status === "not ready" || report.status === "stopping") set.status = 503;
        return report;
      },
      {
        detail: {
          tags: ["Health"],
          summary:
            "Takes requests; which part is down and since when; how far analytics lies behind; the sources",
        },
      },
    )
    .get(
      "/metrics",
      async () =>
        new Response(await deps.metrics.metrics(), { headers: { "content-type": deps.metrics.contentType } }),
      { detail: { tags: ["Health"], summary: "Prometheus metrics" } },
    );

function readyReport({ store, parts, relay, lake, stopping, roles, redis }: Deps) {
  const all = parts.all();
  const backlog = parts.backlog();
  return {
    status: readinessOf(all, stopping()),
    roles,
    down: all.filter(({ up }) => !up).map(downOf),
    parts: all.map(({ part, up, seen_ms }) => ({ part, up, age_s: ageOf_s(seen_ms) })),
    store: store.about(),
    redis: redis?.state() ?? "none",
    outbox: outboxOf(parts, relay),
    ...(backlog && {
      kafka: { events: backlog.value?.events ?? null, age_s: ageOf_s(backlog.at_ms) },
    }),
    sources: (parts.sources().value ?? []).map(({ name, state, error, read_by }) => ({
      name,
      state,
      error,
      ...(read_by && { read_by }),
    })),
    ...(lake ? { lake: lake.status() } : {}),
  };
}

const downOf = ({ part, since_ms, error }: Part) => ({
  part,
  since: new Date(since_ms).toISOString(),
  error,
});

function outboxOf(parts: Parts, relay: Relay) {
  const { value, at_ms } = parts.outbox();
  const { failing, poison_events } = relay.status();
  return {
    events: value?.events ?? null,
    bytes: value?.bytes ?? null,
    lag_s: value ? lagOf_s(value) : null,
    age_s: ageOf_s(at_ms),
    poison_events,
    error: failing?.error ?? "",
  };
}
