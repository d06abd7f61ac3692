// `bun run rebuild`: asks the running server to make analytics anew from its log, or does it itself where none runs.
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { BadInput } from "../ingest/problem.ts";
import { type Config, parseConfig } from "./config.ts";
import type { Rebuild, RebuildInput } from "./modules/rebuild/model.ts";
import { runningServer } from "./running-server.ts";
import { startServices } from "./services.ts";

const HELP = `bun run rebuild [--from 2026-11-01] [--to 2026-11-03]

Makes analytics anew from the log, while ingest goes on: days (UTC) from --from up to, not including, --to; without
them everything. Talks to the server at MTC_HOST and MTC_PORT with the admin key of MTC_DATA_DIR; where none listens
there, an embedded installation's data directory is opened instead.`;

const POLL_MS = 300;

/** Something to ask for a rebuild. */
type Place = {
  start(ask: RebuildInput): Promise<Rebuild>;
  last(): Promise<Rebuild>;
  end(): Promise<unknown>;
};

/** @throws Error with what the command line has wrong */
function parse(argv: string[]): RebuildInput | "help" {
  const { values } = parseArgs({
    args: argv,
    options: { from: { type: "string" }, to: { type: "string" }, help: { type: "boolean" } },
  });
  if (values.help) return "help";
  const { from, to } = values;
  for (const [name, day] of Object.entries({ from, to })) {
    if (day !== undefined && !isDay(day)) throw new Error(`--${name} ${day}: must be a day, YYYY-MM-DD`);
  }
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

const isDay = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d$/.test(text) && new Date(`${text}T00:00:00Z`).toJSON()?.slice(0, 10) === text;

/** The server of this installation; undefined where nothing listens. */
async function running(config: Config): Promise<Place | undefined> {
  const call = await runningServer(config);
  if (!call) return undefined;
  return {
    start: (ask) => call("POST", "/api/v1/rebuild", ask),
    last: () => call("GET", "/api/v1/rebuild"),
    end: async () => {},
  };
}

/** The installation itself, without its sources. */
async function opened(config: Config): Promise<Place> {
  const services = await startServices(config, (message) => console.error(message));
  const { rebuilds } = services;
  return {
    start: (ask) => rebuilds.start(ask),
    last: async () => (await rebuilds.last()) as Rebuild,
    end: services.stop,
  };
}

/** @returns how it ended */
async function follow(place: Place, ask: RebuildInput): Promise<Rebuild> {
  let job = await place.start(ask);
  console.log(`rebuilding ${job.from ?? "from the first day"} to ${job.to ?? "now"}`);
  let phase = "";
  while (job.phase !== "done" && job.phase !== "failed") {
    if (job.phase !== phase) console.log(`  ${job.phase}`);
    phase = job.phase;
    await Bun.sleep(POLL_MS);
    job = await place.last();
  }
  return job;
}

async function main(): Promise<number> {
  const ask = parse(process.argv.slice(2));
  if (ask === "help") {
    console.log(HELP);
    return 0;
  }
  const config = parseConfig(process.env);
  const server = await running(config);
  if (!server && config.profile === "cluster")
    throw new Error(`no server listens at ${config.host}:${config.port}; name one of the cluster's`);
  if (!server && !existsSync(`${config.data_dir}/mtc.sqlite`)) {
    throw new Error(
      `no server listens at ${config.host}:${config.port}, and ${config.data_dir} holds no log`,
    );
  }
  const place = server ?? (await opened(config));
  try {
    const { phase, events, observations, seconds, error } = await follow(place, ask);
    if (phase === "failed") throw new Error(`the rebuild failed: ${error}; figures are as they were`);
    console.log(`done: ${events} events, ${observations} observations in ${seconds} s`);
    return 0;
  } finally {
    await place.end();
  }
}

main()
  .then((code) => process.exit(code))
  .catch((error: Error) => {
    console.error(
      error instanceof BadInput ? error.errors.map(({ detail }) => detail).join("\n") : error.message,
    );
    process.exit(1);
  });
