// The order in which reasons are offered.
import { expect, test } from "bun:test";
import { likelyReasons } from "./likely-reasons.ts";

const TREE = [
  { code: "setup", name: "Setting up" },
  { code: "logistics", name: "Logistics" },
  { code: "crane", name: "Crane", parent: "logistics" },
  { code: "material", name: "Material", parent: "logistics" },
  { code: "tool", name: "Tool" },
];
const said = (state: "DOWN" | "STOPPED", reason: string, count: number) => ({ state, reason, count });
const codes = (...asked: Parameters<typeof likelyReasons>) => likelyReasons(...asked).map(({ code }) => code);

test("by what was said in this state on this machine, then on it at all, then in the plant, then as the tree has it", () => {
  const own = [said("STOPPED", "material", 2), said("DOWN", "tool", 9)];
  const plant = [said("STOPPED", "crane", 50), said("STOPPED", "material", 60)];
  expect(codes(TREE, "STOPPED", own, plant)).toEqual(["material", "tool", "crane", "setup"]);
  expect(codes(TREE, "DOWN", own, plant)).toEqual(["tool", "material", "crane", "setup"]);
  expect(codes(TREE, "DOWN", [], [])).toEqual(["setup", "crane", "material", "tool"]);
});

test("those with others below them are headings", () => {
  expect(likelyReasons(TREE, "DOWN", [], []).find(({ code }) => code === "crane")?.group).toBe("Logistics");
});
