// Whose a source is shown to be, out of what several processes tell.
import { expect, test } from "bun:test";
import { type SourceReport, withOthers } from "./sources.ts";

const row = (name: string, read_by: string, machine_id = name): SourceReport => ({
  name,
  machine_ids: [machine_id],
  state: "streaming",
  since_ms: 1,
  heard_ms: 2,
  error: "",
  read_by,
});
const told = (lives: boolean, ...rows: SourceReport[]) => ({ lives, words: JSON.stringify(rows) });
const shown = (rows: SourceReport[]) => rows.map(({ name, state, read_by }) => [name, state, read_by]);

test("what others read is told with them, two machines of one unit each for itself; one's own word is the newest", () => {
  const others = told(true, row("unit/1", "b/2", "press-1"), row("unit/1", "b/2", "press-2"));
  const before = told(true, row("agent-1", "a/1"), row("agent-2", "a/1"));
  expect(shown(withOthers([row("agent-1", "a/1")], [before, others], "a/1"))).toEqual([
    ["agent-1", "streaming", "a/1"],
    ["unit/1", "streaming", "b/2"],
    ["unit/1", "streaming", "b/2"],
  ]);
});

test("invariant 4: a source of a process that died is unreachable until another one has it", () => {
  const dead = told(false, row("agent-1", "b/2"), row("agent-2", "b/2"));
  const all = withOthers([], [dead, told(true, row("agent-1", "c/3"))], "a/1");
  expect(shown(all)).toEqual([
    ["agent-1", "streaming", "c/3"],
    ["agent-2", "unreachable", ""],
  ]);
  expect(all[1]?.error).toBe("nobody reads it: b/2 is gone");
});
