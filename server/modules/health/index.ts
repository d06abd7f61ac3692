// /healthz, /readyz, /metrics: open to all, for whoever watches the watcher.
import { Elysia } from "elysia";
import type { Registry } from "prom-client";
import type { LakeKeeper } from "../../../analytics-sql/lake/keeper.ts";
import type { Redis } from "../../../ingest/live/redis.ts";
import type { Relay } from "../../../ingest/outbox/relay.ts";
import type { Store } from "../../../ingest/store/store.ts";
import type { Role } from "../../config.ts";
import type { Sources } from "../../sources.ts";

type Deps = {
  store: Store;
  relay: Relay;
  sources: Sources["report"];
  lake: LakeKeeper | undefined;
  metrics: Registry;
  ready: () => boolean;
  roles: readonly Role[];
  redis: Redis | undefined;
};

export const healthModule = ({ store, relay, sources, lake, metrics, ready, roles, redis }: Deps) =>
  new Elysia()
    .get("/healthz", () => ({ status: "ok" }), { detail: { tags: ["Health"], summary: "The process lives" } })
    .get(
      "/readyz",
      async ({ set }) => {
        const outbox = await store.outboxDepth();
        if (!ready()) set.status = 503;
        const lag_s = outbox.oldest_ms === 0 ? 0 : (Date.now() - outbox.oldest_ms) / 1_000;
        const { error, poison_events } = relay.status();
        return {
          status: ready() ? "ready" : "starting",
          roles,
          store: store.about(),
          redis: redis?.state() ?? "none",
          outbox: { events: outbox.events, bytes: outbox.bytes, lag_s, poison_events, error },
          sources: (await sources()).map(({ name, state, error, read_by }) => ({
            name,
            state,
            error,
            ...(read_by && { read_by }),
          })),
          ...(lake ? { lake: lake.status() } : {}),
        };
      },
      { detail: { tags: ["Health"], summary: "Takes requests; how far analytics lies behind; the sources" } },
    )
    .get(
      "/metrics",
      async () => new Response(await metrics.metrics(), { headers: { "content-type": metrics.contentType } }),
      { detail: { tags: ["Health"], summary: "Prometheus metrics" } },
    );
