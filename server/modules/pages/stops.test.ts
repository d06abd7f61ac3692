// Which stops an operator is asked about.
import { expect, test } from "bun:test";
import type { StateRow } from "../../../views/model.ts";
import { stopsOf } from "./stops.ts";

const at = (time: string): string => `2026-01-05T${time}:00.000000Z`;
const NOW_MS = Date.parse(at("10:00"));
const RUNNING = { state: "RUNNING", since_us: Date.parse(at("09:30")) * 1_000 } as const;

function rows(
  ...said: [state: StateRow["state"], from: string, to: string, reason?: string, cause?: string][]
) {
  return said.map(([state, from, to, reason = "", cause = ""]): StateRow => {
    const seconds = (Date.parse(at(to)) - Date.parse(at(from))) / 1_000;
    return { state, from: at(from), to: at(to), seconds, reason, cause };
  });
}

test("a stop is from one run to the next, named by what it was for the longest; explained ones are not asked about", () => {
  const states = rows(
    ["RUNNING", "06:00", "07:00"],
    ["STOPPED", "07:00", "07:02"],
    ["DOWN", "07:02", "07:40"],
    ["SETUP", "07:40", "07:50"],
    ["RUNNING", "07:50", "08:00"],
    ["STOPPED", "08:00", "08:20", "material"],
    ["RUNNING", "08:20", "10:00"],
  );
  expect(stopsOf(states, [], RUNNING, NOW_MS)).toEqual([
    { from: at("07:00"), to: at("07:50"), state: "DOWN", reason: "" },
  ]);
  const given = [{ from: at("07:00"), to: at("07:50"), reason: "tool" }];
  expect(stopsOf(states, given, RUNNING, NOW_MS)).toEqual([]);
});

test("the one that goes on comes first, with its reason; what is live already counts before the states know", () => {
  const states = rows(["RUNNING", "06:00", "09:00"], ["IDLE", "09:00", "09:30"]);
  const idle = { state: "IDLE", since_us: Date.parse(at("09:00")) * 1_000 } as const;
  const open = [{ from: at("09:00"), to: null, reason: "material" }];
  expect(stopsOf(states, open, idle, NOW_MS)).toEqual([
    { from: at("09:00"), to: null, state: "IDLE", reason: "material" },
  ]);
  const down = { state: "DOWN", since_us: Date.parse(at("09:40")) * 1_000 } as const;
  const old = rows(["RUNNING", "06:00", "09:35"]);
  expect(stopsOf(old, [], down, NOW_MS)).toEqual([
    { from: at("09:40"), to: null, state: "DOWN", reason: "" },
  ]);
  expect(stopsOf(rows(["STOPPED", "09:00", "09:35"]), [], RUNNING, NOW_MS)[0]?.to).toBe(at("09:30"));
});

test("invariant 4: time without data is a stop of its own, and none before the first data", () => {
  const states = rows(
    ["UNKNOWN", "06:00", "07:00", "", "no_data"],
    ["STOPPED", "07:00", "07:30"],
    ["UNKNOWN", "07:30", "08:00", "", "unreachable"],
    ["RUNNING", "08:00", "10:00"],
  );
  expect(stopsOf(states, [], RUNNING, NOW_MS).map(({ from, state }) => [from, state])).toEqual([
    [at("07:30"), "UNKNOWN"],
    [at("07:00"), "STOPPED"],
  ]);
});
