// The collector under every fault of agents and networks (SPEC 5.2 and 5.5): each ends in the right rows and the right gaps.
import { afterEach, describe, expect, test } from "bun:test";
import { pace, until } from "../../../.ci/limits.ts";
import { MemorySink } from "../memory-sink.ts";
import type { Collector } from "../source.ts";
import { type AgentCollectorOptions, startAgentCollector } from "./collector.ts";
import { ScriptedAgent } from "./scripted-agent.ts";
import { Wire } from "./wire.ts";

const running: { stop(): void | Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.stop();
});

function agent(): ScriptedAgent {
  const made = new ScriptedAgent();
  running.push(made);
  return made;
}

async function wired(from: ScriptedAgent): Promise<Wire> {
  const wire = await Wire.to(from.url);
  running.push(wire);
  return wire;
}

/** Longer than a busy machine keeps an agent that is well from answering. */
const SILENCE_MS = 1_000;
/** As long as an answer lies about unread on a machine that is too busy; by another clock it is none of that. */
const UNREAD_MS = 900;
const LATHE = { machine_id: "lathe", device: "uuid-1" };
const MILL = { machine_id: "mill", device: "uuid-2" };

function collect(url: string, sink: MemorySink, options: Partial<AgentCollectorOptions> = {}): Collector {
  const collector = startAgentCollector({
    url,
    machines: [LATHE],
    sink,
    heartbeat_ms: SILENCE_MS / 2,
    interval_ms: 5,
    poll_ms: 10,
    backoff: { first_ms: 10, max_ms: 40 },
    patience: { silence_ms: SILENCE_MS, document_ms: 20_000 },
    ...options,
  });
  running.push(collector);
  return collector;
}

const streaming = (collector: Collector) => until(() => collector.status().state === "streaming");
const execution = (sink: MemorySink, machine_id = "lathe") => sink.values(machine_id, "execution");
const has = (sink: MemorySink, value: string, machine_id = "lathe") =>
  until(() => execution(sink, machine_id).includes(value));
const once = (sink: MemorySink): void => {
  const names = sink.rows.map(({ machine_id, signal, seq }) => `${machine_id} ${signal} ${seq}`);
  expect(names.length).toBe(new Set(names).size);
};

