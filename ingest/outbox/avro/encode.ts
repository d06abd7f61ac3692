// Events in Avro, as Confluent's serializers write them: a zero byte, the schema's id, the record.
import { Type } from "avsc";
import { eventSchema } from "./schema.ts";

const HEAD_BYTES = 5;

const type = Type.forSchema(eventSchema() as Parameters<typeof Type.forSchema>[0]);

/** @param event its bytes as JSON @throws Error where it is no event, or not as its schema says */
export function encodeAvro(event: Uint8Array, schema_id: number): Buffer {
  const { time, ...rest } = JSON.parse(new TextDecoder().decode(event)) as { time: string };
  const record = type.toBuffer({ ...rest, time: Date.parse(time) });
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(schema_id, 1);
  return Buffer.concat([head, record]);
}
