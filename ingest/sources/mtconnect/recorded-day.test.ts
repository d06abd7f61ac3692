// A recorded working day of a Hurco VMX24, through a simulated agent and every kind of interruption, arrives whole.
import { afterEach, expect, test } from "bun:test";
import { until } from "../../../.ci/limits.ts";
import { MemorySink } from "../memory-sink.ts";
import { type Dialect, startAgent } from "../simulator/agent.ts";
import { dataItems, deviceModelFromXml } from "../simulator/model.ts";
import { startAgentCollector } from "./collector.ts";
import { haveRecordings, recordingText } from "./recordings.ts";

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.stop();
});

/** The recording as (time, data item's name, value); its nine torn lines carry nothing. */
const day = (): [string, string, string][] =>
  recordingText("nist/hurco04-2017-02-01.shdr")
    .split("\n")
    .flatMap((line) => {
      const [ts = "", ...fields] = line.trimEnd().split("|");
      const pairs: [string, string, string][] = [];
      for (let i = 0; i + 1 < fields.length; i += 2) pairs.push([ts, fields[i] ?? "", fields[i + 1] ?? ""]);
      return pairs;
    });

for (const dialect of ["1.4", "2.x"] as Dialect[]) {
  test.skipIf(!haveRecordings)(
    `invariant 2: a day through a ${dialect} agent, torn, down and stopped on the way`,
    async () => {
      const device = deviceModelFromXml(recordingText("nist/tdp-devices.xml"), "Hurco04");
      const ids = new Map([...dataItems(device)].map(({ item }) => [item.name, item.id]));
      const agent = startAgent({ devices: [device], dialect, started_us: Date.UTC(2017, 1, 1, 12) * 1_000 });
      running.push(agent);
      const sink = new MemorySink();
      const collect = () => {
        const backoff = { first_ms: 10, max_ms: 50 };
        const options = { heartbeat_ms: 500, interval_ms: 5, backoff };
        const collector = startAgentCollector({
          url: agent.url,
          machines: [{ machine_id: "hurco" }],
          sink,
          ...options,
        });
        running.push(collector);
        return collector;
      };
      const recorded = day();
      const feed = (from: number, to: number): void => {
        for (const [ts, name, value] of recorded.slice(from, to))
          agent.add(device.uuid, ids.get(name) ?? name, ts, value);
      };
      const arrived = () => until(() => sink.rows.at(-1)?.seq === agent.next_sequence - 1);

      feed(0, 30_000);
      const first = collect();
      await arrived();
      feed(30_000, 35_000);
      await agent.tear();
      feed(35_000, 40_000);
      await arrived();
      await agent.down();
      feed(40_000, 50_000);
      await until(() => first.status().state === "unreachable");
      agent.up();
      await arrived();
      await first.stop();
      feed(50_000, recorded.length);
      collect();
      await arrived();

      const sequences = sink.rows.map(({ seq }) => seq);
      expect(new Set(sequences).size).toBe(sequences.length);
      // A 2.x agent also says of itself that it is available, which is not the machine's.
      expect(sequences.length).toBe(agent.next_sequence - 1 - (dialect === "2.x" ? 1 : 0));
      await until(() => sink.lost().length === 0);
      expect(secondsByWord(sink, "execution", Date.UTC(2017, 1, 1, 20, 11, 13, 453.125))).toMatchObject({
        ACTIVE: 10472.875,
        READY: 6092.9375,
        PROGRAM_COMPLETED: 6370.75,
        PROGRAM_STOPPED: 4465.828125,
        STOPPED: 962.828125,
        FEED_HOLD: 26,
      });
      const parts = sink.values("hurco", "part_count").filter((value) => typeof value === "number");
      expect([parts[0], parts.at(-1)]).toEqual([1065, 1075]);
    },
  );
}

/** How long each word of a signal was in force, until `end_ms`. */
function secondsByWord(sink: MemorySink, signal: string, end_ms: number): Record<string, number> {
  const rows = sink.rows
    .filter((row) => row.signal === signal)
    .sort((a, b) => a.ts_us - b.ts_us || a.seq - b.seq);
  const seconds: Record<string, number> = {};
  rows.forEach(({ ts_us, value }, i) => {
    const word = String(value);
    const until_us = rows[i + 1]?.ts_us ?? end_ms * 1_000 + 125;
    seconds[word] = (seconds[word] ?? 0) + (until_us - ts_us) / 1e6;
  });
  return seconds;
}
