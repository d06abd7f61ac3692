// What every store must do, whatever the engine: one suite that each engine's test runs.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type EventHeader, encodeData, encodeEvent } from "../event.ts";
import type { Machine, NewEvent, Store, User } from "./store.ts";

let n = 0;
function event(machine_id = "press-1", dedupe?: { key: string; body_hash: string }): NewEvent {
  n += 1;
  const header: EventHeader = {
    id: `01J${String(n).padStart(23, "0")}`,
    type: "mtc.observations.v1",
    tenant_id: "plant-1",
    machine_id,
    time_ms: 1_767_592_800_000 + n,
  };
  const data = encodeData({
    signals: ["execution"],
    signal: [0],
    t0: 1,
    dt: [0],
    words: ["ACTIVE"],
    word: [1],
  });
  return { header, bytes: encodeEvent(header, data), rows: 1, ...(dedupe ? { dedupe } : {}) };
}

const lathe: Machine = {
  id: "lathe-1",
  tenant_id: "plant-1",
  name: "Lathe 1",
  source: { kind: "http" },
  calendar: null,
  cycle_times: [],
  policy: { unknown: "loss", reasons: {}, minor_stop_s: 0 },
  rules: [{ signal: "di0", is: "execution", words: { "0": "READY", "1": "ACTIVE" } }],
  group: "hall 1",
  demo: false,
  created_ms: 1_767_592_800_000,
  source_since_ms: 1_767_592_900_000,
};

