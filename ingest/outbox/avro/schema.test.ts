// Events in Avro: the schema is made of TypeBox's, the one of this release is committed, and it reads all before it.
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { Type as Box } from "@sinclair/typebox";
import { Type } from "avsc";
import { EVENT_SCHEMAS, type EventData, type EventType, encodeData, encodeEvent } from "../../event.ts";
import { encodeAvro } from "./encode.ts";
import { type AvroSchema, eventSchema } from "./schema.ts";

const SCHEMAS = `${import.meta.dir}/schemas`;
const read = (file: string): AvroSchema => JSON.parse(readFileSync(`${SCHEMAS}/${file}`, "utf8"));
const typeOf = (schema: AvroSchema): Type =>
  Type.forSchema(schema as Parameters<typeof Type.forSchema>[0], { registry: {} });
const committed = readdirSync(SCHEMAS).sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));

test("the schema of this release is the newest that is committed: a change is a file of the next number", () => {
  expect(committed).toEqual(committed.map((_, i) => `${i + 1}.avsc`));
  expect(eventSchema()).toEqual(read(committed.at(-1) ?? ""));
});

test("BACKWARD: this release's schema reads what every committed one wrote", () => {
  const reader = typeOf(eventSchema());
  for (const file of committed) expect(() => reader.createResolver(typeOf(read(file)))).not.toThrow();
});

test("that a change breaks readers is found; a key that may be left out breaks none", () => {
  const writer = typeOf(eventSchema());
  const gap = (more: Record<string, ReturnType<typeof Box.String>>) =>
    typeOf(
      eventSchema({
        ...EVENT_SCHEMAS,
        "mtc.gap.v1": Box.Object({
          gap: Box.Object({ ...EVENT_SCHEMAS["mtc.gap.v1"].properties.gap.properties, ...more }),
        }),
      }),
    );
  expect(() => gap({ shift: Box.Optional(Box.String()) }).createResolver(writer)).not.toThrow();
  expect(() => gap({ shift: Box.String() }).createResolver(writer)).toThrow("mtc.v1.Gap");
});

const SAMPLES: Partial<Record<EventType, EventData>> = {
  "mtc.observations.v1": {
    signals: ["spindle_speed", "execution"],
    signal: [0, 0, 1],
    t0: 1_767_592_800_000_000,
    dt: [0, -1_000, 2_000],
    seq0: Number.MAX_SAFE_INTEGER - 1,
    num: [995.5, 1e300, null],
    words: ["ÄCTIVE \u{1f600}"],
    word: [0, 0, 1],
  },
  "mtc.policy.v1": { policy: { unknown: "loss", reasons: { tool: "excluded" }, minor_stop_s: 60 } },
  "mtc.calendar.v1": {
    calendar: {
      timezone: "UTC",
      zone: { local_from_s: [0], offset_s: [3_600] },
      shifts: {
        weekday: [1],
        date: ["1970-01-01"],
        name: ["early"],
        start_s: [21_600],
        end_s: [50_400],
        break_start_s: [[32_400]],
        break_end_s: [[33_300]],
      },
      exception_dates: [],
    },
  },
  "mtc.gap.v1": { gap: { from_us: 1, to_us: 0, cause: "unreachable", detail: "" } },
};

test("an event is the same in Avro: a zero byte, the schema's id, and all that it says", () => {
  const type = typeOf(eventSchema());
  for (const [name, data] of Object.entries(SAMPLES)) {
    const header = {
      id: "01J",
      type: name as EventType,
      tenant_id: "plant-1",
      machine_id: "mill-1",
      time_ms: 1_700_000_000_123,
    };
    const bytes = encodeAvro(encodeEvent(header, encodeData(data)), 258);
    expect([...bytes.subarray(0, 5)]).toEqual([0, 0, 0, 1, 2]);
    const event = JSON.parse(JSON.stringify(type.fromBuffer(bytes.subarray(5))));
    expect(event).toMatchObject({
      id: "01J",
      type: name,
      subject: "mill-1",
      tenantid: "plant-1",
      time: 1_700_000_000_123,
    });
    const said = Object.entries(event.data).filter(
      ([key, value]) => key in data || (value !== null && String(value)),
    );
    expect(Object.fromEntries(said)).toMatchObject(data as Record<string, unknown>);
    expect(said.length).toBe(Object.keys(data).length);
  }
});
