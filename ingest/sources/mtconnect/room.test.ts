// Long answers of many agents: no more of them in memory than there is room for, and each gets its turn.
import { expect, test } from "bun:test";
import { pace } from "../../../.ci/limits.ts";
import { Room } from "./room.ts";

const never = new AbortController().signal;

/** Asks for room. */
function ask(room: Room, bytes: number, stop = never) {
  const one = { given: false, place: room.take(bytes, stop) };
  one.place.then(
    () => (one.given = true),
    () => undefined,
  );
  return one;
}
const given = async (all: { given: boolean }[]): Promise<boolean[]> => {
  await pace(0);
  return all.map((one) => one.given);
};

test("invariant 7: answers have room one after the other, as they came, and give back no more than they took", async () => {
  const room = new Room(10);
  const all = [6, 6, 2, 4].map((bytes) => ask(room, bytes));
  // The third would fit, and waits for the second all the same.
  expect(await given(all)).toEqual([true, false, false, false]);
  const giveBack = await all[0]?.place;
  giveBack?.();
  giveBack?.();
  expect(await given(all)).toEqual([true, true, true, false]);
  expect(room.free_bytes).toBe(2);
  for (const one of all.slice(1)) (await one.place)();
  expect(room.free_bytes).toBe(10);
});

test("invariant 7: who is stopped while waiting takes no room, and holds up nobody", async () => {
  const room = new Room(10);
  const first = ask(room, 6);
  const stop = new AbortController();
  const [stopped, next] = [ask(room, 10, stop.signal), ask(room, 4)];
  expect(await given([first, stopped, next])).toEqual([true, false, false]);
  stop.abort(new Error("stopped"));
  await expect(stopped.place).rejects.toThrow("stopped");
  expect(await given([next])).toEqual([true]);
  await expect(room.take(1, stop.signal)).rejects.toThrow("stopped");
  expect(room.free_bytes).toBe(0);
});
