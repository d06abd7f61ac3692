// Servers that speak MongoDB's protocol, for a test file: the two that can be made here, and a real one where it is given.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { MongoClient } from "mongodb";
import { limit_ms } from "../../.ci/limits.ts";
import { ferretCommand, findFerret, findSecantus, secantusCommand } from "../../.ci/mongo-peers.ts";
import { freePort } from "../free-ports.ts";

export type MongoServer = {
  /** The URL of a database of its own, named after `n`. */
  url(n: number | string): string;
  /** SIGKILL and a start on the same data; not of one that was given. */
  restart(): Promise<void>;
  /** SIGSTOP, or SIGCONT; not of one that was given. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
  stop(): Promise<void>;
};

export type MongoEngine = {
  name: string;
  /** Has what a replica set of MongoDB has. */
  whole: boolean;
  /** Undefined where it is not there: its tests skip by name. */
  start: (() => Promise<MongoServer>) | undefined;
};

const ferret = findFerret();
const secantus = findSecantus();
const given = process.env.MTC_MONGO_URL;

/** What the store is tested against. With MTC_MONGO_URL, a replica set of MongoDB, it is that one as well. */
export const MONGO_ENGINES: MongoEngine[] = [
  {
    name: "FerretDB 1.24.2",
    whole: false,
    start: ferret
      ? () => started((dir, port) => [...ferretCommand(ferret, dir, port), "--log-level=error"])
      : undefined,
  },
  {
    name: "SecantusDB 0.7.0b3",
    whole: true,
    start: secantus ? () => started((dir, port) => secantusCommand(secantus, dir, port)) : undefined,
  },
  {
    name: "MongoDB at MTC_MONGO_URL",
    whole: true,
    start: given ? async () => theOneGiven(given) : undefined,
  },
];

for (const { name, start } of MONGO_ENGINES) if (!start) console.warn(`skipped: ${name} is not there`);

async function started(command: (dir: string, port: number) => string[]): Promise<MongoServer> {
  const dir = mkdtempSync(`${tmpdir()}/mtc-mongo-`);
  const port = freePort();
  const url = (n: number | string): string => `mongodb://127.0.0.1:${port}/mtc_${n}`;
  const spawn = () => Bun.spawn(command(dir, port), { cwd: dir, stdout: "ignore", stderr: "ignore" });
  let child = spawn();
  await answering(url(0));
  return {
    url,
    async restart() {
      child.kill("SIGKILL");
      await child.exited;
      child = spawn();
      await answering(url(0));
    },
    signal: (signal) => child.kill(signal),
    async stop() {
      child.kill("SIGKILL");
      await child.exited;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Its databases are named by this process, and dropped in the end. */
async function theOneGiven(base: string): Promise<MongoServer> {
  const made = new Set<string>();
  return {
    url(n) {
      const name = `mtc_test_${process.pid}_${n}`;
      made.add(name);
      const url = new URL(base);
      url.pathname = `/${name}`;
      return url.href;
    },
    async restart() {
      throw new Error("it is not ours");
    },
    signal() {
      throw new Error("it is not ours");
    },
    async stop() {
      const client = new MongoClient(base);
      for (const name of made) await client.db(name).dropDatabase();
      await client.close();
    },
  };
}

async function answering(url: string): Promise<void> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: limit_ms() });
  await client.connect();
  await client.db().command({ ping: 1 });
  await client.close();
}