describe("invariant 4: contact", () => {
  test("a pulled cable is a gap while it lasts; back in time, nothing is lost and the gap is empty", async () => {
    const from = agent();
    const wire = await wired(from);
    const sink = new MemorySink();
    await streaming(collect(wire.url, sink));
    wire.pulled = true;
    await until(() => sink.lost().length === 1);
    expect(sink.lost()).toMatchObject([{ machine_id: "lathe", cause: "unreachable", to_us: 0 }]);
    from.add("m1-exec", "ACTIVE");
    const tried = wire.connections;
    await until(() => wire.connections > tried);
    wire.pulled = false;
    await has(sink, "ACTIVE");
    await until(() => sink.lost().length === 0);
    expect(sink.gaps.size).toBe(1);
    once(sink);
  });

  test("what an agent was told after it made an answer that lay about unread is in the gap, where it then restarts", async () => {
    const from = agent();
    const sink = new MemorySink();
    await streaming(collect(from.url, sink));
    let told_us = 0;
    from.header = (header) => {
      from.header = (next) => next;
      // Not in this answer; and this process is too busy to read it, until after the agent has forgotten the rest.
      told_us = Date.now() * 1_000;
      from.add("m1-exec", "ACTIVE");
      const busy_ms = performance.now() + UNREAD_MS;
      while (performance.now() < busy_ms);
      queueMicrotask(() => from.restart());
      return header;
    };
    from.add("m1-exec", "READY");
    await until(() => sink.lost().length > 0);
    expect(execution(sink)).not.toContain("ACTIVE");
    const [gap] = sink.lost();
    expect(gap?.from_us).toBeLessThanOrEqual(told_us);
    expect(gap?.from_us).toBeGreaterThan(told_us - 1_000_000);
  });

  test("a cable back too late: what the agent dropped meanwhile is one gap of its own", async () => {
    const from = agent();
    from.capacity = 10;
    const wire = await wired(from);
    const sink = new MemorySink();
    await streaming(collect(wire.url, sink));
    wire.pulled = true;
    await until(() => sink.lost().length === 1);
    for (let i = 0; i < 30; i++) from.add("m1-speed", String(i));
    wire.pulled = false;
    await until(() => sink.values("lathe", "spindle_speed").includes(29));
    expect(sink.lost()).toMatchObject([{ cause: "sequence_gap" }]);
    const [gap] = sink.lost();
    expect((gap?.to_us ?? 0) - (gap?.from_us ?? 0)).toBeGreaterThan(100_000);
    once(sink);
  });

  test.each([
    ["a little: read from further on", 1, ["UNAVAILABLE", "STOPPED", "ACTIVE", "READY"]],
    ["too much: nothing is known until now", 10, ["UNAVAILABLE", "STOPPED", "READY"]],
  ])(
    "what held before a gap is not in force after it, where the agent drops its oldest while it is asked: %s",
    async (_, rows, told) => {
      const from = agent();
      from.capacity = 20;
      const wire = await wired(from);
      const sink = new MemorySink();
      await streaming(collect(wire.url, sink));
      from.add("m1-exec", "STOPPED");
      await has(sink, "STOPPED");
      wire.pulled = true;
      await until(() => sink.lost().length === 1);
      // Out of the buffer soon, while READY is in it: what held at its oldest is learned by asking for that only.
      from.add("m1-exec", "ACTIVE", { ts: new Date(Date.now() - 60).toISOString() });
      for (let i = 0; i < 30; i++) from.add("m1-speed", "1");
      from.add("m1-exec", "READY");
      from.instead = (path) => {
        if (/\/(current\?at|sample\?from)=\d\d/.test(path) && !path.includes("interval"))
          for (let i = 0; i < rows && from.next_sequence < 70; i++) from.add("m1-speed", "2");
        return undefined;
      };
      wire.pulled = false;
      await has(sink, "READY");
      expect(execution(sink)).toEqual(told);
      const [gap] = sink.lost();
      const known = sink.rows.filter(({ seq }) => seq > 20).toSorted((a, b) => a.seq - b.seq)[0];
      const ready = sink.rows.find(({ value }) => value === "READY");
      expect(gap).toMatchObject({ cause: "sequence_gap" });
      if (rows === 1) expect(gap?.to_us).toBe(known?.ts_us);
      else expect(gap?.to_us).toBeGreaterThanOrEqual(ready?.ts_us ?? Number.NaN);
      once(sink);
    },
  );

  test("slow is not silence, but has a bound: a dribbling agent loses nothing, and what takes too long is asked for in pieces", async () => {
    const from = agent();
    for (let i = 0; i < 100; i++) from.add("m1-speed", String(i));
    const wire = await wired(from);
    wire.piece_bytes = 25;
    const sink = new MemorySink();
    collect(wire.url, sink);
    await until(() => sink.values("lathe", "spindle_speed").includes(99));
    expect(sink.gaps.size).toBe(0);
    once(sink);
    // Over the bound smaller pages are asked for, until they come in time.
    const patient = new MemorySink();
    collect(wire.url, patient, { patience: { silence_ms: SILENCE_MS, document_ms: 250 } });
    await until(() => patient.values("lathe", "spindle_speed").includes(99));
    once(patient);
  });

  test("torn in the middle of a part, again and again: resumed by sequence, nothing lost, nothing twice", async () => {
    const from = agent();
    const wire = await wired(from);
    wire.cut_after_bytes = 4_000;
    const sink = new MemorySink();
    collect(wire.url, sink);
    for (let i = 0; i < 60; i++) {
      from.add("m1-speed", String(i));
      await pace(3);
    }
    await until(() => sink.values("lathe", "spindle_speed").includes(59));
    const numbers = sink.values("lathe", "spindle_speed").filter((value) => typeof value === "number");
    expect(numbers).toEqual(Array.from({ length: 60 }, (_, i) => i));
    expect(sink.lost()).toEqual([]);
    once(sink);
  });

  test("HTML, HTTP 500, nothing at all: no contact, until there is", async () => {
    const answers = [
      () => new Response("<html><body>It works!</body></html>", { headers: { "content-type": "text/html" } }),
      () => new Response("<!DOCTYPE html><html><p>502", { status: 502 }),
      () => new Response("oops", { status: 500 }),
      () => new Response(""),
      () => new Response(null, { status: 204 }),
      () => new Response(`{"status":"ok"}`),
      () => Response.redirect("http://127.0.0.1:1/"),
    ];
    for (const answer of answers) {
      const from = agent();
      const sink = new MemorySink();
      const collector = collect(from.url, sink);
      await streaming(collector);
      from.instead = answer;
      from.breakStreams();
      await until(() => sink.lost().length === 1);
      expect(collector.status().state).toBe("unreachable");
      from.add("m1-exec", "ACTIVE");
      from.instead = () => undefined;
      await has(sink, "ACTIVE");
      await until(() => sink.lost().length === 0);
      once(sink);
    }
  });

  test("an agent that does not tell its last sequence, or never goes on, is not asked without pause", async () => {
    const from = agent();
    from.refuses_interval = true;
    const sink = new MemorySink();
    const collector = collect(from.url, sink);
    await until(() => collector.status().state === "polling");
    const tellings = [
      (header: string) => header.replace(/ lastSequence="\d+"/, ""),
      (header: string) => header.replace(/lastSequence="\d+"/, 'lastSequence="999"'),
    ];
    for (const telling of tellings) {
      from.header = telling;
      from.requests.length = 0;
      const began_ms = performance.now();
      await until(() => from.requests.length >= 10);
      // One a poll, each 10 ms after the last.
      expect((performance.now() - began_ms) / from.requests.length).toBeGreaterThan(8);
    }
    from.header = (header) => header;
    from.add("m1-exec", "ACTIVE");
    await has(sink, "ACTIVE");
  });

  test("a stream alone that fails is no loss of contact: what it would have told is asked for", async () => {
    const from = agent();
    from.instead = (path) => (path.includes("interval") ? new Response("no", { status: 500 }) : undefined);
    const sink = new MemorySink();
    const collector = collect(from.url, sink);
    await until(() => collector.status().state === "polling");
    from.add("m1-exec", "ACTIVE");
    await has(sink, "ACTIVE");
    expect(sink.lost()).toEqual([]);
  });
});

