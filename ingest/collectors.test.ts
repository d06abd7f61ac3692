// Collectors follow the machines, whatever went wrong before.
import { expect, test } from "bun:test";
import { startCollectors } from "./collectors.ts";
import { LiveHub } from "./live/hub.ts";
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
  const broken = { id: "m", source: null as unknown as MachineSource };
  expect(await collectors.update([broken]).catch((error: unknown) => error)).toBeInstanceOf(Error);
  const source: MachineSource = { kind: "mtconnect", url: "http://user:secret@127.0.0.1:1/agent/" };
  await collectors.update([{ id: "m", source }]);
  expect(collectors.status()).toMatchObject([{ name: "http://127.0.0.1:1/agent", machine_ids: ["m"] }]);
  await collectors.update([]);
  expect(collectors.status()).toEqual([]);
  await collectors.stop();
});
