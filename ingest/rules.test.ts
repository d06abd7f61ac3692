// Rules through the whole pipeline (SPEC 4.8): what a batch means is committed with it, shown with it, and never twice.
import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { Value } from "@sinclair/typebox/value";
import { ColumnsBuilder, observations } from "./columns.ts";
import { encodeData, MAX_BATCH_ROWS, type ObservationColumns } from "./event.ts";
import { LiveHub } from "./live/hub.ts";
import { createPipeline, type Pipeline } from "./pipeline.ts";
import { checkRules, derive, Rules } from "./rules.ts";
import { openSqlite } from "./store/sqlite.ts";
import { Overloaded, type Store } from "./store/store.ts";

const dir = mkdtempSync(`${tmpdir()}/mtc-rules-`);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** The press: input 0 runs, input 1 faults, counter 0 counts. */
const RULES: Rules = [
  { signal: "di0", is: "execution", words: { "0": "READY", "1": "ACTIVE" } },
  { signal: "di1", is: "condition:fault", words: { "0": "NORMAL", "1": "FAULT" } },
  { signal: "counter0", is: "part_count" },
];
const T0 = 1_767_592_800_000_000;

type Held = number | string | null;
function batch(...rows: [signal: string, value: Held, seq?: number][]): ObservationColumns {
  const builder = new ColumnsBuilder();
  rows.forEach(([signal, value, seq = 0], i) => {
    builder.add(signal, T0 + i, seq, value);
  });
  return builder.columns();
}
const meant = (rules: Rules, columns: ObservationColumns): [string, number, number, Held][] =>
  derive(rules, columns).flatMap((derived) =>
    [...observations(derived.columns())].map(({ signal, ts_us, seq, value }) => [
      signal,
      ts_us - T0,
      seq,
      value,
    ]),
  );

describe("what a batch means", () => {
  test("ruled signals under their new names, at the same times and sequences; others not at all", () => {
    const columns = batch(["di0", 1, 7], ["di1", 0, 8], ["temperature", 20, 9], ["counter0", 41, 10]);
    expect(meant(RULES, columns)).toEqual([
      ["execution", 0, 7, "ACTIVE"],
      ["condition:fault", 1, 8, "NORMAL"],
      ["part_count", 3, 10, 41],
    ]);
    expect(derive(RULES, batch(["temperature", 20]))).toEqual([]);
    expect(derive([], columns)).toEqual([]);
  });

  test("one signal may mean several things", () => {
    const rules: Rules = [
      { signal: "mode", is: "execution", words: { auto: "ACTIVE" } },
      { signal: "mode", is: "controller_mode", words: { auto: "AUTOMATIC", hand: "MANUAL" } },
    ];
    expect(meant(rules, batch(["mode", "auto"], ["mode", "hand"]))).toEqual([
      ["execution", 0, 0, "ACTIVE"],
      ["controller_mode", 0, 0, "AUTOMATIC"],
      ["controller_mode", 1, 0, "MANUAL"],
    ]);
  });

  test("invariant 4: a value that is not listed means nothing, but UNAVAILABLE and an empty value stay what they are", () => {
    const columns = batch(
      ["di0", 2],
      ["di0", "toString"],
      ["di0", null],
      ["di0", "UNAVAILABLE"],
      ["counter0", null],
    );
    expect(meant(RULES, columns)).toEqual([
      ["execution", 2, 0, null],
      ["execution", 3, 0, "UNAVAILABLE"],
      ["part_count", 4, 0, null],
    ]);
    const own: Rules = [{ signal: "di0", is: "execution", words: { UNAVAILABLE: "STOPPED" } }];
    expect(meant(own, batch(["di0", "UNAVAILABLE"]))).toEqual([["execution", 0, 0, "STOPPED"]]);
  });

  test("invariant 7: no derived batch is longer than a batch may be", () => {
    const builder = new ColumnsBuilder();
    for (let i = 0; i < MAX_BATCH_ROWS; i++) builder.add("di0", T0 + i, 0, i % 2);
    const twice: Rules = [RULES[0] as Rules[number], { signal: "di0", is: "availability" }];
    expect(derive(twice, builder.columns()).map(({ rows }) => rows)).toEqual([
      MAX_BATCH_ROWS,
      MAX_BATCH_ROWS,
    ]);
  });
});

