// What a copy takes of a log that many write to, against a scripted server: nothing that is on its way, nothing that disagrees.
import { afterEach, expect, test } from "bun:test";
import { type Document, Long } from "mongodb";
import { encodeData, encodeEvent } from "../../event.ts";
import { startWirePeer, type WirePeer } from "../../testing/mongo-wire.ts";
import { lookAtMongo, openMongo, openMongoSource } from "../mongo.ts";

let peer: WirePeer;
afterEach(() => peer.stop());

const answer = (collection: string, firstBatch: Document[]): Document => ({
  cursor: { id: Long.ZERO, ns: `mtc.${collection}`, firstBatch },
});
/** Each group of a writer begins at a time of its own. */
const writing = (after: number): Document => ({ open: { other: { after, at_ms: after } } });

/** @param logs the counter's values, one after the other; the last one stays @param found by collection, what is asked for in the log by `type` */
function script(logs: Document[], found: Record<string, () => Document[]> = {}): void {
  peer = startWirePeer((command) => {
    const { find, filter, aggregate } = command;
    if (find === "counters" && filter._id === "log")
      return answer(find, [{ _id: "log", ...((logs.length > 1 ? logs.shift() : logs[0]) as Document) }]);
    const name = (find ?? aggregate) as string | undefined;
    if (name === undefined) return undefined;
    const about = filter?.type === "mtc.gap.v1" ? "gaps" : aggregate ? "counted" : name;
    return answer(name, found[about]?.() ?? []);
  });
}

const gap = (position: number, from_us: number, to_us: number): Document => {
  const header = {
    id: `${position}`,
    type: "mtc.gap.v1" as const,
    tenant_id: "t",
    machine_id: "m",
    time_ms: 1,
  };
  const data = encodeData({ gap: { from_us, to_us, cause: "unreachable", detail: "" } });
  return { _id: position, ...header, bytes: encodeEvent(header, data) };
};
const openGap = (from_us: number) => ({ machine_id: "m", from_us, cause: "unreachable" });

test("invariant 1: a log counts as far as it is whole: who writes before its end is waited for", async () => {
  script(
    [{ last: 10 }, { last: 12, ...writing(8) }, { last: 14, ...writing(9) }, { last: 14, ...writing(10) }],
    {
      outbox: () => [{ _id: 7 }],
      counted: () => [{ n: 3 }],
    },
  );
  const { source, close } = await openMongoSource(peer.url);
  expect(await source.standing()).toEqual({ delivered: 6, last: 10, waiting: 3 });
  const looked = peer.commands.filter(({ find, filter }) => find === "counters" && filter._id === "log");
  expect(looked).toHaveLength(4);
  await close();
});

test("what was purged since then that waited is no copy", async () => {
  let left = 3;
  script([{ last: 10 }], { counted: () => [{ n: left }] });
  const { source, close } = await openMongoSource(peer.url);
  const standing = await source.standing();
  await source.refusePurged(standing);
  left = 2;
  await expect(source.refusePurged(standing)).rejects.toThrow(
    "purged from the log before analytics was copied",
  );
  await close();
});

test("what is beside the log is read again where a machine was configured meanwhile, and gaps are those of the log", async () => {
  let [read, configured] = [0, 1];
  script([{ last: 10 }], {
    open_gaps: () => [1, 2].map((from_us) => ({ _id: `${from_us}`, ...openGap(from_us) })),
    // One has ended since, one has begun, and one did both: said again they change nothing.
    gaps: () => [gap(8, 1, 9), gap(9, 3, 0), gap(10, 4, 0), gap(10, 4, 5)],
    counted: () => (configured-- > 0 ? [{ n: 1 }] : []),
    machines: () => {
      read += 1;
      return [];
    },
  });
  const { source, close } = await openMongoSource(peer.url);
  const { last, belongings } = await source.cut();
  expect([last, read]).toEqual([10, 2]);
  expect(belongings.open_gaps).toEqual([openGap(2), openGap(3)] as typeof belongings.open_gaps);
  await close();
});

test("a database that a restore has not filled to its end is known as such, and no process opens it", async () => {
  const moved = { _id: "moved", token: "restore-1" };
  const empty: Document = { _id: "log", last: 0 };
  peer = startWirePeer((command) => {
    const { find, filter } = command;
    if (find === "counters") return answer(find, filter._id === "moved" ? [moved] : [empty]);
    if (find || command.aggregate || command.listCollections || command.listIndexes)
      return answer(find ?? command.aggregate ?? "outbox", []);
    return command.delete ? { n: 0 } : undefined;
  });
  expect(await lookAtMongo(peer.url)).toEqual({ holds: "", moved: { token: "restore-1", done: false } });
  const half = openMongo({
    url: peer.url,
    max_outbox_bytes: 1,
    raw_retention_days: 30,
    project: "nowhere",
    log: () => {},
  });
  await expect(half).rejects.toThrow("run `bun run restore` again");
});
