// `bun run backup`: a copy of all that cannot be made again, beside a server that runs, or of a data directory alone.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { takeBackup } from "./backup/take.ts";
import { runCommand } from "./command.ts";
import { parseConfig } from "./config.ts";

const HELP = `MTC_DATA_DIR=/var/lib/mtc bun run backup --to /backup/mtc-2026-11-30

Copies the installation in MTC_DATA_DIR into a folder that it makes: the log with machines, keys and users, what analytics
has made of events, and the files of the data directory. The server may run, and goes on taking events; it is asked at
MTC_HOST and MTC_PORT, with the admin key. The folder has its name when all of it is on the disk: what was cut off is
called ….partial, and is no backup. The lake is not part of it: it is a copy already.

With MTC_PROFILE=cluster, and the environment that its processes have, it copies what ClickHouse and MongoDB hold while these go on;
secrets are not part of it.`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: { to: { type: "string" }, help: { type: "boolean" } },
  });
  if (values.help) return console.log(HELP);
  if (values.to === undefined) throw new Error("--to: the folder to make");
  const config = parseConfig(process.env);
  const to = resolve(values.to);
  await takeBackup(config, to, (line) => console.log(`  ${line}`));
  console.log(`done: ${to}`);
}

runCommand(main);
