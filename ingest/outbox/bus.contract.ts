// What every bus must do, run against each of them.
import { expect, test } from "bun:test";
import { until } from "../../.ci/limits.ts";
import { encodeData, encodeEvent } from "../event.ts";
import { joined } from "../testing/stretch.ts";
import type { Bus } from "./bus.ts";

export type BusUnderTest = {
  bus: Bus;
  /** Sequences of the machine's observations as analytics has them by now, each once, sorted. */
  read(machine: string): Promise<number[]>;
};

const TENANT = "plant-1";
const T0_US = 1_767_592_800_000_000;
let made = 0;

/** An event of one observation of `execution`, a line of its own. */
export function line(machine: string, seq: number, word = "ACTIVE"): Uint8Array {
  const id = `01J${String(++made).padStart(23, "0")}`;
  const data = {
    signals: ["execution"],
    signal: [0],
    t0: T0_US,
    dt: [seq],
    seq: [seq],
    words: [word],
    word: [1],
  };
  const header = { id, type: "mtc.observations.v1" as const, tenant_id: TENANT, machine_id: machine };
  return Buffer.concat([
    encodeEvent({ ...header, time_ms: T0_US / 1_000 }, encodeData(data)),
    Buffer.from("\n"),
  ]);
}

const upto = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

/** @param open called once, by the first test */
export function busContract(open: () => Promise<BusUnderTest>): void {
  const opened = Promise.withResolvers<BusUnderTest>();
  test("opens", async () => {
    opened.resolve(await open());
    expect((await opened.promise).bus).toBeDefined();
  });

  const arrived = async (machine: string, expected: number[]): Promise<void> => {
    const { read } = await opened.promise;
    await until(async () => Bun.deepEquals(await read(machine), expected));
  };

  test("what was delivered arrives, of every machine", async () => {
    const { bus } = await opened.promise;
    const both = upto(100).flatMap((seq) => [line("first", seq), line("second", seq)]);
    await bus.deliver(joined(both));
    await arrived("first", upto(100));
    await arrived("second", upto(100));
  });

  test("invariant 2: the same events again are the same observations", async () => {
    const { bus } = await opened.promise;
    const events = joined(upto(20).map((seq) => line("again", seq)));
    for (let times = 0; times < 3; times++) await bus.deliver(events);
    await arrived("again", upto(20));
  });

  test("nothing, and a last line without its end", async () => {
    const { bus } = await opened.promise;
    await bus.deliver(joined([]));
    const { bytes, events } = joined([line("no-end", 1)]);
    await bus.deliver({ bytes: bytes.subarray(0, -1), events });
    await arrived("no-end", [1]);
  });

  test("a stretch of a larger buffer is that stretch", async () => {
    const { bus } = await opened.promise;
    const [before, own, after] = [line("whole", 1), line("whole", 2), line("whole", 3)];
    const { bytes, events } = joined([before, own, after]);
    await bus.deliver({ bytes, events: events.slice(1, 2) });
    await arrived("whole", [2]);
  });

  test("invariant 8: an event over several lines, as its sender wrote it, is one, and so are those beside it", async () => {
    const { bus } = await opened.promise;
    const spread = new TextDecoder()
      .decode(line("spread", 2))
      .trimEnd()
      .replace(/(?<="data":.*),/g, "\n,\r\n\n");
    await bus.deliver(joined([line("spread", 1), Buffer.from(`${spread}\n`), line("spread", 3)]));
    await arrived("spread", [1, 2, 3]);
  });

  test("the largest body there may be", async () => {
    const { bus } = await opened.promise;
    await bus.deliver(joined([line("large", 1, "x".repeat(8 * 1024 * 1024))]));
    await arrived("large", [1]);
  });

  test("settled, all that was delivered before is there", async () => {
    const { bus, read } = await opened.promise;
    await bus.deliver(joined(upto(500).map((seq) => line("settled", seq))));
    await bus.settled();
    expect(await read("settled")).toEqual(upto(500));
  });

  test("when all has arrived nothing is left with the bus", async () => {
    const { bus } = await opened.promise;
    await until(async () => (await bus.backlog()).events === 0);
    expect((await bus.backlog()).events).toBe(0);
  });
}
