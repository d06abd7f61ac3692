// Carries what ClickHouse could not read into the topic of dead letters, where it is looked at and settled.
import type { Engine } from "../analytics-sql/engine/engine.ts";
import { refused } from "../analytics-sql/kafka/refused.ts";
import { type BackgroundLoop, backgroundLoop } from "../domain/lib/background-loop.ts";
import type { DeadLetterTopic } from "../ingest/outbox/dead-letter-topic.ts";
import { Trouble } from "../ingest/trouble.ts";

/** More than one block of the Kafka engine holds: all of a block is found at one time. */
const PAGE_ROWS = 5_000;
/** What was found longer ago than this is in the table by now. */
const SETTLED_MS = 60_000;

/** Looks every `rest_ms`, while the job is this process's; after a start at all there are, since those that were carried already are known. */
export function moveDeadLetters(
  engine: Pick<Engine, "query">,
  letters: Pick<DeadLetterTopic, "put">,
  { log, mine = () => true }: { log: (message: string) => void; mine?: () => boolean },
  rest_ms = 10_000,
): BackgroundLoop {
  const trouble = new Trouble("dead letters", log);
  let since_ms = 0;
  return backgroundLoop(async () => {
    if (!mine()) return rest_ms;
    try {
      const rows = await refused(engine, since_ms, PAGE_ROWS);
      await letters.put(
        rows.map(({ place, machine_id, error, message, time_ms }) => {
          const value = new TextEncoder().encode(message);
          return { key: place, value, reason: error, by: "clickhouse", machine_id, time_ms };
        }),
      );
      const last_ms = rows.at(-1)?.time_ms ?? 0;
      if (rows.length === PAGE_ROWS) since_ms = last_ms;
      else since_ms = Math.max(since_ms, last_ms - SETTLED_MS);
      trouble.over();
      return rows.length === PAGE_ROWS ? 0 : rest_ms;
    } catch (error) {
      trouble.failed(error);
      return rest_ms;
    }
  });
}
