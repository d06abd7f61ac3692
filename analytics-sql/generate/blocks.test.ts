// What is generated is what is checked in: the SQL follows the tables in domain/.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { statePattern } from "../../domain/state.ts";
import { BLOCK_NAMES, blocksIn, FILES, generated } from "./blocks.ts";

const texts = FILES.map((path) => readFileSync(path, "utf8"));

test("invariant 5: generated SQL is the table's; `bun run generate` makes it so", () => {
  for (const [i, text] of texts.entries()) expect(text, FILES[i]).toBe(generated(text));
  expect(new Set(texts.flatMap(blocksIn))).toEqual(new Set(BLOCK_NAMES));
});

test("a block that was changed by hand, has no end or an unknown name is found", () => {
  const states = texts.find((text) => text.includes("state_edges AS")) ?? "";
  expect(generated(states.replace("'READY', ", ""))).toBe(states);
  expect(() => generated(states.replaceAll("-- end of generated", "--"))).toThrow("no end");
  expect(() => generated(states.replace("-- generated: state signals", "-- generated: x"))).toThrow('"x"');
});

test("what is kept of observations for years are the signals that make up states (SPEC 6.1), and alarms", () => {
  const path = new URL("../schema/020_signal_points.sql", import.meta.url).pathname;
  expect(readFileSync(path, "utf8")).toContain(`WHERE match(signal, '${statePattern("alarms")}')\n`);
});
