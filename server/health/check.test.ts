// Looks in the background: one that hangs or fails keeps nobody waiting, and is told once, and once when it is over.
import { expect, test } from "bun:test";
import { until } from "../../.ci/limits.ts";
import { Trouble } from "../../ingest/trouble.ts";
import { check } from "./check.ts";

test("a look that hangs is known by its last answer and its age, as failing since it began; then it goes on", async () => {
  const told: string[] = [];
  let hung: PromiseWithResolvers<void> | undefined;
  let looks = 0;
  const looked = check(
    "store",
    async () => {
      await hung?.promise;
      return ++looks;
    },
    { log: (line) => told.push(line), patience_ms: 20 },
  );
  expect(looked.seen()).toEqual({ value: undefined, at_ms: 0, error: "", since_ms: 0 });
  await until(() => looked.seen().value === 2);
  expect(looked.seen()).toMatchObject({ error: "", since_ms: 0 });
  hung = Promise.withResolvers();
  const asked_ms = Date.now();
  const failing = await until(() => (looked.seen().error === "" ? undefined : looked.seen()));
  expect(failing).toMatchObject({ error: "no answer within 0.02 s" });
  expect(failing.since_ms).toBeGreaterThanOrEqual(asked_ms);
  expect(failing.at_ms).toBeLessThanOrEqual(failing.since_ms);
  const before = looks;
  expect(looked.seen().value).toBe(before);
  hung.resolve();
  hung = undefined;
  await until(() => looked.seen().error === "");
  expect(looked.seen().value).toBeGreaterThan(before);
  expect(told).toEqual([
    "store: no answer within 0.02 s",
    expect.stringMatching(/^store: goes on, after \d/),
  ]);
  looked.stop();
});

test("a failure is told once, whatever its numbers are; another cause is told too; no cause is empty", () => {
  const told: string[] = [];
  const trouble = new Trouble("roll-up", (line) => told.push(line));
  trouble.over();
  trouble.failed(new Error("query 17 failed"), 1);
  trouble.failed(new Error("query 18 failed"));
  trouble.failed(Object.assign(new Error(""), { code: "ECONNRESET" }));
  trouble.failed(new Error("", { cause: new Error("the disk") }));
  expect(trouble.failing).toEqual({ error: "the disk", since_ms: 1 });
  trouble.over();
  trouble.over();
  expect(told).toEqual([
    "roll-up: query 17 failed",
    "roll-up: ECONNRESET, without a word",
    "roll-up: the disk",
    expect.stringMatching(/^roll-up: goes on, after \d/),
  ]);
  trouble.failed(undefined);
  expect(told.at(-1)).toBe("roll-up: undefined, without a word");
});
