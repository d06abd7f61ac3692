// The door of a rebuild, against a scripted server: what is read while it is shut would be lost with the partitions that go.
import { expect, test } from "bun:test";
import { EngineError } from "../../../analytics-sql/engine/engine.ts";
import type { Ask } from "../../../analytics-sql/schema/turn.ts";
import { topicDoor } from "./door.ts";

const kafka = { brokers: ["kafka-1:9092"], topic: "raw_data", group: "mtc", consumers: 1 };

/** It knows which tables there are, and what the one that only one can make is called by: of "dead" nothing was heard. */
function scripted() {
  const tables = new Map([["meta", ""]]);
  const state = { refuses: "" };
  const said: string[] = [];
  const engine: Ask = {
    async query<Row>(sql: string, params: { tables?: string[] }): Promise<Row[]> {
      if (sql.includes("'migrating'") && sql.includes("comment")) {
        const token = tables.get("migrating");
        return token === undefined ? [] : [{ token, age_s: token === "dead" ? 61 : 0 } as Row];
      }
      if (sql.includes("FROM mtc.meta")) return [];
      return [...tables.keys()]
        .filter((name) => (params.tables ?? ["meta"]).includes(name))
        .map((name) => ({ name }) as Row);
    },
    async maintain(sql) {
      const [, does, name = ""] = /^(?:--[^\n]*\n)*(CREATE|DROP) [A-Z ]+ mtc\.(\w+)/.exec(sql) ?? [];
      if (does === "CREATE" && name === "migrating" && tables.has(name))
        throw new EngineError("it is there", 57, false, null);
      if (does === "CREATE" && name === state.refuses) throw new EngineError("it is away", 0, false, null);
      if (does === "CREATE") tables.set(name, /COMMENT '(.*)'/.exec(sql)?.[1] ?? "");
      if (does === "DROP") tables.delete(name);
      if (does !== undefined) said.push(`${does} ${name}`);
    },
  };
  return { tables, said, state, engine };
}

test("invariant 2: while it is shut another process that opens the source waits", async () => {
  const { tables, said, engine } = scripted();
  const [door, other] = [topicDoor(engine, kafka, () => {}), topicDoor(engine, kafka, () => {})];
  await door.resume();
  expect(tables.has("events_kafka_mv")).toBe(true);
  said.length = 0;
  await door.pause();
  expect(said.slice(0, 2)).toEqual(["CREATE migrating", "DROP events_kafka"]);
  let opened = false;
  const opening = other.resume().then(() => (opened = true));
  await door.pause();
  expect([opened, tables.has("events_kafka")]).toEqual([false, false]);
  await door.resume();
  expect(said.filter((one) => one.endsWith("events_kafka_mv")).at(-1)).toBe("CREATE events_kafka_mv");
  await opening;
  expect([said.filter((one) => one === "CREATE events_kafka").length, tables.has("migrating")]).toEqual([
    1,
    false,
  ]);
});

test("where another process shut it and died, it is opened by whoever clears up", async () => {
  const { tables, said, engine } = scripted();
  tables.set("migrating", "dead");
  await topicDoor(engine, kafka, () => {}).resume();
  expect([tables.has("events_kafka_mv"), tables.has("migrating")]).toEqual([true, false]);
  expect(said.slice(0, 2)).toEqual(["DROP migrating", "CREATE migrating"]);
});

test("one that cannot be opened stays shut, and nobody else has the turn, until it can", async () => {
  const { tables, state, engine } = scripted();
  const door = topicDoor(engine, kafka, () => {});
  expect(() => door.check()).toThrow("another process may have opened the source meanwhile");
  await door.pause();
  door.check();
  state.refuses = "events_kafka_mv";
  await expect(door.resume()).rejects.toThrow("it is away");
  expect([tables.has("events_kafka_mv"), tables.has("migrating")]).toEqual([false, true]);
  state.refuses = "";
  await door.resume();
  expect([tables.has("events_kafka_mv"), tables.has("migrating")]).toEqual([true, false]);
});
