// Many processes on one MongoDB store, and their deaths: a ledger of what was acknowledged against what is in the log.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { limit_ms, until } from "../../.ci/limits.ts";
import { encodeData, encodeEvent } from "../event.ts";
import { type Relay, startRelay } from "../outbox/relay.ts";
import { MONGO_ENGINES, type MongoServer } from "../testing/mongo.ts";
import { idsOf } from "../testing/stretch.ts";
import { openMongo } from "./mongo.ts";
import type { NewEvent, Store } from "./store.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const MACHINES = 40;

let n = 0;
function event(machine: number, seq: number): NewEvent {
  const header = {
    id: `m${machine}-${String(seq).padStart(6, "0")}`,
    type: "mtc.observations.v1" as const,
    tenant_id: "plant-1",
    machine_id: `machine-${machine}`,
    time_ms: Date.now(),
  };
  const data = encodeData({ signals: ["n"], signal: [0], t0: 1, dt: [0], num: [seq] });
  return { header, bytes: encodeEvent(header, data), rows: 1 };
}

const running = new Set<{ kill(): Promise<void> }>();
afterEach(async () => {
  for (const one of running) await one.kill();
});

/** A process of ours, with the lines it prints; killed when its test is over. */
function run(script: string, ...args: string[]) {
  const child = Bun.spawn([process.execPath, `ingest/testing/${script}.ts`, ...args], {
    cwd: ROOT,
    stdout: "pipe",
    stderr: "ignore",
  });
  const lines: string[] = [];
  const read = (async () => {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of child.stdout) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      // What is cut off in the middle was not said.
      rest = parts.pop() ?? "";
      lines.push(...parts);
    }
  })();
  const process_of_ours = {
    lines,
    async kill() {
      running.delete(process_of_ours);
      child.kill("SIGKILL");
      await child.exited;
      await read;
    },
  };
  running.add(process_of_ours);
  return process_of_ours;
}

/** All that the log holds, in its order. */
async function logOf(store: Store): Promise<string[]> {
  const { last } = await store.logState();
  const ids: string[] = [];
  for (let after = 0; after < last; ) {
    const stretch = await store.readLog({ after, upto: last, since_ms: 0 }, 1_000, 1 << 20);
    ids.push(...stretch.events.map(({ id }) => id));
    after = stretch.to;
  }
  return ids;
}

