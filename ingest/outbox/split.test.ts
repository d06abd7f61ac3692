// An event cut into smaller ones carries the same observations.
import { expect, test } from "bun:test";
import { observations } from "../columns.ts";
import { encodeData, encodeEvent, type ObservationColumns } from "../event.ts";
import { splitEvent } from "./split.ts";

const header = {
  id: "01J00000000000000000000001",
  type: "mtc.observations.v1",
  tenant_id: "plant-1",
  machine_id: "mill-1",
  time_ms: 1_767_592_800_000,
} as const;

const rows = 5_000;
const many: ObservationColumns = {
  signals: ["program", "load"],
  signal: Array.from({ length: rows }, (_, i) => i % 2),
  t0: 1_767_592_800_000_000,
  dt: Array.from({ length: rows }, (_, i) => i),
  seq0: 7,
  num: Array.from({ length: rows }, (_, i) => (i % 2 ? i : null)),
  words: Array.from({ length: rows / 2 }, (_, i) => `program-${i}`),
  word: Array.from({ length: rows }, (_, i) => (i % 2 ? 0 : i / 2 + 1)),
};

test("invariant 2: the parts are the same observations, of the same event", () => {
  const pretty = new TextEncoder().encode(JSON.stringify(many, null, 1));
  const parts = splitEvent(encodeEvent(header, pretty)) ?? [];
  expect(parts.length).toBeGreaterThan(1);
  const read = parts.map((part) => JSON.parse(new TextDecoder().decode(part)));
  expect(new Set(read.map(({ id, subject }) => `${id} ${subject}`))).toEqual(
    new Set([`${header.id} ${header.machine_id}`]),
  );
  expect(read.flatMap(({ data }) => [...observations(data)])).toEqual([...observations(many)]);
});

test("what is small, or several events, is left alone", () => {
  const small = encodeEvent(
    header,
    encodeData({ ...many, signals: ["a", "b"], words: ["x"], word: many.signal }),
  );
  expect(splitEvent(small)).toBeUndefined();
  const event = encodeEvent(header, encodeData(many));
  expect(splitEvent(Buffer.concat([event, Buffer.from("\n"), event]))).toBeUndefined();
});
