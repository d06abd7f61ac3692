// Whoever is at fault is found among many, and nobody else is held up or blamed.
import { expect, test } from "bun:test";
import { EngineError } from "../engine/engine.ts";
import { apart } from "./apart.ts";

const all = Array.from({ length: 100 }, (_, i) => i);

/** Work that fails wherever one of these is in it; what was asked of it, and what it did. */
function failing(bad: readonly number[], code = 457) {
  const done = new Set<number>();
  let asked = 0;
  const work = async (some: readonly number[]): Promise<void> => {
    asked += 1;
    const at_fault = some.find((one) => bad.includes(one));
    if (at_fault !== undefined) throw new EngineError(`bad ${at_fault}`, code, false, undefined);
    for (const one of some) done.add(one);
  };
  return { work, done, asked: () => asked };
}

test("invariant 7: one at fault among a hundred is found in a few statements, the others are done", async () => {
  const { work, done, asked } = failing([42]);
  const failed = await apart([all.slice(0, 60), all.slice(60)], work);
  expect([...failed].map(([one, { message }]) => [one, message])).toEqual([[42, "bad 42"]]);
  expect([...done].sort((a, b) => a - b)).toEqual(all.filter((one) => one !== 42));
  expect(asked()).toBeLessThan(20);
});

test("a want of memory for one is that one's alone, where the others have enough", async () => {
  const { work, done } = failing([7], 241);
  expect([...(await apart([all], work)).keys()]).toEqual([7]);
  expect(done.size).toBe(99);
});

test("what fails for all alike, or gives no answer, is nobody's fault", async () => {
  for (const { work, asked } of [failing(all), failing(all, 241), failing([3], 0)]) {
    await expect(apart([all], work)).rejects.toBeInstanceOf(EngineError);
    expect(asked()).toBeLessThan(60);
  }
  await expect(apart([[1]], failing([1], 241).work)).rejects.toBeInstanceOf(EngineError);
  expect([...(await apart([[1]], failing([1]).work)).keys()]).toEqual([1]);
});

test("invariant 7: of very many at fault some are found, and the next round goes on without them", async () => {
  const bad = all.filter((one) => one % 2 === 1);
  const waiting = new Set(all);
  const { work, done } = failing(bad);
  for (let round = 0; round < 20 && waiting.size > 0; round++) {
    const failed = await apart([[...waiting]], work).catch(() => new Map<number, EngineError>());
    for (const one of [...failed.keys(), ...done]) waiting.delete(one);
  }
  expect([...done].sort((a, b) => a - b)).toEqual(all.filter((one) => one % 2 === 0));
});
