// Opens the bus that the settings ask for: the engine itself, or Kafka.
import { type Engine, EngineError } from "../analytics-sql/engine/engine.ts";
import type { Bus } from "../ingest/outbox/bus.ts";
import type { KafkaConfig } from "./cluster-config.ts";

/** ClickHouse's code. */
const MEMORY_LIMIT_EXCEEDED = 241;

/** @param kafka where it is left out, events go straight into the engine */
export async function openBus(engine: Engine, kafka: KafkaConfig | undefined): Promise<Bus> {
  if (!kafka) return inProcess(engine);
  // Read only where it is used: the embedded program starts without it.
  const { openKafkaBus } = await import("../ingest/outbox/kafka.ts");
  return openKafkaBus(kafka);
}

const inProcess = (engine: Engine): Bus => ({
  deliver: (lines) => deliver(engine, lines),
  backlog_events: async () => 0,
  async close() {},
});

/** Events into analytics; where its memory does not suffice, fewer at once may pass. */
async function deliver(engine: Engine, lines: Uint8Array): Promise<void> {
  try {
    await engine.insertEvents(lines);
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== MEMORY_LIMIT_EXCEEDED) throw error;
    throw Object.assign(error, { too_large: true });
  }
}