test("rules are refused where they cannot hold, with the path", () => {
  const failed = (rules: Rules, known?: string[]): string => {
    try {
      checkRules(rules, "/rules", known);
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(failed(RULES)).toBe("");
  expect(failed([...RULES, { signal: "di5", is: "execution" }])).toContain("/rules/3/is");
  expect(failed([{ signal: "execution", is: "execution" }])).toContain("/rules/0/is");
  const map = ["di0", "di1", "counter0"];
  expect(failed(RULES, map)).toBe("");
  expect(failed(RULES, ["di0", "counter0"])).toContain("/rules/1/signal");
  expect(failed(RULES, [...map, "part_count"])).toContain("/rules/2/is");
  for (const is of ["exection", "condition:", "execution:", "part_count:x", "lot:x", "spindle_speed:2"]) {
    expect(Value.Check(Rules, [{ signal: "di0", is }])).toBe(false);
  }
  for (const is of ["execution", "execution:path2", "emergency_stop:2", "condition:c1", "part_count_bad"]) {
    expect(Value.Check(Rules, [{ signal: "di0", is }])).toBe(true);
  }
});

describe("through the pipeline", () => {
  let store: Store;
  let pipeline: Pipeline;
  let hub: LiveHub;
  let n = 0;
  const press = { tenant_id: "plant-1", id: "press-1", rules: RULES };
  beforeEach(async () => {
    store = await openSqlite({ file: `${dir}/${++n}.sqlite`, max_outbox_bytes: 1 << 20 });
    hub = new LiveHub();
    pipeline = await createPipeline({ store, hub, wake: () => {}, now_ms: Date.now });
  });
  afterEach(() => store.close());

  /** The data of every event in the log. */
  async function logged(): Promise<string[]> {
    const { bytes, events } = await store.readOutbox(100, 1 << 20);
    const text = new TextDecoder();
    return events.map(({ start, end }) => {
      const event = text.decode(bytes.subarray(start, end));
      return event.slice(event.indexOf('"data":') + 7, -1);
    });
  }
  const observe = (columns: ObservationColumns, rules: Rules = RULES, key?: string, body = "b") =>
    pipeline.observe(
      { ...press, rules },
      encodeData(columns),
      columns,
      key === undefined ? undefined : { key, body_hash: body },
    );

  test("invariant 8: the batch's own bytes are untouched; what it means follows as an event of its own", async () => {
    // Spaces and escapes no encoder of ours would make.
    const body =
      '{ "signals":["di\\u0030"], "signal":[0,0], "t0":1767592800000000, "dt":[0,5], "num":[0, 1.0] }';
    await pipeline.observe(press, new TextEncoder().encode(body), JSON.parse(body));
    const [first, second, ...rest] = await logged();
    expect(first).toBe(body);
    expect(JSON.parse(second ?? "")).toEqual({
      signals: ["execution"],
      signal: [0, 0],
      t0: T0,
      dt: [0, 5],
      words: ["READY", "ACTIVE"],
      word: [1, 2],
    });
    expect(rest).toEqual([]);
  });

  test("the live hub sees both", async () => {
    await observe(batch(["di0", 1], ["counter0", 7]));
    const [machine] = hub.snapshot(["press-1"]).machines;
    expect(machine?.state).toBe("RUNNING");
    expect(Object.keys(machine?.signals ?? {}).sort()).toEqual([
      "counter0",
      "di0",
      "execution",
      "part_count",
    ]);
  });

  test("invariant 2: a batch sent again derives nothing new, though the rules changed meanwhile", async () => {
    const columns = batch(["di0", 1]);
    expect((await observe(columns, [], "k")).outcome).toBe("stored");
    expect((await observe(columns, RULES, "k")).outcome).toBe("duplicate");
    expect(await logged()).toHaveLength(1);
    expect(hub.snapshot(["press-1"]).machines[0]?.signals).not.toHaveProperty("execution");
    expect((await observe(columns, RULES, "l")).outcome).toBe("stored");
    expect((await observe(columns, [], "l")).outcome).toBe("duplicate");
    expect(await logged()).toHaveLength(3);
  });

  test("invariant 2: the same key with another body is refused as a whole", async () => {
    await observe(batch(["di0", 1]), RULES, "k", "one");
    expect((await observe(batch(["di0", 0]), RULES, "k", "two")).outcome).toBe("conflict");
    expect(await logged()).toHaveLength(2);
  });

  test("collectors' batches mean the same, each of its own machine; a repeated one means nothing new", async () => {
    const machines = new Map([
      ["press-1", press],
      ["mill-1", { tenant_id: "plant-1", id: "mill-1", rules: [] }],
    ]);
    const sink = pipeline.sink((id) => machines.get(id), new AbortController().signal);
    const made = (machine_id: string, dedupe_key: string) => {
      const columns = new ColumnsBuilder();
      columns.add("di0", T0, 0, 1);
      return { machine_id, columns, dedupe_key };
    };
    await sink.append([made("press-1", "a"), made("mill-1", "b"), made("gone", "c"), made("press-1", "d")]);
    const signals = async () => (await logged()).map((data) => JSON.parse(data).signals);
    expect(await signals()).toEqual([["di0"], ["execution"], ["di0"], ["di0"], ["execution"]]);
    await sink.append([made("press-1", "a")]);
    expect(await signals()).toHaveLength(5);
    expect(Object.keys(hub.snapshot(["mill-1"]).machines[0]?.signals ?? {})).toEqual(["di0"]);
  });

  test("invariant 7: a full outbox holds a collector back, but not the end of the program", async () => {
    const full = await openSqlite({ file: `${dir}/full.sqlite`, max_outbox_bytes: 0 });
    const held = await createPipeline({ store: full, hub, wake: () => {}, now_ms: Date.now });
    const stopping = new AbortController();
    const sink = held.sink(() => press, stopping.signal);
    const columns = new ColumnsBuilder();
    columns.add("di0", T0, 0, 1);
    await sink.append([{ machine_id: "press-1", columns, dedupe_key: "a" }]);
    const refused = Promise.withResolvers<unknown>();
    const { commit } = full;
    full.commit = (wanted) =>
      commit(wanted).catch((error: unknown) => {
        refused.resolve(error);
        throw error;
      });
    let ended: unknown;
    const waiting = sink
      .append([{ machine_id: "press-1", columns, dedupe_key: "b" }])
      .catch((error: Error) => (ended = error.name));
    expect(await refused.promise).toBeInstanceOf(Overloaded);
    await new Promise((resolve) => void setImmediate(resolve));
    expect(ended).toBeUndefined();
    stopping.abort();
    await waiting;
    expect(ended).toBe("Overloaded");
    await full.close();
  });
});