describe("lying lengths", () => {
  const lies: [string, (length: number) => number | undefined][] = [
    ["too small", (length) => length - 20],
    ["too large", (length) => length + 30],
    ["far too large", (length) => length + 5_000],
    ["huge", () => 60_000_000],
    ["over the bound", () => 900_000_000],
    ["zero", () => 0],
  ];
  for (const [name, lie] of lies) {
    test(`a Content-length ${name}: every observation is had once, by asking instead`, async () => {
      const from = agent();
      from.part_length = lie;
      const sink = new MemorySink();
      collect(from.url, sink, { patience: { silence_ms: SILENCE_MS, document_ms: 2_000 } });
      for (let i = 0; i < 50; i++) {
        from.add("m1-speed", String(i));
        await pace(2);
      }
      await until(() => sink.values("lathe", "spindle_speed").includes(49));
      expect(sink.values("lathe", "spindle_speed").slice(-50)).toEqual(
        Array.from({ length: 50 }, (_, i) => i),
      );
      expect(sink.lost().filter(({ to_us }) => to_us > 0)).toEqual([]);
      once(sink);
    });
  }

  test("none at all, and the CRLF counted or not: streamed", async () => {
    for (const part_length of [() => undefined, (length: number) => length]) {
      for (const counts_crlf of [true, false]) {
        const from = agent();
        Object.assign(from, { part_length, counts_crlf });
        const sink = new MemorySink();
        const collector = collect(from.url, sink);
        from.add("m1-exec", "--cut");
        from.add("m1-exec", "a\n--cut and more");
        await has(sink, "a\n--cut and more");
        await streaming(collector);
        expect(sink.gaps.size).toBe(0);
        expect(from.requests.filter((path) => path.includes("interval"))).toHaveLength(1);
      }
    }
  });

  test("a whole boundary in the text is text, where the length tells", async () => {
    const from = agent();
    const sink = new MemorySink();
    await streaming(collect(from.url, sink));
    const program = "O1234\n--cut\nContent-length: 3\n\nM30";
    from.add("m1-exec", program);
    await has(sink, program);
    expect(sink.gaps.size).toBe(0);
  });
});

