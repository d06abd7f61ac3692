// The suite's order: the longest first, as many at once as there is room for, and every file once.
import { expect, test } from "bun:test";
import { type Cost, costOf, takeNext } from "./costs.ts";

const ROOM = { cores: 2, files: 4 };
const LIGHT: Cost = { seconds: 1, cores: 0.35 };
const HEAVY: Cost = { seconds: 1, cores: 1 };

test("the longest file that there is room for comes next; without any running there always is", () => {
  const kafka = "ingest/outbox/kafka.acceptance.test.ts";
  const waiting = ["server/screens.browser.test.ts", kafka, "a.test.ts"];
  expect(takeNext(waiting, [HEAVY, LIGHT], ROOM)).toBe(kafka);
  expect(takeNext(waiting, [HEAVY, LIGHT, LIGHT], ROOM)).toBeUndefined();
  expect(takeNext(waiting, [LIGHT, LIGHT, LIGHT, LIGHT], ROOM)).toBeUndefined();
  expect(takeNext(waiting, [LIGHT], ROOM)).toBe("server/screens.browser.test.ts");
  expect(takeNext(waiting, [], { cores: 0.5, files: 1 })).toBe("a.test.ts");
  expect(takeNext(waiting, [], ROOM)).toBeUndefined();
});

test("every file is run once", () => {
  const files = Array.from({ length: 30 }, (_, i) => `${i}.acceptance.test.ts`);
  const waiting = [...files];
  const running: string[] = [];
  const ran: string[] = [];
  while (waiting.length + running.length > 0) {
    for (let next = takeNext(waiting, running.map(costOf), ROOM); next; ) {
      running.push(next);
      next = takeNext(waiting, running.map(costOf), ROOM);
    }
    expect(running.reduce((sum, file) => sum + costOf(file).cores, 0)).toBeLessThanOrEqual(2);
    ran.push(running.shift() ?? "");
  }
  expect(ran.sort()).toEqual(files.sort());
});
