// GET /api/v1/stream: what happens on the machines now, as server-sent events or over a WebSocket.
import type { ServerWebSocket } from "bun";
import { Elysia, type Static, t } from "elysia";
import type { LiveHub } from "../../../ingest/live/hub.ts";
import { Overloaded } from "../../../ingest/store/store.ts";
import type { Caller, Keys } from "../../keys.ts";
import { auth } from "../../plugins/auth.ts";
import { Problem } from "../../plugins/errors.ts";
import type { Machines } from "../machines/service.ts";
import { type Audience, follow } from "./follow.ts";
import { socketLine } from "./socket.ts";
import { eventStream } from "./sse.ts";

/** More readers are told to come later (invariant 7). */
export const MAX_READERS = 1_000;
/** Of one key or user. */
const MAX_READERS_OF_ONE = MAX_READERS / 10;
/** How long a reader that was let go may take to read why. */
const LINGER_S = 10;

const Query = t.Object({
  machine: t.Optional(t.Union([t.String(), t.Array(t.String(), { maxItems: 1_000 })])),
  group: t.Optional(t.String({ maxLength: 200, description: "Only the machines of this group" })),
  last_event_id: t.Optional(t.String({ description: "As the header Last-Event-ID, which WebSockets lack" })),
});
type Query = Static<typeof Query>;

export const streamModule = (machines: Machines, hub: LiveHub, keys: Keys) => {
  /** @throws 404 for a machine that is not the caller's, 429 for one with too many, Overloaded where all places are taken */
  function admit({ tenant_id, id, name, holds }: Caller, query: Query, request: Request): Audience {
    if (hub.readersOf(id) >= MAX_READERS_OF_ONE) {
      const headers = { "retry-after": "10" };
      const problem = new Problem("own_streams", { max: MAX_READERS_OF_ONE }, { headers });
      keys.door.refused(request, problem.message, name);
      throw problem;
    }
    if (hub.readers >= MAX_READERS) throw new Overloaded(`${MAX_READERS} streams are open`, 10);
    const asked = query.machine === undefined ? undefined : new Set([query.machine].flat());
    for (const id of asked ?? []) machines.get(tenant_id, id);
    const { group } = query;
    // A machine that is gone is in no group any more, and everybody is told that it is.
    const isAsked = (id: string): boolean =>
      (asked?.has(id) ?? true) && (group === undefined || (machines.byId(id)?.group ?? group) === group);
    return {
      key: JSON.stringify([tenant_id, group ?? null, ...(asked ?? [])]),
      sees: (delta) => delta.tenant_id === tenant_id && isAsked(delta.machine_id),
      machineIds: () => (asked ? [...asked] : machines.list(tenant_id).map(({ id }) => id)).filter(isAsked),
      owner: id,
      admitted: holds,
    };
  }

  const stops = new WeakMap<object, () => void>();

  return new Elysia()
    .use(auth(keys))
    .get(
      "/api/v1/stream",
      ({ caller, query, request, server }) => {
        const audience = admit(caller, query, request);
        const last = request.headers.get("last-event-id") ?? query.last_event_id;
        // A quiet stream is not an idle connection; one that was told to end is.
        server?.timeout(request, 0);
        return eventStream(
          (line) => follow(hub, audience, last, line),
          () => server?.timeout(request, LINGER_S),
        );
      },
      {
        scope: "read",
        query: Query,
        detail: {
          tags: ["Live"],
          summary: "Live values and states, as server-sent events or over a WebSocket",
          description:
            "Events: `snapshot` on connect, then `delta` (at most ten a second for each machine), `heartbeat` every " +
            "5 s, and `dropped` with a reason before the stream ends. `Last-Event-ID` (or `last_event_id`) resumes " +
            "without a snapshot while the deltas are still kept. With `Upgrade: websocket` the same messages come as " +
            '`{"event", "id"?, "data"}`, and the reason with the close.',
        },
      },
    )
    .ws("/api/v1/stream", {
      scope: "read",
      query: Query,
      detail: { hide: true },
      // Before the upgrade: what is wrong is answered as HTTP.
      beforeHandle: ({ caller, query, request }) => void admit(caller, query, request),
      open({ raw, data: { caller, query, request } }) {
        // Elysia's type of it leaves some of Bun's methods out.
        const line = socketLine(raw as unknown as ServerWebSocket<unknown>);
        stops.set(raw, follow(hub, admit(caller, query, request), query.last_event_id, line));
      },
      close: ({ raw }) => stops.get(raw)?.(),
    });
};
