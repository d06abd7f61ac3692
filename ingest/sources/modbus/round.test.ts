// A round's plan, and what it says of polls that do not keep it.
import { expect, test } from "bun:test";
import { Backoff } from "../../../domain/lib/backoff.ts";
import { HostClock } from "../../clock.ts";
import { MemorySink } from "../memory-sink.ts";
import { MachineReader } from "./machine.ts";
import { Round } from "./round.ts";

const reader = new MachineReader(
  { machine_id: "press", map: "adam-6050" },
  { sink: new MemorySink(), clock: new HostClock(), poll_ms: 40 },
);
const round = () => new Round([reader], 1, 40, 1_000, new Backoff({ first_ms: 1, max_ms: 1 }));

test("the next poll is due one period after the last one was, whatever its work took", () => {
  const one = round();
  for (const [now_ms, due_ms] of [
    [1_003, 1_040],
    [1_079, 1_080],
    // Late, but not by a whole period: at once, and nothing is left out.
    [1_150, 1_120],
    [1_152, 1_160],
  ] as const) {
    expect(one.plan(now_ms)).toBe(0);
    expect(one.due_ms).toBe(due_ms);
  }
});

test("polls there was no time for are left out and counted, and the plan is kept", () => {
  const one = round();
  expect(one.plan(1_145)).toBe(2);
  expect(one.due_ms).toBe(1_120);
  expect(one.plan(1_121)).toBe(0);
  expect(one.due_ms).toBe(1_160);
});

test("what does not keep its rate is told, until it does", () => {
  const one = round();
  expect(one.complaint(reader)).toBe("");
  const miss = (): void => {
    for (let n = 0; n < 10; n++) one.plan(one.due_ms + 100);
  };
  miss();
  expect(one.complaint(reader)).toBe("");
  miss();
  expect(one.complaint(reader)).toBe("too slow for poll_ms 40: 10 of 20 polls were missed");
  for (let n = 0; n < 20; n++) one.plan(one.due_ms + 3);
  expect(one.complaint(reader)).toBe("");
});
