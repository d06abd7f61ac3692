// Scenarios side by side: none reads before all have written, none writes while another reads, and one that ended holds up nobody.
import { expect, test } from "bun:test";
import { pace } from "../../.ci/limits.ts";
import { sideBySide } from "./side-by-side.ts";

const log: string[] = [];
const { scenario, toGo } = sideBySide(async () => {
  await pace(1);
  log.push("rolled up");
});

/** Writes and reads so many times; what it does takes a while. */
const rounds = (name: string, times: number) =>
  scenario(name, async () => {
    for (let i = 0; i < times; i++)
      for (const phase of ["write", "read"] as const) {
        await toGo(phase);
        log.push(`${name} may ${phase}`);
        await pace(name === "slow" ? 5 : 0);
        log.push(`${name}: ${phase}`);
      }
  });

rounds("slow", 1);
rounds("quick", 3);
scenario("reads alone", async () => {
  await toGo("read");
  log.push("reads alone: read");
});

test("a roll-up for each round of all, between what all write and what all read", () => {
  const turns = log.filter((line) => !line.includes(" may ")).join("\n");
  expect(log.filter((line) => line === "rolled up")).toHaveLength(3);
  const [first = "", second = "", ...others] = turns.split("rolled up\n");
  expect(first.trim().split("\n").sort()).toEqual(["quick: write", "slow: write"]);
  expect(second.trim().split("\n").sort()).toEqual([
    "quick: read",
    "quick: write",
    "reads alone: read",
    "slow: read",
  ]);
  // The quick one wrote again when the slow one had read.
  expect(second.indexOf("slow: read")).toBeLessThan(second.indexOf("quick: write"));
  expect(others).toEqual(["quick: read\nquick: write\n", "quick: read"]);
});
