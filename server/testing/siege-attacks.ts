// For tests: the attacks of a siege: each goes on until it ends, with the bodies of the tests that hold them one by one.
import { until } from "../../.ci/limits.ts";
import { floodReports, guessKeys, guessSignIns, openStreams } from "./floods.ts";
import { hostilePack, type Pack } from "./hostile-agents.ts";
import { askSql, codeOf, EXPLAINED, LAMBDA, LONG, MEMORY, NATIVE, PATTERN } from "./hostile-sql.ts";
import { isTaken, KINDS, type Kind, settingsOf } from "./odd-settings.ts";
import { TEST_KEY, type TestServer } from "./server.ts";
import { readSlowly, type SlowClient, sayNothing, sendHalf } from "./slow-clients.ts";

/** What an attack has to work with. */
export type Besieged = Pick<TestServer, "origin" | "call"> & {
  /** A key with those scopes, read where nothing is said. */
  newKey(name: string, scopes?: string[]): Promise<string>;
  /** Notes how something ended: a status, or a word. */
  note(who: string, outcome: string | number): void;
  /** Whether it goes on. */
  running(): boolean;
  /** Waits, no longer than it goes on. */
  pause(ms: number): Promise<void>;
  /** A key that ended the engine, and was shut out. */
  shutOut(key: string): void;
  /** The engine was asked for more memory than it may have, between these two times. */
  greedy(from_ms: number, to_ms: number): void;
};

/** What takes long to make. */
type Material = { pack: Pack; settings: Record<Kind, unknown[]> };

/** Goes on as long as the siege does. */
type Attack = (besieged: Besieged, material: Material) => Promise<void>;

/** Of each kind; then they come again. */
const DRAWN = 500;

/** Makes what the attacks send. */
export async function prepared(): Promise<Material> {
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.error(`odd settings: seed ${seed}`);
  const drawn = KINDS.map((kind) => [kind, settingsOf(kind, seed, DRAWN)]);
  return { pack: await hostilePack(), settings: Object.fromEntries(drawn) };
}

/** ClickHouse's codes. */
export const CODES = { late: "159", memory: "241", denied: "497", shut_out: "201", full: "202", away: "210" };

const LEAVE_MS = 1_500;
/** Nobody asks for more memory than they may have for so long, so that it is seen what is held without that. */
const MODEST_MS = 60_000;
const GREEDY = new Set([LAMBDA, MEMORY]);

/** A read key at /sql/; once it is shut out the next one of its owner's takes its place. */
class Offender {
  readonly #besieged: Besieged;
  readonly #name: string;
  #key = "";

  constructor(besieged: Besieged, name: string) {
    this.#besieged = besieged;
    this.#name = name;
  }