describe("the agent's buffer", () => {
  for (const error_shape of ["1.0", "1.4", "2.6"] as const) {
    for (const error_status of [200, 404]) {
      test(`invariant 4: OUT_OF_RANGE up front, shape ${error_shape}, HTTP ${error_status}: a gap up to the oldest held`, async () => {
        const from = agent();
        Object.assign(from, { error_shape, error_status, capacity: 20 });
        const sink = new MemorySink();
        const first = collect(from.url, sink);
        await streaming(first);
        await first.stop();
        from.add("m1-exec", "ACTIVE");
        for (let i = 0; i < 40; i++) from.add("m1-speed", String(i));
        collect(from.url, sink);
        await until(() => sink.values("lathe", "spindle_speed").includes(39));
        expect(sink.lost()).toMatchObject([{ machine_id: "lathe", cause: "sequence_gap" }]);
        // What changed within the gap is in force behind it.
        expect(execution(sink)).toEqual(["UNAVAILABLE", "ACTIVE"]);
        once(sink);
      });
    }
  }

  test("invariant 4: a stop of MTC is no gap where the buffer still holds the time", async () => {
    const from = agent();
    const sink = new MemorySink();
    const first = collect(from.url, sink);
    await streaming(first);
    await first.stop();
    for (let i = 0; i < 400; i++) from.add("m1-speed", String(i));
    collect(from.url, sink);
    await until(() => sink.values("lathe", "spindle_speed").includes(399));
    expect(sink.values("lathe", "spindle_speed").slice(1)).toEqual(Array.from({ length: 400 }, (_, i) => i));
    expect(sink.gaps.size).toBe(0);
    once(sink);
  });

  test("a buffer that wraps while it is chased: every row once, every hole inside a gap, and it is caught up with", async () => {
    const from = agent();
    from.capacity = 8;
    const sink = new MemorySink();
    const slow = await wired(from);
    slow.piece_bytes = 200;
    const collector = collect(slow.url, sink);
    await streaming(collector);
    const told_us = new Map<number, number>();
    for (let i = 0; i < 300; i++) {
      told_us.set(i, Date.now() * 1_000);
      from.add("m1-speed", String(i));
      if (i % 3 === 0) await pace(1);
    }
    await until(() => sink.values("lathe", "spindle_speed").includes(299));
    const got = sink.values("lathe", "spindle_speed").filter((value) => typeof value === "number");
    expect(got.length).toBeLessThan(300);
    once(sink);
    const gaps = sink.lost().filter(({ cause }) => cause === "sequence_gap");
    expect(gaps.length).toBeGreaterThan(0);
    for (const [value, ts_us] of told_us) {
      if (got.includes(value)) continue;
      // Both clocks are this machine's; the collector's "now" may lie a little behind the agent's.
      const covered = gaps.some(({ from_us, to_us }) => from_us - 50_000 <= ts_us && ts_us <= to_us + 50_000);
      expect({ value, covered }).toEqual({ value, covered: true });
    }
  });

  test("a buffer longer than a page is no restart for a machine that joins; the others get nothing twice", async () => {
    const from = agent();
    from.capacity = 20_000;
    for (let i = 0; i < 12_000; i++) from.add(i % 2 ? "m1-speed" : "m2-exec", String(i));
    const sink = new MemorySink();
    const first = collect(from.url, sink);
    await until(() => sink.values("lathe", "spindle_speed").includes(11_999));
    await first.stop();
    collect(from.url, sink, { machines: [LATHE, MILL] });
    await until(() => execution(sink, "mill").includes("11998"));
    from.add("m1-exec", "ACTIVE");
    await has(sink, "ACTIVE");
    expect(execution(sink, "mill")).toHaveLength(6_001);
    expect(sink.gaps.size).toBe(0);
    once(sink);
  });
});

