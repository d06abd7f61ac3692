// A stretch taken apart by doors: each event by its own, its bytes untouched.
import { expect, test } from "bun:test";
import { joined } from "../../ingest/testing/stretch.ts";
import { byDoor } from "./doors.ts";

const line = (type: string, text: string): Uint8Array =>
  new TextEncoder().encode(`{"type":"mtc.${type}.v1","data":"${text}"}\n`);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

test("invariant 8: events of one kind are the stretch's own bytes, not a copy of them", () => {
  const { bytes, events } = joined([
    line("gap", "before"),
    line("observations", "a"),
    line("observations", "b"),
  ]);
  const [own, ...others] = byDoor({ bytes, events: events.slice(1) });
  expect(others).toEqual([]);
  expect(own?.door).toBe("observations_in");
  expect(own?.lines.buffer).toBe(bytes.buffer);
  expect(text(own?.lines ?? new Uint8Array())).toBe(text(bytes.subarray(events[1]?.start)));
});

test("invariants 3 and 8: of both kinds each goes by its door, as it is, with the line that its sender broke", () => {
  const broken = new TextEncoder().encode('{"type":"mtc.observations.v1",\n"data":\n"c"}');
  const all = [line("observations", "a"), line("gap", "x"), line("machine", "y"), broken, line("asset", "z")];
  const parts = byDoor(joined(all)).map(({ door, lines }) => [door, text(lines)]);
  expect(parts).toEqual([
    ["observations_in", `${text(line("observations", "a"))}${text(broken)}\n`],
    ["entries_in", [line("gap", "x"), line("machine", "y"), line("asset", "z")].map(text).join("")],
  ]);
});

test("nothing is for no door", () => {
  expect(byDoor(joined([]))).toEqual([]);
});
