// What an agent loses, through the real program (SPEC 5.2): a gap with its cause, UNKNOWN in the states, less coverage in the figures.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { until } from "../.ci/limits.ts";
import { ScriptedAgent } from "../ingest/sources/mtconnect/scripted-agent.ts";
import { discard, startServer, type TestServer } from "./testing/server.ts";
import { stormy } from "./testing/storm.ts";

type Gap = { from: string; to: string | null; cause: string };
type State = { state: string; from: string; to: string; seconds: number; cause: string };

const agent = new ScriptedAgent();
let server: TestServer;
beforeAll(async () => {
  server = stormy(await startServer());
  const source = { kind: "mtconnect", url: agent.url, device: "M1" };
  await server.call("POST", "/api/v1/machines", { id: "lathe", name: "Lathe", source });
  agent.add("m1-avail", "AVAILABLE");
  agent.add("m1-exec", "ACTIVE");
});
afterAll(async () => {
  await discard(server);
  await agent.stop();
});

async function rows<Row>(what: string): Promise<Row[]> {
  const { body } = await server.call<{ rows: Row[] }>("GET", `/api/v1/machines/lathe/${what}`);
  return body.rows;
}
const gaps = (ready: (gaps: Gap[]) => boolean): Promise<Gap[]> =>
  until(async () => {
    const found = await rows<Gap>("gaps");
    return ready(found) ? found : undefined;
  });
const states = (ready: (states: State[]) => boolean): Promise<State[]> =>
  until(async () => {
    const found = await rows<State>("states");
    return ready(found) ? found : undefined;
  });

test("invariant 4: unreachable is UNKNOWN while it lasts; what the buffer kept fills it again", async () => {
  await states((found) => found.at(-1)?.state === "RUNNING");
  await agent.stop();
  await gaps(([gap]) => gap?.cause === "unreachable" && gap.to === null);
  const meanwhile = await states((found) => found.at(-1)?.state === "UNKNOWN");
  expect(meanwhile.at(-1)?.cause).toBe("unreachable");
  agent.add("m1-exec", "READY");
  agent.start();
  const after = await states((found) => found.at(-1)?.state === "IDLE");
  expect(after.filter(({ state }) => state === "RUNNING")).toHaveLength(1);
  expect(await rows<Gap>("gaps")).toEqual([]);
});

test("invariant 4: a restart is a gap with its cause, UNKNOWN in the states, and taken from the coverage", async () => {
  await agent.stop();
  await gaps((found) => found.some(({ to }) => to === null));
  const away_ms = Date.now();
  agent.restart();
  agent.add("m1-avail", "AVAILABLE");
  agent.add("m1-exec", "ACTIVE");
  agent.start();
  const found = await gaps((all) => all.some(({ cause, to }) => cause === "agent_restart" && to !== null));
  const lost = found.filter(({ cause }) => cause === "agent_restart");
  expect(lost).toHaveLength(1);
  const [gap] = lost;
  expect(Date.parse(gap?.from ?? "")).toBeLessThan(away_ms);
  expect(Date.parse(gap?.to ?? "")).toBeGreaterThanOrEqual(away_ms);
  const told = await states((all) => all.at(-1)?.state === "RUNNING");
  const unknown = told.find(({ from }) => from === gap?.from);
  expect(unknown).toMatchObject({ state: "UNKNOWN", cause: "agent_restart" });
  const window = `from=${encodeURIComponent(gap?.from ?? "")}&to=${encodeURIComponent(gap?.to ?? "")}`;
  const { body } = await server.call<{ rows: { coverage: number }[] }>(
    "GET",
    `/api/v1/machines/lathe/oee?${window}`,
  );
  expect(body.rows[0]?.coverage).toBe(0);
});
