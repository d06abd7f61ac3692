// A process that relays the MongoDB store's outbox until it is killed, and prints what it delivered: `url`, what to do.
import { startRelay } from "../outbox/relay.ts";
import { openMongo } from "../store/mongo.ts";
import { idsOf } from "./stretch.ts";

const [url = "", how = "deliver"] = process.argv.slice(2);
const store = await openMongo({
  url,
  max_outbox_bytes: 1 << 30,
  raw_retention_days: 30,
  project: "nowhere",
  log: console.error,
  lease_ms: 2_000,
});
const relay = startRelay(
  store,
  {
    async deliver(stretch) {
      const ids = idsOf(stretch);
      console.log(`claimed ${ids.length}`);
      // It has the lease and the events, and never says that they arrived.
      if (how === "hang") await new Promise(() => {});
      console.log(`delivered ${ids.join(" ")}`);
    },
  },
  console.error,
);
store.onArrival(relay.wake);
console.log("running");
