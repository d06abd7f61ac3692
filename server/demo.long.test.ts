// The demo plant after a restart: back, with the past that it had; all of it is delivered again and rolled up again.
import { afterAll, expect, test } from "bun:test";
import { limit_ms, until } from "../.ci/limits.ts";
import {
  allCollected,
  cncsOf,
  DEMO,
  figures,
  machineIds,
  type OeeRow,
  rows,
  type StateRow,
  yesterday,
} from "./testing/demo-plant.ts";
import { discard, startServer, type TestServer, tempDir } from "./testing/server.ts";

let server: TestServer | undefined;
afterAll(() => discard(server));

const past = async (of: TestServer) => ({
  oee: await rows<OeeRow>(of, `/api/v1/oee?${yesterday}&by=machine`),
  states: await Promise.all(
    (await cncsOf(of)).map((id) => rows<StateRow>(of, `/api/v1/machines/${id}/states?${yesterday}`)),
  ),
});

async function startDemo(data_dir: string): Promise<TestServer> {
  const started = await startServer(DEMO, data_dir);
  server = started;
  await until(() => /demo plant:/.exec(started.output())?.[0]);
  await allCollected(started);
  return started;
}

test(
  "invariant 2: after a restart the demo is back, and yesterday is what it was",
  async () => {
    const first = await startDemo(tempDir());
    await figures(first);
    const before = await past(first);
    expect(await first.stop()).toBe(0);
    const second = await startDemo(first.data_dir);
    expect(await machineIds(second)).toEqual(
      [...new Set(before.oee.map((row) => row.machine_id ?? ""))].sort(),
    );
    expect(await machineIds(second)).toHaveLength(5);
    expect(await past(second)).toEqual(before);
  },
  limit_ms(300),
);
