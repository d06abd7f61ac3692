// GET /api/v1/stream: what happens on the machines now, as server-sent events.
import { Elysia, t } from "elysia";
import type { LiveHub, Numbered } from "../../../ingest/live/hub.ts";
import { Overloaded } from "../../../ingest/store/store.ts";
import type { Keys } from "../../keys.ts";
import { auth } from "../../plugins/auth.ts";
import type { Machines } from "../machines/service.ts";

const HEARTBEAT_MS = 5_000;
/** A reader this far behind is let go; it comes back with its Last-Event-ID (invariant 7). */
const MAX_BEHIND_BYTES = 1024 * 1024;

/** How soon a browser comes back. */
const RETRY_MS = 1_000;
/** More readers are told to come later (invariant 7). */
const MAX_READERS = 1_000;

const encoder = new TextEncoder();
const frame = (event: string, data: unknown, id?: string): Uint8Array =>
  encoder.encode(
    `${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`,
  );

/** A delta's frame is made once, for however many readers. */
const frames = new WeakMap<Numbered, Uint8Array>();
function deltaFrame(numbered: Numbered): Uint8Array {
  let made = frames.get(numbered);
  if (!made) frames.set(numbered, (made = frame("delta", numbered.delta, numbered.id)));
  return made;
}

export const streamModule = (machines: Machines, hub: LiveHub, keys: Keys) =>
  new Elysia().use(auth(keys)).get(
    "/api/v1/stream",
    ({ caller, query, request, server }) => {
      if (hub.watchers >= MAX_READERS) throw new Overloaded(`${MAX_READERS} streams are open`, 10);
      // A quiet stream is not an idle connection.
      server?.timeout(request, 0);
      const own = new Set(machines.list(caller.tenant_id).map(({ id }) => id));
      const asked = query.machine === undefined ? undefined : [query.machine].flat();
      if (asked) for (const id of asked) machines.get(caller.tenant_id, id);
      const wanted = (id: string): boolean =>
        asked ? asked.includes(id) : own.has(id) || machines.byId(id)?.tenant_id === caller.tenant_id;
      const last = request.headers.get("last-event-id") ?? undefined;
      return new Response(liveStream(hub, asked ?? [...own], wanted, last), {
        headers: {
          "content-type": "text/event-stream",
          "cache-control": "no-store",
          "x-accel-buffering": "no",
        },
      });
    },
    {
      scope: "read",
      query: t.Object({
        machine: t.Optional(t.Union([t.String(), t.Array(t.String(), { maxItems: 1_000 })])),
      }),
      detail: {
        tags: ["Live"],
        summary: "Live values and states",
        description:
          "Events: `snapshot` on connect, then `delta` (at most ten a second for each machine) and `heartbeat` " +
          "every 5 s. `Last-Event-ID` resumes without a snapshot while the deltas are still kept.",
      },
    },
  );

/** Snapshot (or what was missed since `last`), then deltas until the reader goes. */
function liveStream(
  hub: LiveHub,
  machine_ids: string[],
  wanted: (id: string) => boolean,
  last: string | undefined,
): ReadableStream<Uint8Array> {
  let stop = (): void => {};
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        let open = true;
        const put = (bytes: Uint8Array): void => {
          if (!open) return;
          if ((controller.desiredSize ?? 0) >= 0) controller.enqueue(bytes);
          else {
            stop();
            controller.close();
          }
        };
        const send = (numbered: Numbered): void => {
          if (wanted(numbered.delta.machine_id)) put(deltaFrame(numbered));
        };
        const beat = setInterval(() => put(frame("heartbeat", { now_ms: Date.now() })), HEARTBEAT_MS);
        const unwatch = hub.watch(send);
        stop = () => {
          open = false;
          clearInterval(beat);
          unwatch();
        };
        put(encoder.encode(`retry: ${RETRY_MS}\n\n`));
        const missed = last === undefined ? undefined : hub.since(last);
        if (missed) missed.forEach(send);
        else put(frame("snapshot", hub.snapshot(machine_ids), hub.lastId));
      },
      cancel: () => stop(),
    },
    { highWaterMark: MAX_BEHIND_BYTES, size: (chunk) => chunk?.byteLength ?? 0 },
  );
}
