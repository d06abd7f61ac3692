// Thinned history (SPEC 11.13): whatever is drawn from it is what all observations would draw, and no more than fits.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEmbedded } from "../engine/embedded.ts";
import { columns, event, joined, type Seen, us } from "../testing/plant.ts";
import { history, type SignalHistory } from "./history.ts";

const path = mkdtempSync(join(tmpdir(), "mtc-history-"));
const engine = await openEmbedded({ path, rawRetentionDays: 36_500 });
afterAll(async () => {
  await engine.close();
  rmSync(path, { recursive: true, force: true });
});

const FROM_US = us("2026-01-05T06:00:00Z");
const HOUR_US = 3_600_000_000;
const asked = { tenant: "plant-1", machine: "mill", from_us: FROM_US, to_us: FROM_US + HOUR_US, points: 60 };
const told = (seen: Seen[], machine = "mill", tenant = "plant-1") =>
  engine.insertEvents(joined([event(tenant, machine, "mtc.observations.v1", columns(seen))]));
const seen = (signal: string, at_s: number, value: Seen["value"], seq = 0): Seen => ({
  signal,
  ts_us: FROM_US + Math.round(at_s * 1e6),
  seq,
  value,
});

/** What a chart draws in each of so many columns: first, last, lowest, highest; "gap" where no number came last. */
function columnsOf({ ts_ms, value }: Pick<SignalHistory, "ts_ms" | "value">): string[] {
  const width_ms = HOUR_US / 1_000 / asked.points;
  const cells = Map.groupBy(
    ts_ms.map((at, i) => [Math.floor((at - FROM_US / 1_000) / width_ms), value[i]] as const),
    ([cell]) => cell,
  );
  return [...cells].map(([cell, points]) => {
    const values = points.map(([, one]) => one ?? "gap");
    const numbers = values.filter((one) => typeof one === "number");
    return [cell, values[0], values.at(-1), Math.min(...numbers), Math.max(...numbers)].join(" ");
  });
}

test("an hour at 10 Hz becomes what a chart can show, and draws the same in every column", async () => {
  const all = Array.from({ length: 36_000 }, (_, i) => {
    const value =
      i % 5_000 < 40 ? "UNAVAILABLE" : Math.round(3_000 * Math.sin(i / 313) + (i % 977 === 0 ? 5_000 : 0));
    return seen("spindle_speed", i / 10, value, i + 1);
  });
  for (let at = 0; at < all.length; at += 9_000) await told(all.slice(at, at + 9_000));
  await told(all.slice(100, 5_000)); // invariant 2: told twice
  const [thin] = await history(engine, { ...asked, signals: ["spindle_speed"] });
  expect(thin?.ts_ms.length).toBeLessThanOrEqual(4 * asked.points);
  expect(thin?.ts_ms).toEqual(thin?.ts_ms.toSorted((a, b) => a - b));
  const whole = {
    ts_ms: all.map(({ ts_us }) => ts_us / 1_000),
    value: all.map(({ value }) => (typeof value === "number" ? value : null)),
  };
  expect(columnsOf(thin as SignalHistory)).toEqual(columnsOf(whole));
});

test("what held before comes first; signals come as asked for; nothing is nothing", async () => {
  await told([
    seen("load", -1_800, 3),
    seen("load", -60, 7.25),
    seen("load", 10, 9),
    seen("load", 20, null),
    seen("feedrate", -30, "UNAVAILABLE"),
    seen("load", 3_600, 1),
  ]);
  const found = await history(engine, { ...asked, signals: ["load", "never", "feedrate"] });
  const at = (s: number) => FROM_US / 1_000 + s * 1_000;
  expect(found).toEqual([
    { signal: "load", ts_ms: [at(-60), at(10), at(20)], value: [7.25, 9, null] },
    { signal: "never", ts_ms: [], value: [] },
    { signal: "feedrate", ts_ms: [at(-30)], value: [null] },
  ]);
});

test("invariant 10: another tenant's machine of the same id has a history of its own", async () => {
  await told([seen("secret", 5, 42)], "mill", "plant-2");
  const [own] = await history(engine, { ...asked, signals: ["secret"] });
  const [theirs] = await history(engine, { ...asked, tenant: "plant-2", signals: ["secret"] });
  expect([own?.value, theirs?.value]).toEqual([[], [42]]);
});