for (const { name, start } of MONGO_ENGINES) {
  if (!start) {
    test.skip(`${name}: crashes, and many relays at once`, () => {});
    continue;
  }
  describe(name, () => {
    let server: MongoServer;
    beforeAll(async () => {
      server = await start();
    }, limit_ms(90));
    afterAll(() => server.stop());
    const open = (): Promise<Store> => opened(2_000);
    const opened = (lease_ms: number): Promise<Store> =>
      openMongo({
        url: server.url(`crash${n}`),
        max_outbox_bytes: 1 << 30,
        raw_retention_days: 30,
        project: "nowhere",
        log: () => {},
        lease_ms,
      });

    /** A bus that notes who brought what, and the relay that brings it. */
    const relayTo = (store: Store, got: string[]): Relay =>
      startRelay(
        store,
        {
          async deliver(stretch) {
            got.push(...idsOf(stretch));
          },
        },
        () => {},
      );

    test(
      "invariant 2: relays that come and go while two processes write: each event once, each machine's in order",
      async () => {
        n += 1;
        // Nobody dies here: a lease that no slow machine lets run out.
        const open = () => opened(60_000);
        const writers = await Promise.all([open(), open()]);
        const got: string[] = [];
        const shares: string[][] = [[], [], []];
        const stores: Store[] = [];
        const relays: Relay[] = [];
        const join = async (i: number): Promise<void> => {
          const store = await open();
          stores[i] = store;
          const share = shares[i] as string[];
          relays[i] = startRelay(
            store,
            {
              async deliver(stretch) {
                const ids = idsOf(stretch);
                got.push(...ids);
                share.push(...ids);
              },
            },
            () => {},
          );
        };
        let seq = 0;
        /** Each machine has one writer at a time, as from a collector: what it sends is acknowledged before it sends more. */
        const write = async (rounds: number): Promise<void> => {
          for (let round = 0; round < rounds; round++) {
            seq += 1;
            await Promise.all(
              Array.from({ length: MACHINES }, (_, machine) => {
                const writer = writers[(machine + seq) % 2] as Store;
                return writer.commit({ events: [event(machine, seq)] });
              }),
            );
          }
        };
        await join(0);
        await write(10);
        await join(1);
        await join(2);
        // All three have a share by and by.
        await until(async () => {
          await write(1);
          return shares.every((share) => share.length > 0);
        });
        await relays[1]?.stop();
        await stores[1]?.close();
        await write(10);
        await until(() => got.length >= seq * MACHINES);
        for (const i of [0, 2]) {
          await relays[i]?.stop();
          await stores[i]?.close();
        }
        expect(got.length).toBe(seq * MACHINES);
        expect(new Set(got).size).toBe(got.length);
        for (let machine = 0; machine < MACHINES; machine++) {
          const own = got.filter((id) => id.startsWith(`m${machine}-`));
          expect(own).toEqual(own.toSorted());
        }
        expect((await writers[0]?.outboxDepth())?.events).toBe(0);
        for (const writer of writers) await writer.close();
      },
      limit_ms(120),
    );

    test(
      "invariant 2: a relay that dies holding its leases is followed by another, and nothing is left behind",
      async () => {
        n += 1;
        const store = await open();
        for (let seq = 1; seq <= 5; seq++) {
          await Promise.all(
            Array.from({ length: MACHINES }, (_, machine) => store.commit({ events: [event(machine, seq)] })),
          );
        }
        const dying = run("mongo-relay", server.url(`crash${n}`), "hang");
        await until(() => dying.lines.some((line) => line.startsWith("claimed")));
        // It lives: another one is given nothing of what it has.
        const other = await open();
        expect((await other.readOutbox(1_000, 1 << 20)).events).toEqual([]);
        await dying.kill();
        const got: string[] = [];
        const began_ms = performance.now();
        const relay = relayTo(other, got);
        await until(() => got.length >= 5 * MACHINES);
        console.log(`${name}: taken over after ${((performance.now() - began_ms) / 1_000).toFixed(1)} s`);
        expect(new Set(got).size).toBe(5 * MACHINES);
        expect(got.length).toBe(5 * MACHINES);
        await relay.stop();
        await other.close();
        await store.close();
      },
      limit_ms(120),
    );

    test(
      "invariants 1 and 2: kill -9 of the writing process: all that was acknowledged is there, once",
      async () => {
        n += 1;
        const ledger = new Map<number, string[]>();
        for (let round = 0; round < 8; round++) {
          const before = ledger.size;
          const writer = run("mongo-writer", server.url(`crash${n}`), "w", "3");
          const acks = (): number => writer.lines.filter((line) => line.startsWith("acked")).length;
          await until(() => acks() > 3 + round * 2);
          await writer.kill();
          for (const line of writer.lines.filter((line) => line.startsWith("acked"))) {
            const [, sequence, ...ids] = line.split(" ");
            ledger.set(Number(sequence), ids);
          }
          expect(ledger.size).toBeGreaterThan(before);
        }
        const store = await open();
        const log = await logOf(store);
        const acked = [...ledger.values()].flat();
        expect(new Set(log).size).toBe(log.length);
        expect(acked.filter((id) => !log.includes(id))).toEqual([]);
        // Every batch once: what was stored without its acknowledgement was known again by its key.
        const batches = log.map((id) => id.split("-").slice(0, 3).join("-"));
        expect(new Set(batches).size).toBe(batches.length);
        const stood = (await store.checkpoint("http://w"))?.next_sequence ?? 0;
        const last = Math.max(...ledger.keys());
        expect(stood).toBeGreaterThan(last);
        // The checkpoint is never ahead of its events, and at most one batch behind them: the one that was cut off.
        const stored = Math.max(...batches.map((batch) => Number(batch.split("-")[1])));
        expect([stored, stored + 1]).toContain(stood);
        console.log(`${name}: ${acked.length} events acknowledged over 8 kills, ${log.length} in the log`);
        await store.close();
      },
      limit_ms(180),
    );

    // A server that was given is not ours to kill. FerretDB, killed and started again, leaves a writer without any answer
    // for over a minute about one time in four; why is not known yet.
    test.skipIf(name.includes("MTC_MONGO_URL") || name.startsWith("FerretDB"))(
      "invariant 1: kill -9 of the server under a writer: it waits, goes on by itself, and nothing acknowledged is missing",
      async () => {
        n += 1;
        const writer = run("mongo-writer", server.url(`crash${n}`), "w", "3");
        const acks = (): string[] => writer.lines.filter((line) => line.startsWith("acked"));
        for (let round = 1; round <= 3; round++) {
          const before = acks().length;
          await until(() => acks().length > before + 5);
          await server.restart();
        }
        const before = acks().length;
        await until(() => acks().length > before + 5);
        await writer.kill();
        const store = await open();
        const log = await logOf(store);
        const acked = acks().flatMap((line) => line.split(" ").slice(2));
        expect(acked.filter((id) => !log.includes(id))).toEqual([]);
        expect(new Set(log).size).toBe(log.length);
        console.log(`${name}: ${acked.length} events acknowledged over 3 kills of the server`);
        await store.close();
      },
      limit_ms(180),
    );
  });
}
