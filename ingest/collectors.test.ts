// Collectors follow the machines, whatever went wrong before.
import { expect, test } from "bun:test";
import { until } from "../.ci/limits.ts";
import { type Sourced, startCollectors } from "./collectors.ts";
import { LiveHub } from "./live/hub.ts";
import { MemorySink } from "./sources/memory-sink.ts";
import { checkpointOf } from "./sources/modbus/machine.ts";
import type { Poll } from "./sources/modbus/poller.ts";
import { ScriptedDevice } from "./sources/modbus/scripted-device.ts";
import type { MachineSource } from "./sources/model.ts";
import type { Sink } from "./sources/source.ts";

const sink: Sink = {
  append: async () => {},
  assets: async () => {},
  checkpoint: async () => undefined,
  gap: async () => {},
  openGaps: async () => [],
};

test("one failure does not keep later changes from them; addresses are shown without credentials", async () => {
  const collectors = startCollectors(sink, new LiveHub());
  const broken = { id: "m", source: null as unknown as MachineSource, source_since_ms: 0 };
  expect(await collectors.update([broken]).catch((error: unknown) => error)).toBeInstanceOf(Error);
  const source: MachineSource = { kind: "mtconnect", url: "http://user:secret@127.0.0.1:1/agent/" };
  await collectors.update([{ id: "m", source, source_since_ms: 0 }]);
  expect(collectors.status()).toMatchObject([{ name: "http://127.0.0.1:1/agent", machine_ids: ["m"] }]);
  await collectors.update([]);
  expect(collectors.status()).toEqual([]);
  await collectors.stop();
});

test("machines of one Modbus host share a poller, and each has a status of its own", async () => {
  const device = await ScriptedDevice.start();
  const memory = new MemorySink();
  const hub = new LiveHub();
  const collectors = startCollectors(memory, hub);
  const polls: Poll[] = [];
  collectors.onPoll((poll) => polls.push(poll));
  const machine = (id: string, unit: number): Sourced => ({
    id,
    source_since_ms: 0,
    source: { kind: "modbus", host: "127.0.0.1", port: device.port, unit, map: "adam-6050", poll_ms: 10 },
  });
  await collectors.update([machine("a", 1), machine("b", 1)]);
  await until(() => memory.rows.length === 50);
  expect(device.connects).toBe(1);
  const name = `modbus://127.0.0.1:${device.port}`;
  expect(collectors.status()).toMatchObject([
    { name: `${name}/1`, machine_ids: ["a"], state: "polling" },
    { name: `${name}/1`, machine_ids: ["b"], state: "polling" },
  ]);
  expect(polls[0]?.source).toBe(`127.0.0.1:${device.port}`);
  // b moves to a unit that is not there: a is not disturbed.
  await collectors.update([machine("a", 1), machine("b", 9)]);
  await until(() => collectors.status()[1]?.state === "unreachable");
  expect(collectors.status()).toMatchObject([
    { state: "polling" },
    { name: `${name}/9`, machine_ids: ["b"] },
  ]);
  expect(memory.lost().map(({ machine_id }) => machine_id)).toEqual(["b"]);
  // Gone for good: should it be polled again in a year, that year is not missing.
  await collectors.update([machine("a", 1), { id: "b", source: { kind: "http" }, source_since_ms: 0 }]);
  expect(memory.checkpoints.get(checkpointOf("b"))).not.toHaveProperty("known_us");
  await collectors.stop();
  expect(memory.checkpoints.get(checkpointOf("a"))?.known_us).toBeGreaterThan(0);
  await device.stop();
});