describe("invariant 4: restarts", () => {
  test("a new instance that answers the old sequence is told by its instanceId, in the stream and in polling", async () => {
    for (const refuses_interval of [false, true]) {
      const from = agent();
      from.refuses_interval = refuses_interval;
      const sink = new MemorySink();
      const collector = collect(from.url, sink);
      for (let i = 0; i < 30; i++) from.add("m1-exec", `A${i}`);
      await has(sink, "A29");
      await until(() => ["streaming", "polling"].includes(collector.status().state));
      from.restart();
      for (let i = 0; i < 60; i++) from.add("m1-exec", `B${i}`);
      await has(sink, "B59");
      const values = sink.rows.filter(({ signal }) => signal === "execution").map(({ value }) => value);
      expect(values.filter((value) => String(value).startsWith("B"))).toHaveLength(60);
      expect(sink.lost()).toMatchObject([{ cause: "agent_restart" }]);
    }
  });

  test("a restart under the old instanceId is told by the sequence that went back", async () => {
    for (const refuses_interval of [false, true]) {
      const from = agent();
      from.refuses_interval = refuses_interval;
      const sink = new MemorySink();
      collect(from.url, sink);
      for (let i = 0; i < 30; i++) from.add("m1-exec", `A${i}`);
      await has(sink, "A29");
      from.restart();
      from.instance -= 1;
      from.add("m1-exec", "B");
      await has(sink, "B");
      expect(sink.lost().filter(({ to_us }) => to_us > 0)).toMatchObject([{ cause: "agent_restart" }]);
    }
  });

  test("a restart while MTC stands is a gap from where it stood", async () => {
    const from = agent();
    const sink = new MemorySink();
    const began_us = Date.now() * 1_000;
    const first = collect(from.url, sink);
    await streaming(first);
    await first.stop();
    const stopped_us = Date.now() * 1_000;
    await until(() => Date.now() * 1_000 > stopped_us);
    const restarted_us = Date.now() * 1_000;
    from.restart();
    from.add("m1-exec", "READY");
    collect(from.url, sink);
    await has(sink, "READY");
    const [gap] = sink.lost();
    expect(gap).toMatchObject({ cause: "agent_restart" });
    // By its header, which tells whole seconds, or by its newest observation.
    expect(gap?.from_us).toBeWithin(began_us - 1_000_000, stopped_us + 1);
    expect(gap?.to_us).toBeGreaterThanOrEqual(restarted_us);
  });
});

describe("several devices", () => {
  test("one vanishes with a restart and comes back with another: it alone is missing meanwhile", async () => {
    const from = agent();
    const sink = new MemorySink();
    const collector = collect(from.url, sink, { machines: [LATHE, MILL] });
    await streaming(collector);
    from.devices.delete("M2");
    from.restart();
    from.add("m1-exec", "ACTIVE");
    await has(sink, "ACTIVE");
    await until(() => sink.lost().some(({ machine_id, to_us }) => machine_id === "mill" && to_us === 0));
    await until(() => collector.status().error === "the agent has no device for mill");
    expect(collector.status().state).toBe("streaming");
    const gone_us = Date.now() * 1_000;
    await until(() => Date.now() * 1_000 > gone_us);
    from.add("m1-exec", "STOPPED");
    await has(sink, "STOPPED");
    const heard_us = sink.rows.find(({ value }) => value === "STOPPED")?.ts_us ?? 0;
    from.devices.add("M2");
    from.restart();
    from.add("m2-exec", "READY");
    await has(sink, "READY", "mill");
    await until(() => sink.lost().every(({ to_us }) => to_us > 0));
    /** Who lost the time between. */
    const lost = sink.lost().filter(({ from_us, to_us }) => from_us < heard_us && to_us > gone_us);
    expect(lost.some(({ from_us, to_us }) => from_us < gone_us && to_us > heard_us)).toBe(true);
    expect(new Set(lost.map(({ machine_id }) => machine_id))).toEqual(new Set(["mill"]));
    await until(() => collector.status().error === "");
  });

  test("a machine that was moved away from a shared agent and back: its time is in the buffer, or it is a gap", async () => {
    for (const capacity of [1_000, 10]) {
      const from = agent();
      from.capacity = capacity;
      const sink = new MemorySink();
      const both = collect(from.url, sink, { machines: [LATHE, MILL] });
      await streaming(both);
      await both.stop();
      const lathe_alone = collect(from.url, sink);
      await streaming(lathe_alone);
      from.add("m2-exec", "ACTIVE");
      for (let i = 0; i < 20; i++) from.add("m1-speed", String(i));
      await until(() => sink.values("lathe", "spindle_speed").includes(19));
      await lathe_alone.stop();
      collect(from.url, sink, { machines: [LATHE, MILL] });
      from.add("m2-exec", "READY");
      await has(sink, "READY", "mill");
      expect(execution(sink, "mill")).toEqual(["UNAVAILABLE", "ACTIVE", "READY"]);
      const lost = sink.lost().filter(({ machine_id }) => machine_id === "mill");
      if (capacity === 10) expect(lost).toMatchObject([{ cause: "sequence_gap" }]);
      else expect(lost).toEqual([]);
      once(sink);
    }
  });
});

