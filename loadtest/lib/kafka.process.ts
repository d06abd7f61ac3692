// The way by Kafka, in a process of its own: a broker, the bus, and chDB as the consumer.
import { closeSource, openSource } from "../../analytics-sql/kafka/source.ts";
import { openConsumer } from "../../analytics-sql/testing/kafka.ts";
import { encodeData, encodeEvent, type Stretch } from "../../ingest/event.ts";
import { openKafkaBus } from "../../ingest/outbox/kafka.ts";
import { startBrokers } from "../../ingest/testing/brokers.ts";
import { joined } from "../../ingest/testing/stretch.ts";
import { quantile } from "../../server/testing/quantile.ts";
import { batchAt, type Series } from "./observations.ts";
import { clock_ms, jobOf } from "./process.ts";

export type KafkaJob = { series: Series; warmup_batches: number; batches: number; singles: number };
/** Of `rows` observations each: into the topic, out of it as a backlog, and both at once. */
export type KafkaRun = {
  rows: number;
  delivered_s: number;
  drained_s: number;
  queryable_s: number;
  delay_ms: { p50: number; p99: number };
};

/** One delivery is what the relay would give. */
const DELIVERY_BYTES = 8 * 1024 * 1024;
const TOPIC = { topic: "raw_data", partitions: 12 };

const { series, warmup_batches, batches, singles } = jobOf<KafkaJob>();

function event(n: number): Uint8Array {
  const { machine, columns } = batchAt(series, n);
  const id = `01K${String(n).padStart(23, "0")}`;
  const header = { id, tenant_id: "default", machine_id: machine, time_ms: Date.now() };
  return Buffer.concat([
    encodeEvent({ ...header, type: "mtc.observations.v1" }, encodeData(columns)),
    Buffer.from("\n"),
  ]);
}

function deliveries(first: number, count: number): Stretch[] {
  const made: Stretch[] = [];
  let events: Uint8Array[] = [];
  let bytes = 0;
  for (let n = first; n < first + count; n++) {
    const next = event(n);
    events.push(next);
    bytes += next.length;
    if (bytes < DELIVERY_BYTES && n + 1 < first + count) continue;
    made.push(joined(events));
    [events, bytes] = [[], 0];
  }
  return made;
}

const brokers = await startBrokers(1);
const { engine, close } = await openConsumer();
const bus = openKafkaBus({ ...TOPIC, brokers: brokers.addresses, group: "mtc" });
const source = { brokers: brokers.addresses, topic: TOPIC.topic, group: "mtc", consumers: 1 };

async function timed(work: () => Promise<void>): Promise<number> {
  const began_ms = clock_ms();
  await work();
  return (clock_ms() - began_ms) / 1_000;
}
async function count(): Promise<number> {
  const [row] = await engine.query<{ n: number }>("SELECT count() AS n FROM mtc.observations FINAL", {});
  return row?.n ?? 0;
}
const deliver = async (all: Stretch[]): Promise<void> => {
  for (const stretch of all) await bus.deliver(stretch);
};

await deliver(deliveries(0, warmup_batches));
const backlog = deliveries(warmup_batches, batches);
const delivered_s = await timed(() => deliver(backlog));
const drained_s = await timed(async () => {
  await openSource(engine, source);
  await bus.settled();
});
const live = deliveries(warmup_batches + batches, batches);
const queryable_s = await timed(async () => {
  await deliver(live);
  await bus.settled();
});
const wanted = (warmup_batches + 2 * batches) * series.rows;
const found = await count();
if (found !== wanted) throw new Error(`${found} rows where ${wanted} went in`);

const delays_ms: number[] = [];
for (let n = 0; n < singles; n++) {
  const machine = `single-${n}`;
  const line = new TextDecoder().decode(event(0)).replaceAll(batchAt(series, 0).machine, machine);
  const began_ms = clock_ms();
  await bus.deliver(joined([new TextEncoder().encode(line)]));
  for (;;) {
    const rows = await engine.query<{ n: number }>(
      "SELECT count() AS n FROM mtc.observations WHERE machine_id = {machine:String}",
      { machine },
    );
    if (rows[0]?.n) break;
    await Bun.sleep(5);
  }
  delays_ms.push(clock_ms() - began_ms);
}

await closeSource(engine);
await bus.close();
await close();
await brokers.stop();
const delay_ms = { p50: quantile(delays_ms, 0.5), p99: quantile(delays_ms, 0.99) };
const run: KafkaRun = { rows: batches * series.rows, delivered_s, drained_s, queryable_s, delay_ms };
console.log(JSON.stringify(run));
process.exit(0);
