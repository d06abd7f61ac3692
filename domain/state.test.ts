// The table of the state rules: every rule of it decides somewhere, and what takes part is told from what does not.
import { expect, test } from "bun:test";
import { isStateSignal, ruleOf, statePattern } from "./state.ts";
import { SIGNAL_CLASSES, STATE_RULES, STATES } from "./state-rules.ts";

test("every rule decides somewhere, every state is reached, and rules are numbered in their order (SPEC 6.1)", () => {
  const classes = Object.values(SIGNAL_CLASSES);
  const ruled = Array.from({ length: 2 ** classes.length }, (_, set) => {
    const values = new Map(
      classes.flatMap(({ kind, words }, i): [string, string][] =>
        set & (1 << i) ? [[`${kind}:${i}`, words === "other" ? "WAIT" : words[0]]] : [],
      ),
    );
    return ruleOf(values, false);
  });
  const decided = new Map(ruled.map(({ rule, id }) => [rule, id]));
  const inOrder = ["untold", ...STATE_RULES.map(({ id }) => id)].map((id, rule) => [rule, id]);
  expect([...decided].sort(([a], [b]) => a - b)).toEqual(inOrder as [number, "untold"][]);
  expect(new Set(ruled.map(({ state }) => state))).toEqual(new Set(STATES));
  expect(ruleOf(new Map([["execution", "ACTIVE"]]), true)).toEqual({
    state: "UNKNOWN",
    rule: 1,
    id: "unavailable",
  });
});

test("state signals are known by what stands before the colon", () => {
  const names = ["execution", "execution:p2", "condition:x:y", "executions", "my_execution", "alarms:x", ""];
  expect(names.filter(isStateSignal)).toEqual(["execution", "execution:p2", "condition:x:y"]);
  expect(names.filter((name) => new RegExp(statePattern("alarms")).test(name))).toContain("alarms:x");
});
