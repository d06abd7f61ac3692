// First contact with an agent: what its buffer dropped since the machine became ours is a gap, and nothing else is.
import { afterEach, describe, expect, test } from "bun:test";
import { until } from "../../../.ci/limits.ts";
import { MemorySink } from "../memory-sink.ts";
import type { Collector } from "../source.ts";
import { type AgentMachine, startAgentCollector } from "./collector.ts";
import { ScriptedAgent } from "./scripted-agent.ts";

const running: { stop(): void | Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.stop();
});

/** The machine's source was set a minute ago. */
const SINCE_MS = Date.now() - 60_000;
const SINCE_US = SINCE_MS * 1_000;
const LATHE = { machine_id: "lathe", device: "uuid-1", since_ms: SINCE_MS };
const MILL = { machine_id: "mill", device: "uuid-2", since_ms: SINCE_MS };

/** An agent that has told the lathe's speed each second, from `from_s` to `to_s` after the source was set. */
function agent({
  from_s = -10,
  to_s = 20,
  capacity = 10,
  id = "m1-speed",
  ahead_ms = 0,
} = {}): ScriptedAgent {
  const made = new ScriptedAgent();
  running.push(made);
  made.capacity = capacity;
  tell(made, { from_s, to_s, id, ahead_ms });
  return made;
}

function tell(to: ScriptedAgent, { from_s = 0, to_s = 0, id = "m1-speed", ahead_ms = 0 } = {}): void {
  for (let s = from_s; s <= to_s; s++) {
    const ts = new Date(SINCE_MS + 1_000 * s + ahead_ms).toISOString();
    to.add(id, String(s), { ts });
  }
}

function collect(from: ScriptedAgent, sink: MemorySink, machines: AgentMachine[] = [LATHE]): Collector {
  const collector = startAgentCollector({
    url: from.url,
    machines,
    sink,
    heartbeat_ms: 150,
    interval_ms: 5,
    poll_ms: 10,
    backoff: { first_ms: 10, max_ms: 40 },
    patience: { silence_ms: 300, document_ms: 20_000 },
  });
  running.push(collector);
  return collector;
}

const streaming = (collector: Collector) => until(() => collector.status().state === "streaming");
/** Gaps that take time away, as seconds after the source was set. */
const lost = (sink: MemorySink, machine_id = "lathe", after_us = SINCE_US) =>
  sink
    .lost()
    .filter((gap) => gap.machine_id === machine_id)
    .map(({ from_us, to_us, cause }) => [
      (from_us - after_us) / 1e6,
      to_us === 0 ? "open" : (to_us - after_us) / 1e6,
      cause,
    ]);
const speeds = (sink: MemorySink) =>
  sink.values("lathe", "spindle_speed").filter((value) => typeof value === "number");