/** @param open opens the store over the same data every time it is called between two `reset`s */
export function storeContract(name: string, open: () => Promise<Store>, reset: () => void): void {
  describe(name, () => {
    let store: Store;
    beforeEach(async () => {
      reset();
      store = await open();
    });
    afterEach(() => store.close());

    const reopen = async (): Promise<void> => {
      await store.close();
      store = await open();
    };
    const outbox = (): Promise<string[]> =>
      store.readOutbox(1_000, 1 << 20).then(({ events }) => events.map(({ id }) => id));

    test("invariant 1: what a commit answered is there after opening again", async () => {
      const sent = event();
      const id = sent.header.id;
      const bytes = sent.bytes.slice();
      expect(await store.commit({ events: [sent] })).toEqual([{ outcome: "stored", event_id: id }]);
      await reopen();
      const batch = await store.readOutbox(10, 1 << 20);
      expect(batch.events.map((e) => e.id)).toEqual([id]);
      // Invariant 8: the very bytes, with a newline behind them.
      const { start = -1, end = -1 } = batch.events[0] ?? {};
      expect(batch.bytes.subarray(start, end)).toEqual(bytes);
      expect(batch.bytes[end]).toBe(0x0a);
    });

    test("invariant 2: the same key again is the first event; with another body it is refused", async () => {
      const first = event("press-1", { key: "k", body_hash: "a" });
      const id = first.header.id;
      await store.commit({ events: [first] });
      const again = await store.commit({ events: [event("press-1", { key: "k", body_hash: "a" })] });
      expect(again).toEqual([{ outcome: "duplicate", event_id: id }]);
      const other = await store.commit({ events: [event("press-1", { key: "k", body_hash: "b" })] });
      expect(other).toEqual([{ outcome: "conflict", event_id: id }]);
      const elsewhere = await store.commit({ events: [event("press-2", { key: "k", body_hash: "b" })] });
      expect(elsewhere[0]?.outcome).toBe("stored");
      expect(await outbox()).toHaveLength(2);
    });

    test("invariant 2: a derived event is stored with the event before it, and never without", async () => {
      const dedupe = { key: "a", body_hash: "1" };
      const first = event("press-1", dedupe);
      const again = event("press-1", dedupe);
      const other = event("press-1", { key: "a", body_hash: "2" });
      const { id } = first.header;
      const follower = (): NewEvent => ({ ...event(), derived: true });
      await store.commit({ events: [first] });
      // The rules were made meanwhile: what came before them means nothing by them.
      expect(await store.commit({ events: [again, follower()] })).toEqual([
        { outcome: "duplicate", event_id: id },
        { outcome: "duplicate", event_id: id },
      ]);
      const refused = await store.commit({ events: [other, follower(), follower()] });
      expect(refused.map(({ outcome }) => outcome)).toEqual(["conflict", "conflict", "conflict"]);
      const taken = await store.commit({ events: [event(), follower()] });
      expect(taken.map(({ outcome }) => outcome)).toEqual(["stored", "stored"]);
      expect(await outbox()).toEqual([id, ...taken.map(({ event_id }) => event_id)]);
    });

    test("invariant 2: two with the same key in one commit are one event", async () => {
      const dedupe = { key: "k", body_hash: "a" };
      const results = await store.commit({ events: [event("press-1", dedupe), event("press-1", dedupe)] });
      expect(results.map(({ outcome }) => outcome)).toEqual(["stored", "duplicate"]);
      expect(await outbox()).toHaveLength(1);
    });

    test("commits at once share an fsync and each gets its own answer", async () => {
      const events = Array.from({ length: 200 }, () => event());
      const ids = events.map(({ header }) => header.id);
      const results = await Promise.all(events.map((one) => store.commit({ events: [one] })));
      expect(results.map(([result]) => result?.event_id)).toEqual(ids);
      expect(await outbox()).toEqual(ids);
    });

    test("the checkpoint commits with the batch it covers", async () => {
      const checkpoint = { agent: "http://agent", instance_id: "7", next_sequence: 42 };
      await store.commit({ events: [event()], checkpoint });
      await reopen();
      expect(await store.checkpoint("http://agent")).toEqual(checkpoint);
      await store.commit({ events: [], checkpoint: { ...checkpoint, next_sequence: 43, known_us: 5 } });
      expect(await store.checkpoint("http://agent")).toEqual({
        ...checkpoint,
        next_sequence: 43,
        known_us: 5,
      });
      expect(await store.checkpoint("http://other")).toBeUndefined();
    });

    test("the watermark moves past what is delivered, and back to the start", async () => {
      const events = [event(), event(), event()];
      const ids = events.map(({ header }) => header.id);
      await store.commit({ events });
      const { events: read } = await store.readOutbox(2, 1 << 20);
      expect(read.map(({ id }) => id)).toEqual(ids.slice(0, 2));
      await store.delivered(read[1]?.position ?? 0);
      expect(await outbox()).toEqual(ids.slice(2));
      expect(await store.outboxDepth()).toMatchObject({ events: 1, oldest_ms: events[2]?.header.time_ms });
      await reopen();
      expect(await outbox()).toEqual(ids.slice(2));
      await store.rewind("start");
      expect(await outbox()).toEqual(ids);
      expect((await store.outboxDepth()).events).toBe(3);
    });

    test("what waits of a tenant is told by positions, and none of another's, or of what is set aside", async () => {
      await store.ping();
      const waits = (tenant_id: string) => store.waiting(tenant_id);
      await store.commit({ events: [event(), event()] });
      const { tenant_id } = event().header;
      const { events: read } = await store.readOutbox(2, 1 << 20);
      const [first, second] = read.map(({ position }) => position);
      expect(await waits(tenant_id)).toMatchObject({ last: second });
      expect((await waits(tenant_id))?.first).toBeLessThanOrEqual(first ?? 0);
      expect(await waits("another")).toBeUndefined();
      await store.delivered(first ?? 0);
      expect((await waits(tenant_id))?.first).toBeGreaterThan(first ?? 0);
      await store.setAside(second ?? 0, "no");
      await store.delivered(second ?? 0);
      expect(await waits(tenant_id)).toBeUndefined();
      await reopen();
      expect(await waits(tenant_id)).toBeUndefined();
      await store.rewind("start");
      expect(await waits(tenant_id)).toMatchObject({ last: first });
    });

    test("invariant 1: what was delivered of late is delivered again, however old its events are", async () => {
      const events = [event(), event()];
      const ids = events.map(({ header }) => header.id);
      await store.commit({ events });
      await store.delivered((await store.readOutbox(2, 1 << 20)).events[1]?.position ?? 0);
      expect(await outbox()).toEqual([]);
      await reopen();
      await store.rewind("settled");
      expect(await outbox()).toEqual(ids);
    });

    test("invariant 7: a batch of the outbox keeps to its bytes, but is never empty", async () => {
      await store.commit({ events: [event(), event(), event()] });
      const { events, bytes } = await store.readOutbox(1_000, 1);
      expect(events).toHaveLength(1);
      expect(bytes.length).toBeGreaterThan(1);
    });

    test("poison is listed with its error and no longer read; only its tenant sees it (invariant 10)", async () => {
      const events = [event(), event()];
      const ids = events.map(({ header }) => header.id);
      const bytes = events[0]?.bytes.slice() ?? new Uint8Array();
      await store.commit({ events });
      const [first] = (await store.readOutbox(10, 1 << 20)).events;
      const position = first?.position ?? 0;
      await store.setAside(position, "bad byte");
      expect(await outbox()).toEqual(ids.slice(1));
      expect(await store.poison("plant-1", 10)).toMatchObject([
        {
          position,
          id: ids[0],
          machine_id: "press-1",
          type: "mtc.observations.v1",
          size_bytes: bytes.length,
          error: "bad byte",
        },
      ]);
      // Invariant 8: as they came.
      expect(new Uint8Array((await store.poisonBytes("plant-1", position)) ?? [])).toEqual(bytes);
      expect(await store.poison("plant-1", 0)).toEqual([]);
      expect(await store.poison("plant-2", 10)).toEqual([]);
      expect(await store.poisonBytes("plant-2", position)).toBeUndefined();
      expect(await store.retryPoison("plant-2", position)).toBe(false);
      expect(await store.discardPoison("plant-2", position)).toBe(false);
      expect(await store.poison("plant-1", 10)).toHaveLength(1);
    });

    test("poison goes back into the outbox whole, once, wherever the watermark is; its key still holds", async () => {
      const first = event("press-1", { key: "k", body_hash: "a" });
      const { id } = first.header;
      const bytes = first.bytes.slice();
      await store.commit({ events: [first, event()] });
      const { events } = await store.readOutbox(10, 1 << 20);
      const position = events[0]?.position ?? 0;
      await store.setAside(position, "bad byte");
      await store.delivered(events[1]?.position ?? 0);
      expect(await outbox()).toEqual([]);
      expect(await store.outboxDepth()).toEqual({ events: 0, bytes: 0, oldest_ms: 0 });
      expect(await store.retryPoison("plant-1", position)).toBe(true);
      expect(await store.retryPoison("plant-1", position)).toBe(false);
      expect(await store.poison("plant-1", 10)).toEqual([]);
      await reopen();
      const batch = await store.readOutbox(10, 1 << 20);
      expect(batch.events.map((one) => one.id)).toEqual([id]);
      const { start, end } = batch.events[0] ?? { start: 0, end: 0 };
      expect(batch.bytes.subarray(start, end)).toEqual(bytes);
      expect(await store.outboxDepth()).toMatchObject({ events: 1, bytes: bytes.length });
      const again = await store.commit({ events: [event("press-1", { key: "k", body_hash: "a" })] });
      expect(again).toEqual([{ outcome: "duplicate", event_id: id }]);
    });

    test("poison that was discarded is gone for good", async () => {
      const events = [event(), event()];
      const ids = events.map(({ header }) => header.id);
      await store.commit({ events });
      const position = (await store.readOutbox(10, 1 << 20)).events[0]?.position ?? 0;
      await store.setAside(position, "bad byte");
      // It waits for nothing: the depth is of what is left.
      expect((await store.outboxDepth()).events).toBe(1);
      expect(await store.discardPoison("plant-1", position)).toBe(true);
      expect((await store.outboxDepth()).events).toBe(1);
      expect(await store.discardPoison("plant-1", position)).toBe(false);
      await reopen();
      expect(await store.poison("plant-1", 10)).toEqual([]);
      await store.rewind("start");
      expect(await outbox()).toEqual(ids.slice(1));
    });

    test("what was set aside keeps nobody waiting after a start either", async () => {
      await store.commit({ events: [event(), event()] });
      const { events } = await store.readOutbox(10, 1 << 20);
      await store.setAside(events[1]?.position ?? 0, "bad byte");
      await reopen();
      await store.rewind("start");
      expect((await store.outboxDepth()).events).toBe(1);
      expect(await outbox()).toEqual([events[0]?.id ?? ""]);
      await store.delivered(events[0]?.position ?? 0);
      expect(await store.outboxDepth()).toEqual({ events: 0, bytes: 0, oldest_ms: 0 });
    });

    test("purge forgets delivered observations and assets, and keeps configuration", async () => {
      const [old, tool, open] = [event(), event(), event()];
      tool.header.type = "mtc.asset.v1";
      const setup = event();
      setup.header.type = "mtc.machine.v1";
      await store.commit({ events: [setup, old, tool, open] });
      const { events } = await store.readOutbox(3, 1 << 20);
      await store.delivered(events[2]?.position ?? 0);
      expect(await store.purge(Date.now() + 1e12)).toBe(2);
      await store.rewind("start");
      expect(await outbox()).toEqual([setup.header.id, open.header.id]);
    });

    test("purge leaves what was set aside, until somebody says what becomes of it", async () => {
      const [bad, good] = [event(), event()];
      await store.commit({ events: [bad, good] });
      const { events } = await store.readOutbox(2, 1 << 20);
      const [first = 0, last = 0] = events.map(({ position }) => position);
      await store.setAside(first, "bad byte");
      await store.delivered(last);
      expect(await store.purge(Date.now() + 1e12)).toBe(1);
      const [left] = await store.poison(bad.header.tenant_id, 10);
      expect(left).toMatchObject({ position: first, id: bad.header.id });
      expect(await store.discardPoison(bad.header.tenant_id, first)).toBe(true);
    });

    test("until when it was purged is known for good; before the first purge it is all there", async () => {
      const [old, open] = [event(), event()];
      const before_ms = open.header.time_ms;
      await store.commit({ events: [old, open] });
      await store.delivered((await store.readOutbox(2, 1 << 20)).events[1]?.position ?? 0);
      expect(await store.purge(old.header.time_ms)).toBe(0);
      expect(await store.logState()).toMatchObject({ purged_before_ms: 0 });
      expect(await store.purge(before_ms)).toBe(1);
      // Less far back than before: what is gone is gone.
      expect(await store.purge(1)).toBe(0);
      await reopen();
      expect(await store.logState()).toEqual({ last: 2, delivered: 2, purged_before_ms: before_ms });
    });

    test("the time that retention goes by is what was noted last", async () => {
      expect(await store.retentionTime_ms()).toBe(0);
      await store.noteRetentionTime(2_000.5);
      await store.noteRetentionTime(1_000);
      await reopen();
      expect(await store.retentionTime_ms()).toBe(1_000);
    });

    test("the log is read in stretches, delivered or not, from a time on, without what was set aside", async () => {
      const made = Array.from({ length: 6 }, () => event());
      const setup = made[0] as NewEvent;
      setup.header.type = "mtc.machine.v1";
      const ids = made.map(({ header }) => header.id);
      const times = made.map(({ header }) => header.time_ms);
      await store.commit({ events: made });
      const { events } = await store.readOutbox(10, 1 << 20);
      // Each with its type, by which it finds its door.
      const types = ["mtc.machine.v1", ...Array.from({ length: 5 }, () => "mtc.observations.v1")];
      expect(events.map(({ type }): string => type)).toEqual(types);
      const [first = 0, , third = 0, , fifth = 0, sixth = 0] = events.map(({ position }) => position);
      const whole = await store.readLog({ after: 0, upto: sixth, since_ms: 0 }, 10, 1 << 20);
      expect(whole.events.map(({ type }): string => type)).toEqual(types);
      await store.delivered(third);
      await store.setAside(fifth, "bad");
      const read = async (after: number, upto: number, since_ms = 0, max = 10) => {
        const stretch = await store.readLog({ after, upto, since_ms }, max, 1 << 20);
        return [stretch.events.map(({ id }) => ids.indexOf(id)), stretch.to, stretch.rows];
      };
      expect(await read(0, sixth)).toEqual([[0, 1, 2, 3, 5], sixth, 5]);
      expect(await read(first, third)).toEqual([[1, 2], third, 2]);
      expect(await read(0, sixth, 0, 2)).toEqual([[0, 1], first + 1, 2]);
      // Configuration is read however old it is.
      expect(await read(0, sixth, times[3])).toEqual([[0, 3, 5], sixth, 3]);
      expect(await read(first, third, times[5])).toEqual([[], third, 0]);
      expect(await outbox()).toEqual([ids[3], ids[5]] as string[]);
    });

    test("machines: made and changed with their event, deleted with theirs; the log keeps what was said of them", async () => {
      await store.commit({ events: [event("lathe-1")], machine: lathe });
      await store.commit({ events: [event("lathe-1")], machine: { ...lathe, name: "Lathe one" } });
      await reopen();
      expect(await store.machines()).toEqual([{ ...lathe, name: "Lathe one" }]);
      await store.deleteMachine("plant-2", "lathe-1", event("lathe-1"));
      expect(await store.machines()).toHaveLength(1);
      await store.deleteMachine("plant-1", "lathe-1", event("lathe-1"));
      expect(await store.machines()).toEqual([]);
      expect(await outbox()).toHaveLength(4);
      // Should the id be used again: what is to be ended is known by the log.
      const gap = { machine_id: "lathe-1", from_us: 5, cause: "unreachable" as const };
      const late = event("lathe-1");
      late.header.type = "mtc.gap.v1";
      const bytes = late.bytes.slice();
      await store.commit({ events: [late], open_gap: gap });
      await store.deleteMachine("plant-1", "lathe-1", event("lathe-1"));
      expect(await store.openGaps("lathe-1")).toEqual([]);
      const entries = await store.entries("plant-1", "lathe-1", "mtc.gap.v1");
      expect(entries.map((entry) => new Uint8Array(entry.bytes))).toEqual([bytes]);
      const [made, ended] = [event("lathe-1"), event("lathe-1")];
      await store.commit({ events: [made, ended], machine: lathe });
      expect((await outbox()).slice(-2)).toEqual([made.header.id, ended.header.id]);
    });

    test("open gaps are known until they are closed", async () => {
      const gap = { machine_id: "press-1", from_us: 5, cause: "unreachable" as const };
      await store.commit({ events: [event()], open_gap: gap });
      await store.commit({ events: [event()], open_gap: gap });
      await reopen();
      expect(await store.openGaps("press-1")).toEqual([gap]);
      await store.commit({ events: [event()], close_gaps: [gap] });
      expect(await store.openGaps("press-1")).toEqual([]);
    });

    test("keys and sessions; a key takes its sessions with it", async () => {
      const key = {
        id: "k1",
        tenant_id: "plant-1",
        name: "scada",
        hash: "h",
        scopes: ["read"],
        created_ms: 1,
      };
      await store.putKey(key);
      const session = { hash: "s", holder_id: "k1", expires_ms: Date.now() + 60_000 };
      await store.putSession(session);
      await store.putSession({ hash: "old", holder_id: "k1", expires_ms: 1 });
      await reopen();
      expect(await store.keys()).toEqual([key]);
      expect(await store.session("s")).toEqual(session);
      expect(await store.session("old")).toBeUndefined();
      await store.putSession({ ...session, hash: "once" });
      const taken = await Promise.all([1, 2, 3].map(() => store.deleteSession("once")));
      expect(taken.toSorted()).toEqual([false, false, true]);
      expect(await store.deleteKey("plant-2", "k1")).toBe(false);
      expect(await store.deleteKey("plant-1", "k1")).toBe(true);
      expect(await store.session("s")).toBeUndefined();
    });

    test("users: one of each login, and each takes its own sessions with it", async () => {
      const anna: User = {
        id: "u1",
        tenant_id: "plant-1",
        name: "Anna",
        login: "anna",
        password_hash: "h",
        role: "operator",
        disabled: false,
        created_ms: 1,
      };
      const boris: User = { ...anna, id: "u2", name: "Boris", login: "boris", role: "admin", created_ms: 2 };
      const session = (hash: string, holder_id: string) => ({
        hash,
        holder_id,
        expires_ms: Date.now() + 60_000,
      });
      await store.putUser(boris, false);
      await store.putUser(anna, false);
      const taken = await store.putUser({ ...boris, id: "u3", login: "anna" }, false).catch(String);
      expect(taken).toBeString();
      for (const [hash, holder] of [
        ["a1", "u1"],
        ["a2", "u1"],
        ["b1", "u2"],
      ] as const) {
        await store.putSession(session(hash, holder));
      }
      await reopen();
      expect(await store.users()).toEqual([anna, boris]);
      await store.putUser({ ...anna, role: "manager" }, false);
      expect(await store.session("a1")).toMatchObject({ holder_id: "u1" });
      await store.putUser({ ...anna, disabled: true }, true);
      expect(await store.session("a1")).toBeUndefined();
      expect(await store.session("a2")).toBeUndefined();
      expect((await store.users())[0]).toEqual({ ...anna, disabled: true });
      expect(await store.deleteUser("plant-2", "u2")).toBe(false);
      expect(await store.session("b1")).toMatchObject({ holder_id: "u2" });
      expect(await store.deleteUser("plant-1", "u2")).toBe(true);
      expect(await store.session("b1")).toBeUndefined();
      expect(await store.users()).toHaveLength(1);
    });

    test("the newest event's id is known", async () => {
      expect(await store.lastEventId()).toBeUndefined();
      const sent = event();
      const id = sent.header.id;
      await store.commit({ events: [sent] });
      expect(await store.lastEventId()).toBe(id);
    });
  });
}
