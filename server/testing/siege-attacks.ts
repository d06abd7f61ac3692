// For tests: the attacks of a siege: each goes on until it ends, with the bodies of the tests that hold them one by one.
import { until } from "../../.ci/limits.ts";
import { floodReports, guessKeys, openStreams } from "./floods.ts";
import { hostilePack } from "./hostile-agents.ts";
import { askSql, codeOf, EXPLAINED, LAMBDA, LONG, MEMORY, NATIVE, PATTERN } from "./hostile-sql.ts";
import { isTaken, KINDS, type Kind, settingsOf } from "./odd-settings.ts";
import { signIn, TEST_KEY } from "./server.ts";
import type { Siege } from "./siege.ts";
import { readSlowly, type SlowClient, sayNothing, sendHalf } from "./slow-clients.ts";

type Attack = (siege: Siege) => Promise<void>;

/** ClickHouse's codes. */
export const CODES = { late: "159", memory: "241", denied: "497", shut_out: "201", full: "202", away: "210" };

const LEAVE_MS = 1_500;
const GREEDY = new Set([LAMBDA, MEMORY]);

/** A read key at /sql/; once it is shut out the next one of its owner's takes its place. */
class Offender {
  readonly #siege: Siege;
  readonly #name: string;
  #key = "";

  constructor(siege: Siege, name: string) {
    this.#siege = siege;
    this.#name = name;
  }

  async ask(query: string, signal?: AbortSignal): Promise<void> {
    this.#key ||= await this.#siege.newKey(this.#name);
    const began_ms = performance.now();
    const answer = await askSql(this.#siege.server.origin, this.#key, query, signal);
    await answer.text();
    if (GREEDY.has(query)) this.#siege.greedy(began_ms, performance.now());
    const code = codeOf(answer) ?? String(answer.status);
    this.#siege.note(this.#name, code);
    if (code !== CODES.shut_out) return;
    this.#siege.shutOut(this.#key);
    this.#key = "";
  }

  /** Asks what takes long, and is gone before there is an answer. */
  async leave(): Promise<void> {
    try {
      await this.ask(LONG, AbortSignal.timeout(LEAVE_MS));
    } catch (error) {
      if ((error as Error).name !== "TimeoutError") throw error;
      this.#siege.note(this.#name, "left");
    }
  }
}

/** Ends the engine, and asks again at once. */
async function endTheEngine(siege: Siege): Promise<void> {
  const offender = new Offender(siege, "pattern");
  while (siege.running()) {
    await offender.ask(PATTERN);
    await offender.ask("SELECT 1");
  }
}

/** Takes memory and time within the engine, leaves, and asks for what nobody may ask. */
async function wearOut(siege: Siege): Promise<void> {
  const offender = new Offender(siege, "greedy");
  while (siege.running()) {
    for (const [, query] of NATIVE) await offender.ask(query);
    await offender.ask(EXPLAINED);
    await offender.ask(MEMORY);
    await Promise.all([offender.leave(), offender.leave()]);
    if (siege.running()) await offender.ask(LAMBDA);
  }
}

const AGENTS_AGAIN_MS = 3_000;

/** Agents that send what nobody can read; their machines' sources are set anew all the time, so that they are asked at once. */
async function sendWhatIsUnreadable(siege: Siege): Promise<void> {
  const { server } = siege;
  const pack = await hostilePack();
  const sourceOf = (n: number, device: string) => ({ kind: "mtconnect", url: pack.urls[n], device });
  for (const n of pack.urls.keys()) {
    const machine = { id: `agent-${n}`, name: `agent-${n}`, source: sourceOf(n, "M1") };
    siege.note("agents", (await server.call("POST", "/api/v1/machines", machine)).status);
  }
  for (let round = 0; siege.running(); round++) {
    const n = round % pack.urls.length;
    const source = sourceOf(n, Math.floor(round / pack.urls.length) % 2 === 0 ? "M2" : "M1");
    siege.note("agents", (await server.call("PATCH", `/api/v1/machines/agent-${n}`, { source })).status);
    await siege.pause(AGENTS_AGAIN_MS);
  }
  await until(() => pack.asked().every((times) => times > 0));
  siege.note("agents", "all asked");
  await pack.stop();
}

const SETTINGS_MS = 500;
const DRAWN = 3_000;
const ODD = ["odd-0", "odd-1", "odd-2"];

/** Settings and entries at random, most of them odd, and a report over what comes of them. */
async function setOddly(siege: Siege): Promise<void> {
  const { server } = siege;
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`odd settings: seed ${seed}`);
  const values = Object.fromEntries(KINDS.map((kind) => [kind, settingsOf(kind, seed, DRAWN)]));
  for (const id of ODD) await server.call("POST", "/api/v1/machines", { id, name: id });
  for (let round = 0; siege.running(); round++) {
    const id = ODD[round % ODD.length] ?? "";
    for (const kind of KINDS) {
      const value = values[kind]?.[round % DRAWN];
      if (!isTaken(kind, value)) continue;
      const [method, path] = placeOf(kind, id);
      siege.note("settings", (await server.call(method, path, value)).status);
    }
    const report = `/api/v1/machines/${id}/oee?by=day&from=2026-01-03T00:00:00Z&to=2026-01-08T00:00:00Z`;
    siege.note("odd reports", (await server.call("GET", report)).status);
    await siege.pause(SETTINGS_MS);
  }
}

