// Recorded answers of a real agent into the program, page after page. `recordings.acceptance.test.ts` has its machines' logs.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { limit_ms } from "../.ci/limits.ts";
import { haveRecordings, movedToNow } from "../ingest/sources/mtconnect/recordings.ts";
import { type RecordedAgent, serveRecorded } from "./testing/recorded-agent.ts";
import {
  everything,
  expectFigures,
  expectStates,
  gapsOf,
  micros,
  plantOf,
  runsOf,
} from "./testing/recorded-machines.ts";
import { discard, startServer, type TestServer } from "./testing/server.ts";

setDefaultTimeout(limit_ms(120));

let server: TestServer;
let told: RecordedAgent | undefined;
beforeAll(async () => {
  if (haveRecordings) server = await startServer();
});
afterAll(async () => {
  await told?.stop();
  if (haveRecordings) await discard(server);
});

describe.skipIf(!haveRecordings)("recorded answers of an agent", () => {
  const page = (number: number): string => `nist/sample-${number}.streams.xml`;

  test("invariants 2, 3 and 4: page after page, a buffer that ran over, and the agent's restart", async () => {
    const moved = movedToNow("2016-09-28T17:46:54.329752Z");
    const agent = serveRecorded([140, 141, 369, 370].map((number) => moved.document(page(number))));
    told = agent;
    for (const [id, device] of Object.entries({ agie: "GFAgie01", mazak: "Mazak03" })) {
      const source = { kind: "mtconnect", url: agent.url, device };
      expect((await server.call("POST", "/api/v1/machines", { id, name: id, source })).status).toBe(201);
    }
    let agie = await everything(server, "agie", 1_371_286);
    expect(runsOf(agie)).toEqual([[1_363_237, 1_371_286]]);
    for (const last of [1_371_312, 3_546_631]) {
      agent.next();
      agie = await everything(server, "agie", last);
    }
    agent.next();
    const mazak = await everything(server, "mazak", 10_120);
    expect(runsOf(agie)).toEqual([
      [1_363_237, 1_371_312],
      [3_543_468, 3_546_631],
    ]);
    expect(runsOf(mazak)).toEqual([[1, 10_120]]);
    for (const [id, rows] of [
      ["agie", agie],
      ["mazak", mazak],
    ] as const) {
      const gaps = await gapsOf(server, id);
      expect(gaps.map(({ cause }) => cause)).toEqual(["sequence_gap", "agent_restart"]);
      const plant = { ...plantOf(id, rows), gaps };
      for (const day of ["2016-05-02", "2016-05-06", "2016-05-23", "2016-09-28"]) {
        const [from, to] = [moved.at(`${day}T00:00:00Z`), moved.at(`${day}T23:59:59.999999Z`)];
        const span = { from_us: micros(from), to_us: micros(to), as_of_us: Date.now() * 1_000 };
        await expectStates(server, { plant, span, from, to });
        await expectFigures(server, { plant, span, from, to });
      }
    }
  });
});
