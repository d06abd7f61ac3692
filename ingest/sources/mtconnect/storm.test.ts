// Faults of every kind in a random order: at the end every observation was had once, or lies in a gap.
import { afterEach, expect, test } from "bun:test";
import { pace, until } from "../../../.ci/limits.ts";
import { MemorySink } from "../memory-sink.ts";
import type { Collector } from "../source.ts";
import { startAgentCollector } from "./collector.ts";
import { ScriptedAgent } from "./scripted-agent.ts";
import { Wire } from "./wire.ts";

const running: { stop(): void | Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.stop();
});

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What the collector and the agent may see each other's "now" apart. */
const CLOCK_US = 60_000;
const STEPS = 60;

class Storm {
  readonly agent: ScriptedAgent;
  readonly sink = new MemorySink();
  /** When each value was told. */
  readonly told_us: number[] = [];
  #collector: Collector | undefined;
  readonly #wire: Wire;

  private constructor(agent: ScriptedAgent, wire: Wire) {
    this.agent = agent;
    this.#wire = wire;
    agent.capacity = 60;
    this.begin();
  }

  static async begin(): Promise<Storm> {
    const agent = new ScriptedAgent();
    running.push(agent);
    const wire = await Wire.to(agent.url);
    running.push(wire);
    return new Storm(agent, wire);
  }

  begin(): void {
    this.#collector = startAgentCollector({
      url: this.#wire.url,
      machines: [{ machine_id: "lathe", device: "uuid-1" }],
      sink: this.sink,
      heartbeat_ms: 60,
      interval_ms: 5,
      poll_ms: 5,
      backoff: { first_ms: 5, max_ms: 20 },
      patience: { silence_ms: 120, document_ms: 400 },
    });
  }

  async end(): Promise<void> {
    await this.#collector?.stop();
  }

  async tell(rows: number): Promise<void> {
    for (let i = 0; i < rows; i++) {
      const now = new Date();
      this.agent.add("m1-speed", String(this.told_us.length), { ts: now.toISOString() });
      this.told_us.push(now.getTime() * 1_000);
      if (i % 4 === 3) await pace(2);
    }
  }

  readonly faults: (() => Promise<void> | void)[] = [
    () => this.agent.breakStreams(),
    () => this.agent.restart(),
    async () => {
      await this.agent.stop();
      await this.tell(10);
      this.agent.start();
    },
    async () => {
      await this.agent.stop();
      await this.tell(5);
      this.agent.restart();
      await this.tell(5);
      this.agent.start();
    },
    async () => {
      this.#wire.pulled = true;
      await this.tell(20);
      await until(() => this.#collector?.status().state === "unreachable");
      this.#wire.pulled = false;
    },
    () => {
      this.#wire.cut_after_bytes = 3_000;
    },
    () => {
      this.agent.part_length = (length) => length + 7;
    },
    () => {
      this.agent.part_length = () => undefined;
    },
    () => {
      this.agent.refuses_interval = true;
    },
    () => {
      this.agent.instead = (path) =>
        path.includes("current") ? new Response("no", { status: 500 }) : undefined;
    },
    () => {
      this.agent.broken.add(this.agent.next_sequence + 3);
    },
    () => {
      let refusals = 2;
      this.sink.before = () => {
        if (refusals-- > 0) throw new Error("disk full");
      };
    },
    async () => {
      await this.end();
      await this.tell(30);
      this.begin();
    },
    () => this.tell(300),
  ];

  heal(): void {
    this.#wire.cut_after_bytes = Number.POSITIVE_INFINITY;
    this.agent.part_length = (length) => length;
    this.agent.refuses_interval = false;
    this.agent.instead = () => undefined;
  }
}

for (const seed of [1, 2, 3]) {
  test(`invariants 2, 4: storm ${seed}: every observation once, or in a gap`, async () => {
    const next = random(seed);
    const storm = await Storm.begin();
    for (let step = 0; step < STEPS; step++) {
      await storm.tell(Math.floor(next() * 12));
      if (next() < 0.5) await storm.faults[Math.floor(next() * storm.faults.length)]?.();
      if (next() < 0.4) storm.heal();
    }
    storm.heal();
    const last = storm.told_us.length;
    await storm.tell(1);
    await until(() => storm.sink.values("lathe", "spindle_speed").includes(last));
    const got = storm.sink.values("lathe", "spindle_speed").filter((value) => typeof value === "number");
    expect(got.length).toBe(new Set(got).size);
    const had = new Set(got);
    const lost = storm.sink.lost();
    // Before the first contact nothing is known, and that is no gap.
    const first = Math.min(...got.map(Number));
    const missing = storm.told_us.flatMap((at_us, value) =>
      had.has(value) || value < first ? [] : [{ value, at_us }],
    );
    for (const { value, at_us } of missing) {
      const covered = lost.some(
        ({ from_us, to_us }) => from_us - CLOCK_US <= at_us && (to_us === 0 || at_us <= to_us + CLOCK_US),
      );
      expect({ value, covered }).toEqual({ value, covered: true });
    }
    await storm.end();
  });
}
