// The relay against a store in memory: order, retries, poison.
import { expect, test } from "bun:test";
import { until } from "../../.ci/limits.ts";
import type { Stretch } from "../event.ts";
import type { OutboxBatch } from "../store/store.ts";
import { each } from "../testing/stretch.ts";
import { startRelay } from "./relay.ts";

/** A log of words, each an event; what is set aside is no longer read. */
function memoryLog(words: string[]) {
  let watermark = 0;
  const poison: string[] = [];
  const aside = new Set<number>();
  return {
    poison,
    watermark: () => watermark,
    add: (word: string) => words.push(word),
    async readOutbox(max_events: number): Promise<OutboxBatch> {
      const events: OutboxBatch["events"] = [];
      let text = "";
      for (let i = watermark; i < words.length && events.length < max_events; i++) {
        if (aside.has(i + 1)) continue;
        const word = words[i] ?? "";
        events.push({
          position: i + 1,
          id: word,
          type: "mtc.observations.v1",
          start: text.length,
          end: text.length + word.length,
        });
        text += `${word}\n`;
      }
      return { bytes: new TextEncoder().encode(text), events };
    },
    async delivered(position: number) {
      watermark = Math.max(watermark, position);
    },
    async setAside(position: number, error: string) {
      aside.add(position);
      poison.push(`${words[position - 1]}: ${error}`);
    },
  };
}

/** Whatever can go on in memory has gone on by then. */
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

const lines = (stretch: Stretch): string[] => each(stretch).map((event) => new TextDecoder().decode(event));

test("delivers all in order, and what is added later after a wake", async () => {
  const log = memoryLog(["a", "b", "c"]);
  const got: string[] = [];
  const relay = startRelay(log, { deliver: async (stretch) => void got.push(...lines(stretch)) }, () => {});
  await until(() => got.length === 3);
  log.add("d");
  relay.wake();
  await until(() => log.watermark() === 4);
  expect(got).toEqual(["a", "b", "c", "d"]);
  await relay.stop();
});

test("invariant 2: a bus that fails gets the same batch again, and nothing is skipped", async () => {
  const log = memoryLog(["a", "b"]);
  const got: string[] = [];
  let failures = 4;
  const told: string[] = [];
  const bus = {
    async deliver(stretch: Stretch) {
      if (failures-- > 0) throw new Error(`out of memory, ${failures} to go`);
      got.push(...lines(stretch));
    },
  };
  const relay = startRelay(log, bus, (line) => told.push(line), { first_ms: 1, max_ms: 10 });
  await until(() => log.watermark() === 2);
  expect(got).toEqual(["a", "b"]);
  await until(() => told.length === 2);
  expect(relay.status().failing).toBeUndefined();
  expect(relay.status()).toMatchObject({ delivered_events: 2, poison_events: 0 });
  expect(told).toEqual(["relay: out of memory, 3 to go", expect.stringMatching(/^relay: goes on, after \d/)]);
  await relay.stop();
});

test("poison is set aside with its error and blocks nothing", async () => {
  const words = Array.from({ length: 50 }, (_, i) => (i === 7 || i === 31 ? `bad${i}` : `w${i}`));
  const log = memoryLog(words);
  const got: string[] = [];
  const bus = {
    async deliver(stretch: Stretch) {
      const batch = lines(stretch);
      const bad = batch.find((word) => word.startsWith("bad"));
      if (bad) throw Object.assign(new Error(`cannot parse ${bad}`), { poison: true });
      got.push(...batch);
    },
  };
  const relay = startRelay(log, bus, () => {});
  await until(() => log.watermark() === 50);
  expect(log.poison).toEqual(["bad7: cannot parse bad7", "bad31: cannot parse bad31"]);
  expect(got).toEqual(words.filter((word) => !word.startsWith("bad")));
  expect(relay.status().poison_events).toBe(2);
  await relay.stop();
});

test("invariant 7: what is too large at once goes in parts; what is too large alone does not stop the rest", async () => {
  const log = memoryLog(["a", "b", "huge", "c", "d"]);
  const got = new Set<string>();
  const refuse = (): never => {
    throw Object.assign(new Error("memory"), { too_large: true });
  };
  const deliver = async (stretch: Stretch): Promise<void> => {
    const words = lines(stretch);
    if (words.length > 2 || words.includes("huge")) refuse();
    for (const word of words) got.add(word);
  };
  const relay = startRelay(log, { deliver }, () => {}, { first_ms: 1, max_ms: 10 });
  await until(() => log.watermark() === 5);
  expect([...got].sort()).toEqual(["a", "b", "c", "d"]);
  expect(log.poison).toEqual(["huge: memory"]);
  await relay.stop();
});

test("paused it delivers nothing, not even what was woken for, and afterwards all of it; commits do not wait", async () => {
  const log = memoryLog(["a"]);
  const got: string[] = [];
  const begun = Promise.withResolvers<void>();
  const under_way = Promise.withResolvers<void>();
  const deliver = async (stretch: Stretch): Promise<void> => {
    begun.resolve();
    await under_way.promise;
    got.push(...lines(stretch));
  };
  const relay = startRelay(log, { deliver }, () => {});
  await begun.promise;
  const delivered = relay.pause().then(() => [...got]);
  await turn();
  under_way.resolve();
  expect(await delivered).toEqual(["a"]);
  expect(log.watermark()).toBe(1);
  log.add("b");
  relay.wake();
  await turn();
  expect(got).toEqual(["a"]);
  relay.resume();
  await until(() => log.watermark() === 2);
  expect(got).toEqual(["a", "b"]);
  // A relay that is paused stops all the same, and one that has stopped keeps nobody waiting.
  await relay.pause();
  await relay.stop();
  await relay.pause();
});