function placeOf(kind: Kind, id: string): [method: string, path: string] {
  const own = `/api/v1/machines/${id}`;
  switch (kind) {
    case "reasons":
      return ["PUT", "/api/v1/reasons"];
    case "policy":
    case "calendar":
      return ["PUT", `${own}/${kind}`];
    case "cycle_times":
      return ["PUT", `${own}/cycle-times`];
    case "lot":
    case "spike":
      return ["POST", `${own}/${kind}s`];
    default:
      return ["POST", `${own}/${kind}`];
  }
}

const SLOW_LOOK_MS = 1_000;
const OF_EACH = 10;
/** Between two pieces of an answer. */
const DROP_MS = 5_000;

/** Bodies that do not come, answers that are not read, or in drops, and connections on which nothing is said. */
async function takeTime(siege: Siege): Promise<void> {
  const port = Number(new URL(siege.server.origin).port);
  const [ingest, read] = [await siege.newKey("slow", ["ingest"]), await siege.newKey("slow")];
  const data = "/internal/machines/counter-0/data";
  const csv = "/api/v1/machines/counter-0/observations?format=csv&limit=100000";
  const kinds: Record<string, () => SlowClient> = {
    "half a body": () =>
      sendHalf(port, data, { type: "application/json", body: "[".repeat(100_000), key: ingest }),
    "half a form": () =>
      sendHalf(port, "/sign-in", { type: "application/x-www-form-urlencoded", body: "key=1234567" }),
    "unread stream": () => readSlowly(port, "/api/v1/stream", read, Infinity),
    "unread rows": () => readSlowly(port, csv, read, Infinity),
    "rows in drops": () => readSlowly(port, csv, read, DROP_MS),
    silence: () => sayNothing(port),
  };
  const open = Object.entries(kinds).flatMap(([kind, make]) =>
    Array.from({ length: OF_EACH }, () => ({ kind, make, client: make() })),
  );
  while (siege.running()) {
    await siege.pause(SLOW_LOOK_MS);
    for (const one of open) {
      if (!one.client.ended) continue;
      siege.note(one.kind, statusOf(one.client));
      one.client = one.make();
    }
  }
  // Of the last ones as well each is told so in the end.
  const halves = open.filter(({ kind }) => kind.startsWith("half"));
  await until(() => halves.every(({ client }) => client.heard !== ""));
  for (const { kind, client } of halves) siege.note(kind, statusOf(client));
  for (const { client } of open) client.destroy();
}

const statusOf = ({ heard }: SlowClient): string => /^HTTP\/1\.1 (\d+)/.exec(heard)?.[1] ?? "nothing";

const STREAMS_MS = 15_000;

/** Live streams up to a key's share, and some more; nobody reads them. */
async function holdStreams(siege: Siege): Promise<void> {
  const key = await siege.newKey("streams");
  while (siege.running()) {
    const stop = new AbortController();
    const streams = await openStreams(siege.server.origin, key, stop.signal);
    for (const { status } of streams) siege.note("streams", status);
    await siege.pause(STREAMS_MS);
    stop.abort();
  }
}

const REPORTS_MS = 1_000;

/** Reports up to a key's share, and as many beyond it. */
async function askForReports(siege: Siege): Promise<void> {
  const key = await siege.newKey("reports");
  while (siege.running()) {
    const answers = await Promise.all(floodReports(siege.server.origin, key, "counter-0"));
    for (const { status } of answers) siege.note("reports", status);
    await siege.pause(REPORTS_MS);
  }
}

const GUESS_MS = 2_000;

/** Keys and passwords that are guesses. */
async function guess(siege: Siege): Promise<void> {
  const { server } = siege;
  await server.call("POST", "/api/v1/users", {
    name: "Ada",
    password: "a-long-password-1",
    role: "operator",
  });
  for (let round = 0; siege.running(); round++) {
    for (const { status } of await guessKeys(server.origin)) siege.note("wrong keys", status);
    const guessed = { name: "Ada", password: `guess-${round}-12345` };
    for (const fields of [guessed, { key: `wrong-key-${round}-0123456789` }])
      siege.note("wrong sign-ins", (await signIn(server.origin, fields)).status);
    await siege.pause(GUESS_MS);
  }
}

const HONEST_MS = 2_000;

/** Somebody who reads a report, and somebody who asks /sql/ for little: what is theirs stays theirs. */
async function meanWell(siege: Siege): Promise<void> {
  const { server } = siege;
  const [wall, analyst] = [await siege.newKey("wall"), await siege.newKey("analyst")];
  const report = `${server.origin}/api/v1/machines/counter-1/gaps`;
  while (siege.running()) {
    const seen = await fetch(report, { headers: { "x-api-key": wall } });
    await seen.text();
    siege.note("wall", seen.status);
    const told = await askSql(server.origin, analyst, "SELECT count() FROM machines");
    await told.text();
    siege.note("analyst", codeOf(told) ?? told.status);
    await siege.pause(HONEST_MS);
  }
  // With nobody beside them they are answered at once.
  for (const key of [wall, analyst, TEST_KEY]) {
    const asked = async () => (await askSql(server.origin, key, "SELECT 1")).status === 200;
    await until(asked);
  }
}

export const ATTACKS: Attack[] = [
  ...[endTheEngine, wearOut, sendWhatIsUnreadable, setOddly, takeTime],
  ...[holdStreams, askForReports, guess, meanWell],
];