describe("what cannot be read", () => {
  test("invariant 4: an observation that is always broken is passed over with a gap, and the stream goes on", async () => {
    const from = agent();
    const sink = new MemorySink();
    const collector = collect(from.url, sink);
    await streaming(collector);
    for (let i = 0; i < 40; i++) from.add("m1-speed", String(i));
    from.broken.add(from.next_sequence);
    from.add("m1-exec", "ACTIVE");
    for (let i = 40; i < 80; i++) from.add("m1-speed", String(i));
    await until(() => sink.values("lathe", "spindle_speed").includes(79));
    expect(sink.values("lathe", "spindle_speed").slice(1)).toEqual(Array.from({ length: 80 }, (_, i) => i));
    const torn = sink.lost().filter(({ cause }) => cause === "torn_record");
    expect(torn).toMatchObject([{ machine_id: "lathe", cause: "torn_record" }]);
    from.add("m1-exec", "READY");
    await has(sink, "READY");
    expect(execution(sink)).toEqual(["UNAVAILABLE", "READY"]);
    await streaming(collector);
    expect(sink.lost()).toHaveLength(1);
    once(sink);
  });

  test("several broken ones, in a row and apart, at first contact and as the newest", async () => {
    const from = agent();
    const broken = [10, 11, 12, 13, 14, 30, 50, 51, 60];
    for (const sequence of broken) from.broken.add(sequence);
    const at_ms = Date.now() - 60_000;
    while (from.next_sequence <= 60) {
      const ts = new Date(at_ms + 1_000 * from.next_sequence).toISOString();
      from.add("m1-speed", String(from.next_sequence), { ts });
    }
    const sink = new MemorySink();
    collect(from.url, sink);
    await until(() => sink.values("lathe", "spindle_speed").includes(59));
    await until(() => sink.lost().some(({ detail }) => detail.includes("60-60")));
    const expected = Array.from({ length: 53 }, (_, i) => i + 8).filter(
      (sequence) => !broken.includes(sequence),
    );
    expect(sink.values("lathe", "spindle_speed").slice(1)).toEqual(expected);
    expect(sink.lost().map(({ detail }) => detail)).toEqual(
      ["10-14", "30-30", "50-51", "60-60"].map((range) => `sequence ${range} cannot be read`),
    );
    from.add("m1-exec", "ACTIVE");
    await has(sink, "ACTIVE");
    once(sink);
  });

  test("an agent of which nothing can be read is no contact, and nothing is passed over", async () => {
    const from = agent();
    const sink = new MemorySink();
    const collector = collect(from.url, sink);
    await streaming(collector);
    from.instead = (path) => (path.includes("sample") ? new Response("<MTConnectStreams><Torn>") : undefined);
    from.breakStreams();
    await until(() => sink.lost().length === 1);
    expect(collector.status().state).toBe("unreachable");
    expect(sink.lost()).toMatchObject([{ cause: "unreachable", to_us: 0 }]);
    from.add("m1-exec", "ACTIVE");
    from.instead = () => undefined;
    await has(sink, "ACTIVE");
    await until(() => sink.lost().length === 0);
  });
});

