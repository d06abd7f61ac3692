// /admin/events: what analytics refused, delivered again or thrown away by a click.
import { Elysia } from "elysia";
import { AdminEvents, type AdminEventsProps, renderPage } from "../../../views/index.ts";
import { notFound, Problem } from "../../plugins/errors.ts";
import { type DeadLetters, LISTED_EVENTS } from "../dead-letters/service.ts";
import type { Machines } from "../machines/service.ts";
import type { pageMaker } from "../pages/page.ts";
import { posted } from "./form.ts";
import { seeOther } from "./machines.ts";

/** Of an event so much is shown on the page: a person reads no more, and the file has it all (invariant 7). */
const SHOWN_CHARACTERS = 20_000;

type Deps = { deadLetters: DeadLetters; machines: Machines };

export const eventPages = ({ deadLetters, machines }: Deps, page: ReturnType<typeof pageMaker>) => {
  async function opened(tenant_id: string, asked: string | undefined): Promise<AdminEventsProps["open"]> {
    const position = Number(asked);
    if (asked === undefined || !Number.isSafeInteger(position)) return null;
    const bytes = await deadLetters.bytes(tenant_id, position).catch(() => undefined);
    return bytes ? { position, ...readable(bytes) } : null;
  }

  return new Elysia()
    .get(
      "/events",
      page("admin", async ({ tenant_id }, shell, { query }) => {
        const listed = await deadLetters.list(tenant_id);
        return renderPage(AdminEvents, {
          shell,
          events: listed.map((one) => ({
            ...one,
            machine: machines.byId(one.machine_id)?.name ?? one.machine_id,
          })),
          full: listed.length === LISTED_EVENTS,
          open: await opened(tenant_id, query.show),
          done: doneOf(query),
        });
      }),
    )
    .post(
      "/events",
      page("admin", async ({ tenant_id }, _, { request }) => {
        const { act } = await posted(request);
        if (act === "retry")
          return seeOther(`/admin/events?retried=${await deadLetters.retryAll(tenant_id)}`);
        if (act === "discard")
          return seeOther(`/admin/events?discarded=${await deadLetters.discardAll(tenant_id)}`);
        throw nothingAsked();
      }),
      { parse: "none" },
    )
    .post(
      "/events/:position",
      page("admin", async ({ tenant_id }, _, { params, request }) => {
        const position = Number(params.position);
        if (!Number.isSafeInteger(position)) throw notFound("event", params.position);
        const { act } = await posted(request);
        if (act === "retry") await deadLetters.retry(tenant_id, position);
        else if (act === "discard") await deadLetters.discard(tenant_id, position);
        else throw nothingAsked();
        return seeOther(`/admin/events?${act === "retry" ? "retried" : "discarded"}=1`);
      }),
      { parse: "none" },
    );
};

const nothingAsked = (): Problem => new Problem("nothing_asked", {});

function doneOf(query: Record<string, string | undefined>): AdminEventsProps["done"] {
  for (const what of ["retried", "discarded"] as const) {
    const count = Number(query[what]);
    if (query[what] !== undefined && Number.isSafeInteger(count)) return { what, count };
  }
  return null;
}

/** As indented JSON where it is JSON, else as it is; cut. */
function readable(bytes: Uint8Array): { text: string; cut: boolean } {
  const raw = new TextDecoder().decode(bytes);
  let text = raw;
  try {
    text = JSON.stringify(JSON.parse(raw), null, 1);
  } catch {
    // What is no JSON is shown as it came.
  }
  return { text: text.slice(0, SHOWN_CHARACTERS), cut: text.length > SHOWN_CHARACTERS };
}
