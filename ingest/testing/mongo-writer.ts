// A process that commits to the MongoDB store until it is killed, and prints what was acknowledged: `url`, name, machines.
import { pace } from "../../.ci/limits.ts";
import { encodeData, encodeEvent } from "../event.ts";
import { openMongo } from "../store/mongo.ts";
import { Overloaded } from "../store/store.ts";

const [url = "", name = "", machines = "1"] = process.argv.slice(2);
const store = await openMongo({
  url,
  max_outbox_bytes: 1 << 30,
  raw_retention_days: 30,
  project: "nowhere",
  log: console.error,
});
const agent = `http://${name}`;
/** Goes on where the checkpoint stands, as a collector does. */
let next = (await store.checkpoint(agent))?.next_sequence ?? 1;
console.log(`from ${next}`);
for (;;) {
  const events = Array.from({ length: 3 }, (_, i) => {
    const header = {
      id: `${name}-${next}-${i}-${crypto.randomUUID()}`,
      type: "mtc.observations.v1" as const,
      tenant_id: "plant-1",
      machine_id: `${name}-machine-${(next + i) % Number(machines)}`,
      time_ms: Date.now(),
    };
    const data = {
      signals: ["n"],
      signal: [0],
      t0: 1_767_592_800_000_000 + next,
      dt: [0],
      seq0: next,
      num: [next],
    };
    return {
      header,
      bytes: encodeEvent(header, encodeData(data)),
      rows: 1,
      dedupe: { key: `\n${name}:${next}:${i}`, body_hash: "" },
    };
  });
  const checkpoint = { agent, instance_id: "1", next_sequence: next + 1 };
  try {
    const appended = await store.commit({ events, checkpoint });
    console.log(`acked ${next} ${appended.map(({ event_id }) => event_id).join(" ")}`);
    next += 1;
  } catch (error) {
    if (!(error instanceof Overloaded)) throw error;
    console.error(error.message);
    await pace(100);
  }
}