describe("invariant 4: clocks apart", () => {
  const DAY_MS = 86_400_000;
  /** An agent whose host is so far ahead of ours, or ours behind. */
  function ahead(by_ms: number): { from: ScriptedAgent; at(more_ms?: number): { ts: string } } {
    const from = agent();
    const iso = (more_ms: number): string => new Date(Date.now() + by_ms + more_ms).toISOString();
    from.header = (header) =>
      header.replace(/creationTime="[^"]*"/, `creationTime="${iso(0).replace(/\.\d+/, "")}"`);
    return { from, at: (more_ms = 0) => ({ ts: iso(more_ms) }) };
  }
  const torn = (sink: MemorySink) => [...sink.gaps.values()].filter(({ cause }) => cause === "torn_record");

  test("three days behind the agent's, our clock drops nothing: times are judged by the agent's own", async () => {
    const { from, at } = ahead(3 * DAY_MS);
    const sink = new MemorySink();
    const collector = collect(from.url, sink);
    await streaming(collector);
    for (let i = 0; i < 100; i++) from.add("m1-speed", String(i), at());
    from.add("m1-exec", "ACTIVE", at());
    await has(sink, "ACTIVE");
    expect(sink.values("lathe", "spindle_speed").slice(1)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(sink.lost()).toEqual([]);
    await until(() => collector.status().error === "the agent's clock is 3.0 days ahead of this host's");
  });

  test("an agent whose clock stands in 2015 drops nothing of adapters whose clocks are right", async () => {
    const { from } = ahead(Date.parse("2015-01-01T00:00:00Z") - Date.now());
    const sink = new MemorySink();
    await streaming(collect(from.url, sink));
    from.add("m1-exec", "ACTIVE");
    await has(sink, "ACTIVE");
    expect(torn(sink)).toEqual([]);
  });

  test("what is ahead of its document by more than a day is refused, counted, and at once a gap that a restart keeps", async () => {
    const { from, at } = ahead(0);
    const sink = new MemorySink();
    const first = collect(from.url, sink);
    await streaming(first);
    from.add("m1-exec", "READY", at());
    await has(sink, "READY");
    const from_us = sink.rows.at(-1)?.ts_us;
    from.add("m1-exec", "ACTIVE", at(2 * DAY_MS));
    await until(() => torn(sink).length === 1);
    expect(torn(sink)).toMatchObject([{ from_us, to_us: 0 }]);
    await until(() => first.status().error.startsWith("1 observations with an impossible time"));
    await first.stop();
    await streaming(collect(from.url, sink));
    expect(torn(sink)).toMatchObject([{ from_us, to_us: 0 }]);
    from.add("m1-exec", "STOPPED", at());
    await has(sink, "STOPPED");
    await until(() => torn(sink)[0]?.to_us === sink.rows.at(-1)?.ts_us);
    expect(execution(sink)).toEqual(["UNAVAILABLE", "READY", "STOPPED"]);
    expect(torn(sink)).toHaveLength(1);
  });
});

describe("documents", () => {
  for (const format of ["json1", "json2"] as const) {
    test(`an agent that has nothing but ${format} is streamed, polled, chased and asked for its errors`, async () => {
      const from = agent();
      Object.assign(from, { format, capacity: 50 });
      const sink = new MemorySink();
      const collector = collect(from.url, sink, { machines: [LATHE, MILL] });
      await streaming(collector);
      from.add("m1-exec", "ACTIVE");
      from.add("m1-sys", "Fault", { code: "7" });
      from.add("m2-exec", "READY");
      await has(sink, "READY", "mill");
      await has(sink, "ACTIVE");
      await until(() => sink.values("lathe", "condition:m1-sys").includes("FAULT"));
      expect(sink.lost()).toEqual([]);
      await collector.stop();
      for (let i = 0; i < 100; i++) from.add("m1-speed", String(i));
      from.refuses_interval = true;
      collect(from.url, sink);
      await until(() => sink.values("lathe", "spindle_speed").includes(99));
      expect(sink.lost()).toMatchObject([{ cause: "sequence_gap" }]);
      once(sink);
    });
  }

  test("invariant 3: times without Z, and running backwards while the sequence rises, are taken as they are", async () => {
    const from = agent();
    const sink = new MemorySink();
    await streaming(collect(from.url, sink));
    from.add("m1-exec", "A", { ts: "2026-01-05T06:00:10" });
    from.add("m1-exec", "B", { ts: "2026-01-05T06:00:05.5" });
    from.add("m1-exec", "C", { ts: "2026-01-05T06:00:07.123456789Z" });
    from.add("m1-exec", "D", { ts: "2026-01-05T07:00:07+01:00" });
    await has(sink, "D");
    const told = sink.rows.filter(({ value }) => /^[A-D]$/.test(String(value)));
    const at_us = Date.UTC(2026, 0, 5, 6) * 1_000;
    expect(told.map(({ ts_us }) => ts_us - at_us)).toEqual([10_000_000, 5_500_000, 7_123_456, 7_000_000]);
    expect(sink.lost()).toEqual([]);
  });
});
