// Each event once more in Avro, for other systems: what goes beside it into a topic of its own.
import type { Message } from "kafkajs";
import { encodeAvro } from "./encode.ts";
import { registerSchema } from "./registry.ts";
import { eventSchema } from "./schema.ts";

const CONTENT_TYPE = { "content-type": "application/vnd.apache.avro" };

/** `uncopied`: events that are not as their schema says, with the reason. */
export type Copies = { copies: Message[]; uncopied: { message: Message; reason: string }[] };

/**
 * Registers the schema of the topic's values (`<topic>-value`, as Confluent's serializers name it).
 * @returns what copies messages, the keys with them
 * @throws Error where the registry is away, or refuses the schema
 */
export async function openCopies(
  registry_url: string,
  topic: string,
): Promise<(messages: Message[]) => Copies> {
  const schema_id = await registerSchema(registry_url, `${topic}-value`, eventSchema());
  return (messages) => {
    const made: Copies = { copies: [], uncopied: [] };
    for (const message of messages) {
      const { key, value } = message;
      try {
        const copy = encodeAvro(value instanceof Uint8Array ? value : new Uint8Array(), schema_id);
        made.copies.push({ key: key ?? null, value: copy, headers: CONTENT_TYPE });
      } catch (error) {
        made.uncopied.push({ message, reason: `Avro: ${(error as Error).message}` });
      }
    }
    return made;
  };
}