describe("invariant 4: first contact", () => {
  test("a buffer that moved on: what it dropped since the source was set is a gap, to the oldest it still has", async () => {
    const sink = new MemorySink();
    await streaming(collect(agent({ to_s: 20, capacity: 10 }), sink));
    expect(lost(sink)).toEqual([[0, 11, "sequence_gap"]]);
    expect(speeds(sink)).toEqual([11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
  });

  test("a buffer that reaches back before that: no gap, whatever it dropped; its past comes along", async () => {
    for (const capacity of [21, 25, 31]) {
      const sink = new MemorySink();
      await streaming(collect(agent({ to_s: 20, capacity }), sink));
      expect([capacity, lost(sink)]).toEqual([capacity, []]);
      expect(speeds(sink).at(0)).toBe(21 - capacity);
      expect(sink.gaps.size).toBe(0);
    }
  });

  test("nobody knows since when: nothing is missed", async () => {
    const sink = new MemorySink();
    await streaming(collect(agent(), sink, [{ machine_id: "lathe", device: "uuid-1" }]));
    expect(sink.gaps.size).toBe(0);
  });

  test("a quiet machine beside a busy one: its first observation is not where the buffer begins", async () => {
    // The mill alone speaks. The buffer reaches back before the source was set, then only to 11 s after it.
    for (const [capacity, gaps] of [
      [30, []],
      [12, [[0, 11, "sequence_gap"]]],
    ] as const) {
      for (const speaks of [true, false]) {
        const from = agent({ id: "m2-exec", to_s: 20, capacity });
        if (speaks) tell(from, { from_s: 21, to_s: 22 });
        else tell(from, { from_s: 21, to_s: 22, id: "m2-exec" });
        const sink = new MemorySink();
        const collector = collect(from, sink);
        await streaming(collector);
        expect(from.requests.some((path) => path.startsWith("/M1/sample"))).toBe(true);
        expect([capacity, speaks, lost(sink)]).toEqual([capacity, speaks, [...gaps.map((gap) => [...gap])]]);
        await collector.stop();
      }
    }
  });

  test("an agent that was started after that: what an instance before it may have had is lost", async () => {
    const from = agent({ from_s: 1, to_s: 0, capacity: 1_000 });
    const sink = new MemorySink();
    await streaming(collect(from, sink));
    const [first] = sink.rows.toSorted((a, b) => a.seq - b.seq);
    expect(sink.lost()).toMatchObject([
      { cause: "agent_restart", from_us: SINCE_US, to_us: first?.ts_us ?? 0 },
    ]);
  });

  test("an agent that cannot be reached: unreachable since the source was set, until it is known what was lost", async () => {
    for (const [capacity, gaps] of [
      [31, []],
      [10, [[0, 11, "sequence_gap"]]],
    ] as const) {
      const from = agent({ to_s: 20, capacity });
      await from.stop();
      const sink = new MemorySink();
      const collector = collect(from, sink);
      await until(() => sink.lost().length === 1);
      expect(lost(sink)).toEqual([[0, "open", "unreachable"]]);
      // A restart of ours in between changes nothing.
      await collector.stop();
      const again = collect(from, sink);
      await until(() => again.status().state === "unreachable");
      expect(lost(sink)).toEqual([[0, "open", "unreachable"]]);
      from.start();
      await streaming(again);
      expect(lost(sink)).toEqual(gaps.map((gap) => [...gap]));
      await again.stop();
    }
  });

  test("read once, it is the agent's position that counts, and not when the source was set", async () => {
    const from = agent({ to_s: 20, capacity: 31 });
    const sink = new MemorySink();
    const collector = collect(from, sink);
    await streaming(collector);
    const known_us = () => sink.checkpoints.get(from.url)?.known_us ?? 0;
    await collector.stop();
    const stopped_us = known_us();
    for (let i = 0; i < 60; i++) from.add("m1-speed", "1");
    await streaming(collect(from, sink));
    expect(sink.lost()).toMatchObject([{ cause: "sequence_gap", from_us: stopped_us }]);
  });

  test("the agent drops its oldest while it is asked: up to the page that was read", async () => {
    const from = agent({ to_s: 20, capacity: 16 });
    let s = 21;
    from.instead = (path) => {
      // One more of its oldest goes with each question for the values in force there.
      if (path.includes("current?at=") && s <= 22) tell(from, { from_s: s, to_s: s++ });
      return undefined;
    };
    const sink = new MemorySink();
    await streaming(collect(from, sink, [LATHE, MILL]));
    const first = speeds(sink).at(0) as number;
    expect(first).toBeGreaterThan(5);
    expect(lost(sink)).toEqual([[0, first, "sequence_gap"]]);
  });
});

describe("invariant 4: an agent whose clock is another one", () => {
  const clock = (from: ScriptedAgent, ahead_ms: number): void => {
    from.header = (header) =>
      header.replace(
        /creationTime="[^"]*"/,
        `creationTime="${new Date(Date.now() + ahead_ms).toISOString().replace(/\.\d+/, "")}"`,
      );
  };
  for (const ahead_ms of [-3_600_000, 3_600_000]) {
    test(`${ahead_ms / 60_000} minutes: the gap is in the agent's time, a second early at the most, and never of observations read`, async () => {
      const from = agent({ to_s: 20, capacity: 10, ahead_ms });
      clock(from, ahead_ms);
      const sink = new MemorySink();
      await streaming(collect(from, sink));
      const [[from_s, to_s, cause] = []] = lost(sink);
      expect([to_s, cause]).toEqual([11 + ahead_ms / 1_000, "sequence_gap"]);
      expect(Number(from_s)).toBeWithin(ahead_ms / 1_000 - 1.5, ahead_ms / 1_000 + 0.001);
      // One that reaches back has none.
      const whole = agent({ to_s: 20, capacity: 31, ahead_ms });
      clock(whole, ahead_ms);
      const none = new MemorySink();
      await streaming(collect(whole, none));
      expect(none.gaps.size).toBe(0);
    });
  }

  test("its observations are stamped by a clock that is behind its own: a gap is never of negative length", async () => {
    const from = agent({ to_s: 20, capacity: 10, ahead_ms: -3_600_000 });
    const sink = new MemorySink();
    await streaming(collect(from, sink));
    expect(sink.gaps.size).toBe(0);
  });
});

describe("invariant 4: a machine that comes to an agent later, or comes back", () => {
  test("one that joins: the gap is its own, since its source was set", async () => {
    const from = agent({ to_s: 10, capacity: 10 });
    const sink = new MemorySink();
    const first = collect(from, sink, [{ ...LATHE, since_ms: SINCE_MS - 100_000 }]);
    await streaming(first);
    expect(lost(sink)).toEqual([[-100, 1, "sequence_gap"]]);
    await first.stop();
    tell(from, { from_s: 11, to_s: 15 });
    await streaming(
      collect(from, sink, [
        { ...LATHE, since_ms: SINCE_MS - 100_000 },
        { ...MILL, since_ms: SINCE_MS + 3_000 },
      ]),
    );
    expect(lost(sink)).toEqual([[-100, 1, "sequence_gap"]]);
    expect(lost(sink, "mill")).toEqual([[3, 6, "sequence_gap"]]);
    expect(speeds(sink)).toEqual(Array.from({ length: 15 }, (_, i) => i + 1));
  });

  /** Lathe and mill both speak each second, and whoever reads the mill keeps abreast. */
  async function both(from: ScriptedAgent, sink: MemorySink, to_s: number, ahead_ms: number): Promise<void> {
    for (let s = 1; s <= to_s; s++) {
      tell(from, { from_s: s, to_s: s, ahead_ms });
      tell(from, { from_s: s, to_s: s, ahead_ms, id: "m2-exec" });
      await until(() => sink.values("mill", "execution").includes(String(s)));
    }
  }

  test("one that was another source's meanwhile: what this agent dropped is missed since it came back", async () => {
    for (const [capacity, gaps, first] of [
      [20, [[15, 31, "sequence_gap"]], 31],
      [52, [], 15],
      [1_000, [], 1],
    ] as const) {
      const from = agent({ from_s: -5, to_s: 0, capacity });
      const sink = new MemorySink();
      const before = collect(from, sink, [{ ...LATHE, since_ms: SINCE_MS - 4_000 }, MILL]);
      await streaming(before);
      await before.stop();
      // It is another source's from now on; here both speak on for 40 s, and after 15 s it comes back.
      const away_ms = Date.now() - SINCE_MS;
      const mill = collect(from, sink, [MILL]);
      await both(from, sink, 40, away_ms);
      await mill.stop();
      const read = speeds(sink).length;
      const known = lost(sink).length;
      const back = collect(from, sink, [{ ...LATHE, since_ms: SINCE_MS + away_ms + 15_000 }, MILL]);
      await streaming(back);
      const missed = lost(sink, "lathe", SINCE_US + 1_000 * away_ms).slice(known);
      expect([capacity, missed]).toEqual([capacity, gaps.map((gap) => [...gap])]);
      expect(speeds(sink).slice(read)).toEqual(Array.from({ length: 41 - first }, (_, i) => first + i));
      await back.stop();
    }
  });

  test("one that came back while the agent was away: its buffer kept the time", async () => {
    const from = agent({ from_s: -5, to_s: 0, capacity: 1_000 });
    const sink = new MemorySink();
    const before = collect(from, sink, [{ ...LATHE, since_ms: SINCE_MS - 4_000 }]);
    await streaming(before);
    await before.stop();
    const mill = collect(from, sink, [MILL]);
    await both(from, sink, 5, 0);
    await mill.stop();
    await from.stop();
    const gaps = sink.lost();
    const now_ms = Date.now();
    const back = collect(from, sink, [{ ...LATHE, since_ms: now_ms }, MILL]);
    await until(() => sink.lost().length === gaps.length + 2);
    expect(sink.lost().find(({ machine_id, to_us }) => machine_id === "lathe" && to_us === 0)).toMatchObject({
      cause: "unreachable",
      from_us: now_ms * 1_000,
    });
    from.start();
    await streaming(back);
    expect(sink.lost()).toEqual(gaps);
    expect(speeds(sink)).toEqual(Array.from({ length: 11 }, (_, i) => i - 5));
  });

  test("one that was alone at the agent and came back: the agent's position stands, but its time does not count", async () => {
    const from = agent({ from_s: -5, to_s: 0, capacity: 10 });
    const sink = new MemorySink();
    const before = collect(from, sink, [{ ...LATHE, since_ms: SINCE_MS - 4_000 }]);
    await streaming(before);
    await before.stop();
    const known = lost(sink).length;
    await from.stop();
    const away_ms = Date.now() - SINCE_MS;
    const back = collect(from, sink, [{ ...LATHE, since_ms: SINCE_MS + away_ms + 15_000 }]);
    await until(() => lost(sink).length > known);
    const after_us = SINCE_US + 1_000 * away_ms;
    expect(lost(sink, "lathe", after_us).slice(known)).toEqual([[15, "open", "unreachable"]]);
    tell(from, { from_s: 1, to_s: 40, ahead_ms: away_ms });
    from.start();
    await streaming(back);
    expect(lost(sink, "lathe", after_us).slice(known)).toEqual([[15, 31, "sequence_gap"]]);
  });

  test("one whose device the agent does not have yet: unreachable since the source was set, until it has", async () => {
    const from = agent({ to_s: 20, capacity: 31 });
    from.devices.delete("M2");
    const sink = new MemorySink();
    await streaming(collect(from, sink, [LATHE, MILL]));
    expect(lost(sink, "mill")).toEqual([[0, "open", "unreachable"]]);
    from.devices.add("M2");
    const restarted_us = Date.now() * 1_000;
    from.restart();
    await until(() => sink.lost().every(({ to_us }) => to_us > 0));
    const mill = sink.lost().filter(({ machine_id }) => machine_id === "mill");
    const until_us = Math.max(...mill.map(({ to_us }) => to_us));
    expect(mill.every(({ from_us }) => from_us === SINCE_US)).toBe(true);
    expect(until_us - restarted_us).toBeWithin(0, 2_000_000);
  });
});
