// The HTTP server: every module under one roof, with errors, metrics and the OpenAPI document.
import { openapi } from "@elysiajs/openapi";
import { Elysia } from "elysia";
import packageJson from "../package.json" with { type: "json" };
import { Arrivals } from "./arrivals.ts";
import { adminModule } from "./modules/admin/index.ts";
import { analyticsModule } from "./modules/analytics/index.ts";
import { backupModule } from "./modules/backup/index.ts";
import { deadLettersModule } from "./modules/dead-letters/index.ts";
import { downtimeModule } from "./modules/downtime/index.ts";
import { explainModule } from "./modules/explain/index.ts";
import { healthModule } from "./modules/health/index.ts";
import { ingestModule } from "./modules/ingest/index.ts";
import { keysModule } from "./modules/keys/index.ts";
import { machinesModule } from "./modules/machines/index.ts";
import { pagesModule } from "./modules/pages/index.ts";
import { problemsModule } from "./modules/problems/index.ts";
import { reasonsModule } from "./modules/reasons/index.ts";
import { rebuildModule } from "./modules/rebuild/index.ts";
import { schemasModule } from "./modules/schemas/index.ts";
import { sessionModule } from "./modules/session/index.ts";
import { sqlModule } from "./modules/sql/index.ts";
import { streamModule } from "./modules/stream/index.ts";
import { usersModule } from "./modules/users/index.ts";
import { reportAdmission } from "./plugins/admission.ts";
import { BREAK_OFF_BYTES, boundedBodies } from "./plugins/bodies.ts";
import { clientAddress } from "./plugins/client-address.ts";
import { DEADLINES, deadlines } from "./plugins/deadline.ts";
import { documented, PROBLEM } from "./plugins/documented.ts";
import { door, wrongMethod } from "./plugins/door.ts";
import { errors } from "./plugins/errors.ts";
import { requestMetrics } from "./plugins/metrics.ts";
import type { Services } from "./services.ts";

/** How long a socket may be quiet on which nothing was asked yet. */
const IDLE_TIMEOUT_S = 30;
/**
 * The same once something is asked: Bun cuts off quiet sockets, those too whose answer is being worked on. Every deadline is
 * before it. Streams are exempt.
 */
const WORK_TIMEOUT_S = DEADLINES.change_ms / 1_000 + 60;

/** What a process tells that serves nothing else: whether it lives, is ready, and its metrics. */
export const createHealthApp = (services: Services) =>
  new Elysia({ serve: { idleTimeout: IDLE_TIMEOUT_S } })
    .use(door(services.trusted_proxies))
    .use(errors(services.log))
    .use(healthModule(services));

export function createApp(services: Services) {
  const app = documented(appOf(services));
  services.from.address = (request) => clientAddress(app.server, request, services.trusted_proxies);
  return app;
}

function appOf(services: Services) {
  const { engine, machines, annotations, reasons, pipeline, reports } = services;
  const { explanations, figures, operator, hub, rebuilds, keys, metrics, log } = services;
  const arrivals = new Arrivals(services);
  const admitted = reportAdmission(keys, log, (tenant_id) => arrivals.of(tenant_id));
  const app = new Elysia({
    serve: { idleTimeout: IDLE_TIMEOUT_S, maxRequestBodySize: BREAK_OFF_BYTES },
    // Else a path is looked for behind the eleventh character: not found on a host called "mtc".
    handler: { standardHostname: false },
    // Live readers have nothing to say.
    websocket: { idleTimeout: IDLE_TIMEOUT_S, maxPayloadLength: 1_024 },
  })
    .onRequest(({ request, server }) => server?.timeout(request, WORK_TIMEOUT_S))
    .use(deadlines(log, DEADLINES, services.ending))
    .use(door(services.trusted_proxies))
    .use(
      errors(
        log,
        wrongMethod((): { method: string; path: string }[] => app.routes),
      ),
    )
    .use(requestMetrics(metrics))
    .use(boundedBodies)
    .use(
      openapi({
        specPath: "/openapi.json",
        provider: null,
        documentation: {
          info: {
            title: "MTC",
            version: packageJson.version,
            description: "Machine telemetry in, OEE out. Errors are application/problem+json (RFC 9457).",
          },
          components: {
            schemas: { Problem: PROBLEM },
            securitySchemes: {
              key: { type: "apiKey", in: "header", name: "X-API-Key" },
              bearer: { type: "http", scheme: "bearer" },
            },
          },
          security: [{ key: [] }, { bearer: [] }],
        },
      }),
    )
    .use(healthModule(services))
    .use(ingestModule(machines, pipeline, keys))
    .use(machinesModule(machines, keys))
    .use(downtimeModule(machines, annotations, keys))
    .use(reasonsModule(reasons, keys))
    .use(analyticsModule(machines, reports, keys, admitted))
    .use(sqlModule(engine, keys))
    .use(explainModule(machines, explanations, keys, admitted))
    .use(streamModule(machines, hub, keys))
    .use(keysModule(keys))
    .use(usersModule(keys))
    .use(rebuildModule(rebuilds, keys))
    .use(backupModule(services.backups, keys))
    .use(deadLettersModule(services.deadLetters, keys))
    .use(schemasModule(keys))
    .use(problemsModule(figures))
    .use(sessionModule(services))
    .use(adminModule(services))
    .use(pagesModule({ machines, figures, operator, explanations, reports, reasons, hub, keys, log }));
  return app;
}
