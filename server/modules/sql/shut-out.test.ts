// Whoever ended the engine is refused for ten minutes, each time again for twice as long.
import { expect, test } from "bun:test";
import { ShutOut } from "./shut-out.ts";

test("invariant 7: ten minutes, doubling up to a day, and anew after a day without", () => {
  let now_ms = 0;
  const shut = new ShutOut(() => now_ms);
  const wait_s = (): number => {
    try {
      shut.check("k");
      return 0;
    } catch (error) {
      return Number((error as { headers: Record<string, string> }).headers["retry-after"]);
    }
  };
  expect(wait_s()).toBe(0);
  const waits = Array.from({ length: 9 }, () => {
    shut.add("k");
    const [wait, other] = [wait_s(), shut.check("other")];
    expect(other).toBeUndefined();
    now_ms += 1_000 * wait;
    expect(wait_s()).toBe(0);
    return wait;
  });
  expect(waits).toEqual([600, 1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 76_800, 86_400]);
  now_ms += 24 * 3_600_000;
  shut.add("k");
  expect(wait_s()).toBe(600);
});
