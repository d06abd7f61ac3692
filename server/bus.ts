// Opens the bus that the settings ask for, the engine itself or Kafka, and what keeps its dead letters.
import { type Engine, EngineError } from "../analytics-sql/engine/engine.ts";
import type { Stretch } from "../ingest/event.ts";
import type { Bus } from "../ingest/outbox/bus.ts";
import type { Letters } from "../ingest/outbox/dead-letter-topic.ts";
import type { Store } from "../ingest/store/store.ts";
import type { KafkaConfig } from "./cluster-config.ts";
import { moveDeadLetters } from "./dead-letter-mover.ts";

/** ClickHouse's code. */
const MEMORY_LIMIT_EXCEEDED = 241;

/** @param kafka where it is left out, events go straight into the engine */
export async function openBus(engine: Engine, kafka: KafkaConfig | undefined): Promise<Bus> {
  if (!kafka) return inProcess(engine);
  // Read only where it is used: the embedded program starts without it.
  const { openKafkaBus } = await import("../ingest/outbox/kafka.ts");
  return openKafkaBus(kafka);
}

/**
 * Opens what keeps the dead letters: the store itself, or Kafka's topic, which what ClickHouse refuses is carried to.
 * @param tenantOf whose machine it is; `mine` whether this process carries them
 */
export async function openLetters(
  {
    engine,
    store,
    log,
    mine,
  }: { engine: Engine; store: Store; log: (message: string) => void; mine: () => boolean },
  kafka: KafkaConfig | undefined,
  tenantOf: (machine_id: string) => string | undefined,
): Promise<{ letters: Letters; close(): Promise<void> }> {
  if (!kafka) return { letters: store, async close() {} };
  const { DeadLetterTopic } = await import("../ingest/outbox/dead-letter-topic.ts");
  const letters = new DeadLetterTopic({ ...kafka, tenantOf });
  const mover = moveDeadLetters(engine, letters, { log, mine });
  return {
    letters,
    async close() {
      await mover.stop();
      await letters.close();
    },
  };
}

const inProcess = (engine: Engine): Bus => ({
  deliver: (stretch) => deliver(engine, stretch),
  // What was delivered was inserted.
  async settled() {},
  backlog: async () => ({ events: 0, arrived_ms: Date.now() }),
  async close() {},
});

/** Events into analytics; where its memory does not suffice, fewer at once may pass. */
async function deliver(engine: Engine, stretch: Stretch): Promise<void> {
  try {
    await engine.insertEvents(stretch);
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== MEMORY_LIMIT_EXCEEDED) throw error;
    throw Object.assign(error, { too_large: true });
  }
}
