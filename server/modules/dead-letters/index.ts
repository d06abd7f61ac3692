// /api/v1/dead-letters: events that analytics refused and that were set aside.
import { Elysia, t } from "elysia";
import type { Keys } from "../../keys.ts";
import { answer, Format } from "../../lists.ts";
import { auth } from "../../plugins/auth.ts";
import { inTime } from "../../plugins/bodies.ts";
import type { DeadLetters } from "./service.ts";

const tags = ["Dead letters"];
const params = t.Object({ position: t.Integer({ minimum: 1, description: "Its place in the log" }) });

export const deadLettersModule = (letters: DeadLetters, keys: Keys) =>
  new Elysia({ prefix: "/api/v1/dead-letters" })
    .use(auth(keys))
    .get(
      "",
      async ({ caller, query }) => {
        const listed = await letters.list(caller.tenant_id);
        const rows = listed.map(({ time_ms, ...one }) => ({ ...one, time: new Date(time_ms).toISOString() }));
        return answer(query.format, { rows });
      },
      {
        scope: "admin",
        query: t.Object({ format: Format }),
        detail: { tags, summary: "Events that analytics refused: the oldest hundred, with the error" },
      },
    )
    .get(
      "/:position",
      async ({ caller, params }) =>
        new Response(Buffer.from(await letters.bytes(caller.tenant_id, params.position)), {
          headers: {
            "content-type": "application/cloudevents+json",
            "content-disposition": `attachment; filename="event-${params.position}.json"`,
            "x-content-type-options": "nosniff",
          },
        }),
      { scope: "admin", params, detail: { tags, summary: "Such an event, byte for byte" } },
    )
    .post(
      "/retry",
      async ({ caller, set }) => {
        set.status = 202;
        return { retried: await letters.retryAll(caller.tenant_id) };
      },
      { scope: "admin", detail: { tags, summary: "Deliver all of them again" } },
    )
    .post(
      "/:position/retry",
      async ({ caller, params, set }) => {
        await letters.retry(caller.tenant_id, params.position);
        set.status = 202;
        return { retried: 1 };
      },
      {
        scope: "admin",
        params,
        detail: { tags, summary: "Deliver one again; it comes back here where it is refused again" },
      },
    )
    .put(
      "/:position",
      async ({ caller, params, request, set }) => {
        const event = await inTime(request, () => request.bytes());
        await letters.mend(caller.tenant_id, params.position, event);
        set.status = 202;
        return { mended: 1 };
      },
      {
        scope: "admin",
        params,
        parse: "none",
        detail: { tags, summary: "Deliver it as it was mended: the whole event, of the same tenant" },
      },
    )
    .delete("", async ({ caller }) => ({ discarded: await letters.discardAll(caller.tenant_id) }), {
      scope: "admin",
      detail: { tags, summary: "Throw all of them away" },
    })
    .delete(
      "/:position",
      async ({ caller, params, set }) => {
        await letters.discard(caller.tenant_id, params.position);
        set.status = 204;
      },
      { scope: "admin", params, detail: { tags, summary: "Throw one away for good" } },
    );
