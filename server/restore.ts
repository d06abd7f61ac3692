// `bun run restore`: a backup into an empty data directory or an empty cluster, whole or as far as the log had come by a time.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { putBack } from "./backup/put-back.ts";
import { putBackCluster } from "./backup/put-back-cluster.ts";
import { runCommand } from "./command.ts";
import { parseConfig } from "./config.ts";

const HELP = `MTC_DATA_DIR=/var/lib/mtc bun run restore --from /backup/mtc-2026-11-30 [--until 2026-11-30T08:00:00Z]

Checks every byte of a backup and puts it into MTC_DATA_DIR, which is empty or not there; then start the server. With
--until, the log ends with what it had received by that time, and analytics is made of it, as far back as the log holds
everything; keys and users are those of the backup. Where it cannot be told what there was, it says so and does nothing.

With MTC_PROFILE=cluster, and the environment that its processes have, it goes into MongoDB and ClickHouse, which are empty, as
Kafka's topics are; MTC_DATA_DIR has room for all of it meanwhile. A backup of either profile goes into either.`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: { from: { type: "string" }, until: { type: "string" }, help: { type: "boolean" } },
  });
  if (values.help) return console.log(HELP);
  if (values.from === undefined) throw new Error("--from: the backup's folder");
  const until_ms = values.until === undefined ? undefined : timeOf(values.until);
  const config = parseConfig(process.env);
  const restore = { from: resolve(values.from), until_ms };
  const told = (line: string): void => console.log(`  ${line}`);
  if (config.profile === "cluster") {
    await putBackCluster(config, restore, told);
    console.log("done: start the cluster");
  } else {
    await putBack(config, restore, told);
    console.log(`done: start the server on ${config.data_dir}`);
  }
}

/** @throws Error for what is none, or is of no zone */
function timeOf(text: string): number {
  const ms = /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms))
    throw new Error(`--until ${text}: must be a time with its zone, 2026-11-30T08:00:00Z`);
  return ms;
}

runCommand(main);
