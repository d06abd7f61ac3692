// An event that somebody mended by hand: held against what any event must be, since it never passed an edge of ours.
import { type TSchema, Type } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import {
  EVENT_SCHEMAS,
  EVENT_TYPES,
  type EventData,
  type EventHeader,
  encodeData,
  encodeEvent,
} from "../../../ingest/event.ts";
import { BadInput, badInput } from "../../../ingest/problem.ts";
import { schemaError } from "../../../ingest/schema-errors.ts";
import { parseBody } from "../../../ingest/sources/http/parse.ts";
import type { NewEvent } from "../../../ingest/store/store.ts";

/** What must be right of the envelope; the rest is made anew. */
const Envelope = TypeCompiler.Compile(
  Type.Object({
    id: Type.String({ pattern: "^[0-9A-HJKMNP-TV-Z]{26}$" }),
    type: Type.Union(EVENT_TYPES.map((type) => Type.Literal(type))),
    subject: Type.String({ maxLength: 200 }),
    tenantid: Type.String({ minLength: 1, maxLength: 200 }),
    time: Type.String({ pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z$" }),
    data: Type.Object({}),
  }),
);

/** @throws BadInput naming the path of what is wrong */
export function mendedEvent(body: Uint8Array, now_ms: number): NewEvent {
  const event = parsed(body);
  const wrong = Envelope.Errors(event).First();
  if (wrong) throw new BadInput([schemaError(wrong)]);
  if (!Envelope.Check(event)) throw badInput("", "not_an_event");
  const { id, type, subject, tenantid, time } = event;
  const data = event.data as EventData;
  const header: EventHeader = {
    id,
    type,
    tenant_id: tenantid,
    machine_id: subject,
    time_ms: Date.parse(time),
  };
  if (Number.isNaN(header.time_ms)) throw badInput("/time", "event_time");
  const encoded = encodeData(data);
  if (type !== "mtc.observations.v1") {
    const bad = [...TypeCompiler.Compile<TSchema>(EVENT_SCHEMAS[type]).Errors(data)];
    if (bad.length > 0) throw new BadInput(bad.slice(0, 10).map((one) => schemaError(one, "/data")));
    return { header, bytes: encodeEvent(header, encoded), rows: 0 };
  }
  return { header, bytes: encodeEvent(header, encoded), rows: observed(encoded, now_ms) };
}

/** Rows of observations that an edge of ours would take. */
function observed(data: Uint8Array, now_ms: number): number {
  try {
    return parseBody(data, false, 1_000 * now_ms).rows;
  } catch (error) {
    if (!(error instanceof BadInput)) throw error;
    throw new BadInput(error.errors.map((one) => ({ ...one, path: `/data${one.path}` })));
  }
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw badInput("", "event_not_json");
  }
}
