// A machine whose agent is away when it is made, or whose source is set anew: from then on every second without a value has its cause.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { pace, until } from "../.ci/limits.ts";
import { ScriptedAgent } from "../ingest/sources/mtconnect/scripted-agent.ts";
import { formatTimestamp_us, parseTimestamp_us } from "../ingest/time.ts";
import { discard, startServer, type TestServer } from "./testing/server.ts";

type Gap = { from: string; to: string | null; cause: string; detail: string };
type State = { state: string; from: string; to: string; cause: string };

let server: TestServer;
let agent: ScriptedAgent;
beforeAll(async () => {
  agent = new ScriptedAgent();
  await agent.stop();
  server = await startServer();
});
afterAll(async () => {
  await agent?.stop();
  await discard(server);
});

const us = (text: string | undefined): number => parseTimestamp_us(text ?? "") ?? Number.NaN;
const source = () => ({ kind: "mtconnect", url: agent.url, device: "uuid-1" });
async function rows<T>(id: string, what: string, from_us: number): Promise<T[]> {
  await server.settled();
  const window = `from=${formatTimestamp_us(from_us)}&to=${formatTimestamp_us((Date.now() + 60_000) * 1_000)}`;
  const { body } = await server.call<{ rows: T[] }>("GET", `/api/v1/machines/${id}/${what}?${window}`);
  return body.rows;
}
/** Time that is missing. */
const lost = async (id: string, from_us: number) =>
  (await rows<Gap>(id, "gaps", from_us)).map(({ from, to, cause }) => [
    us(from),
    to === null ? 0 : us(to),
    cause,
  ]);

test("invariant 4: made while its agent was away, killed, and read once the buffer had moved on: one gap since it was made", async () => {
  const made = await server.call<{ created: string }>("POST", "/api/v1/machines", {
    id: "mill",
    name: "Mill",
    source: source(),
  });
  const made_us = us(made.body.created);
  await until(async () => (await lost("mill", made_us)).length > 0 || undefined);
  expect(await lost("mill", made_us)).toEqual([[made_us, 0, "unreachable"]]);
  await server.kill();
  // Meanwhile the agent dropped all but ten observations.
  agent.capacity = 10;
  const at = (i: number): number => made_us + 1_000_000 + i * 1_000;
  for (let i = 0; i < 40; i++)
    agent.add("m1-exec", i % 2 ? "READY" : "ACTIVE", { ts: formatTimestamp_us(at(i)) });
  agent.start();
  server = await startServer({}, server.data_dir);
  await until(async () => (await rows("mill", "observations", made_us)).length > 0 || undefined);
  await until(async () => (await lost("mill", made_us)).every(([, to_us]) => to_us !== 0) || undefined);
  expect(await lost("mill", made_us)).toEqual([[made_us, at(30), "sequence_gap"]]);
  const states = await rows<State>("mill", "states", made_us);
  const unknown = states.filter(({ state }) => state === "UNKNOWN");
  expect(unknown.map(({ from, to, cause }) => [us(from), us(to), cause]).at(0)).toEqual([
    made_us,
    at(30),
    "sequence_gap",
  ]);
  expect(unknown.filter(({ cause }) => cause === "" || cause === "no_data")).toEqual([]);
});

test("invariant 4: another source ends what the one before left open, and is missed since it was set", async () => {
  await agent.stop();
  const from_us = Date.now() * 1_000;
  await until(async () => (await lost("mill", from_us)).some(([, to_us]) => to_us === 0) || undefined);
  const [open] = await lost("mill", from_us);
  // To itself it is no other one.
  await server.call("PATCH", "/api/v1/machines/mill", { source: source() });
  expect(await lost("mill", from_us)).toEqual([open as typeof open & {}]);
  const before_us = Date.now() * 1_000;
  await server.call("PATCH", "/api/v1/machines/mill", { source: { kind: "http" } });
  const [[begun_us, set_us = 0, cause] = []] = await lost("mill", from_us);
  expect([begun_us, cause]).toEqual([open?.[0], "unreachable"]);
  expect(Number(set_us)).toBeWithin(before_us, Date.now() * 1_000 + 1);
  // And back: nothing of the time in between is missed.
  await pace(50);
  const back_us = Date.now() * 1_000;
  await server.call("PATCH", "/api/v1/machines/mill", { source: source() });
  await until(async () => (await lost("mill", from_us)).some(([, to_us]) => to_us === 0) || undefined);
  const [, again] = await lost("mill", from_us);
  expect(again?.slice(1)).toEqual([0, "unreachable"]);
  expect(Number(again?.[0])).toBeWithin(back_us, Date.now() * 1_000 + 1);
});