  async ask(query: string, signal?: AbortSignal): Promise<void> {
    this.#key ||= await this.#besieged.newKey(this.#name);
    const began_ms = Date.now();
    const answer = await askSql(this.#besieged.origin, this.#key, query, signal);
    await answer.text();
    if (GREEDY.has(query)) this.#besieged.greedy(began_ms, Date.now());
    const code = codeOf(answer) ?? String(answer.status);
    this.#besieged.note(this.#name, code);
    if (code !== CODES.shut_out) return;
    this.#besieged.shutOut(this.#key);
    this.#key = "";
  }

  /** Asks what takes long, and is gone before there is an answer. */
  async leave(): Promise<void> {
    try {
      await this.ask(LONG, AbortSignal.timeout(LEAVE_MS));
    } catch (error) {
      if ((error as Error).name !== "TimeoutError") throw error;
      this.#besieged.note(this.#name, "left");
    }
  }
}

/** Ends the engine, and asks again at once. */
async function endTheEngine(besieged: Besieged): Promise<void> {
  const offender = new Offender(besieged, "pattern");
  while (besieged.running()) {
    await offender.ask(PATTERN);
    await offender.ask("SELECT 1");
  }
}

/** Takes memory and time within the engine, leaves, and asks for what nobody may ask. */
async function wearOut(besieged: Besieged): Promise<void> {
  const offender = new Offender(besieged, "greedy");
  while (besieged.running()) {
    for (const [, query] of NATIVE) await offender.ask(query);
    await offender.ask(EXPLAINED);
    await offender.ask(MEMORY);
    await Promise.all([offender.leave(), offender.leave()]);
    if (besieged.running()) await offender.ask(LAMBDA);
    await besieged.pause(MODEST_MS);
  }
}

const AGENTS_AGAIN_MS = 3_000;

/** Agents that send what nobody can read; their machines' sources are set anew all the time, so that they are asked at once. */
async function sendWhatIsUnreadable(besieged: Besieged, { pack }: Material): Promise<void> {
  const sourceOf = (n: number, device: string) => ({ kind: "mtconnect", url: pack.urls[n], device });
  for (const n of pack.urls.keys()) {
    const machine = { id: `agent-${n}`, name: `agent-${n}`, source: sourceOf(n, "M1") };
    besieged.note("agents", (await besieged.call("POST", "/api/v1/machines", machine)).status);
  }
  for (let round = 0; besieged.running(); round++) {
    const n = round % pack.urls.length;
    const source = sourceOf(n, Math.floor(round / pack.urls.length) % 2 === 0 ? "M2" : "M1");
    besieged.note("agents", (await besieged.call("PATCH", `/api/v1/machines/agent-${n}`, { source })).status);
    await besieged.pause(AGENTS_AGAIN_MS);
  }
  await until(() => pack.asked().every((times) => times > 0));
  besieged.note("agents", "all asked");
  await pack.stop();
}

const SETTINGS_MS = 500;
const ODD = ["odd-0", "odd-1", "odd-2"];

/** Settings and entries at random, most of them odd, and a report over what comes of them. */
async function setOddly(besieged: Besieged, { settings }: Material): Promise<void> {
  for (const id of ODD) await besieged.call("POST", "/api/v1/machines", { id, name: id });
  for (let round = 0; besieged.running(); round++) {
    const id = ODD[round % ODD.length] ?? "";
    for (const kind of KINDS) {
      const value = settings[kind][round % DRAWN];
      if (!isTaken(kind, value)) continue;
      const [method, path] = placeOf(kind, id);
      besieged.note("settings", (await besieged.call(method, path, value)).status);
    }
    const report = `/api/v1/machines/${id}/oee?by=day&from=2026-01-03T00:00:00Z&to=2026-01-08T00:00:00Z`;
    besieged.note("odd reports", (await besieged.call("GET", report)).status);
    await besieged.pause(SETTINGS_MS);
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
async function takeTime(besieged: Besieged): Promise<void> {
  const port = Number(new URL(besieged.origin).port);
  const [ingest, read] = [await besieged.newKey("slow", ["ingest"]), await besieged.newKey("slow")];
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
  while (besieged.running()) {
    await besieged.pause(SLOW_LOOK_MS);
    for (const one of open) {
      if (!one.client.ended) continue;
      besieged.note(one.kind, statusOf(one.client));
      one.client = one.make();
    }
  }
  // Of the last ones as well each is told so in the end.
  const halves = open.filter(({ kind }) => kind.startsWith("half"));
  await until(() => halves.every(({ client }) => client.heard !== ""));
  for (const { kind, client } of halves) besieged.note(kind, statusOf(client));
  for (const { client } of open) client.destroy();
}

const statusOf = ({ heard }: SlowClient): string => /^HTTP\/1\.1 (\d+)/.exec(heard)?.[1] ?? "nothing";

const STREAMS_MS = 15_000;

/** Live streams up to a key's share, and some more; nobody reads them. */
async function holdStreams(besieged: Besieged): Promise<void> {
  const key = await besieged.newKey("streams");
  while (besieged.running()) {
    const stop = new AbortController();
    const streams = await openStreams(besieged.origin, key, stop.signal);
    for (const { status } of streams) besieged.note("streams", status);
    await besieged.pause(STREAMS_MS);
    stop.abort();
  }
}

const REPORTS_MS = 1_000;

/** Reports up to a key's share, and as many beyond it. */
async function askForReports(besieged: Besieged): Promise<void> {
  const key = await besieged.newKey("reports");
  while (besieged.running()) {
    const answers = await Promise.all(floodReports(besieged.origin, key, "counter-0"));
    for (const { status } of answers) besieged.note("reports", status);
    await besieged.pause(REPORTS_MS);
  }
}

const GUESS_MS = 2_000;

/** Keys and passwords that are guesses. */
async function guess(besieged: Besieged): Promise<void> {
  await besieged.call("POST", "/api/v1/users", {
    name: "Ada",
    password: "a-long-password-1",
    role: "operator",
  });
  while (besieged.running()) {
    for (const { status } of await guessKeys(besieged.origin)) besieged.note("wrong keys", status);
    for (const { status } of await guessSignIns(besieged.origin, "Ada"))
      besieged.note("wrong sign-ins", status);
    await besieged.pause(GUESS_MS);
  }
}

const HONEST_MS = 2_000;

/** Somebody who reads a report, and somebody who asks /sql/ for little: what is theirs stays theirs. */
async function meanWell(besieged: Besieged): Promise<void> {
  const [wall, analyst] = [await besieged.newKey("wall"), await besieged.newKey("analyst")];
  const report = `${besieged.origin}/api/v1/machines/counter-1/gaps`;
  while (besieged.running()) {
    const seen = await fetch(report, { headers: { "x-api-key": wall } });
    await seen.text();
    besieged.note("wall", seen.status);
    const told = await askSql(besieged.origin, analyst, "SELECT count() FROM machines");
    await told.text();
    besieged.note("analyst", codeOf(told) ?? told.status);
    await besieged.pause(HONEST_MS);
  }
  // With nobody beside them they are answered at once.
  for (const key of [wall, analyst, TEST_KEY]) {
    const asked = async () => (await askSql(besieged.origin, key, "SELECT 1")).status === 200;
    await until(asked);
  }
}

export const ATTACKS: Attack[] = [
  ...[endTheEngine, wearOut, sendWhatIsUnreadable, setOddly, takeTime],
  ...[holdStreams, askForReports, guess, meanWell],
];
