// The press's day: runs of strokes, stops and faults, told with the few signals its wires carry.
import { PRESS } from "./machines.ts";
import { type Random, random } from "./random.ts";
import type { Segment } from "./segment.ts";
import { type PlantDay, plantDay } from "./shifts.ts";

const MINUTE_S = 60;
const SCRAP = 0.008;

/** Segments of the press without end, from the midnight before `from_us` on. */
export function* pressLife(seed: string, from_us: number): Generator<Segment> {
  for (let ts_us = from_us; ; ) {
    const day = plantDay(ts_us);
    yield* pressDay(random(`${seed}/${PRESS.uuid}/${day.date}`), day);
    ts_us = day.to_us;
  }
}

function* pressDay(chance: Random, day: PlantDay): Generator<Segment> {
  let now_us = day.from_us;
  const counts = { part_count: 0, bad_count: 0 };
  const segment = (duration_s: number, rest: Pick<Segment, "state" | "tell" | "part">): Segment => {
    const from_us = now_us;
    now_us += Math.max(1, Math.round(duration_s * 1e6));
    return { from_us, to_us: now_us, ...rest };
  };
  const still = (duration_s: number) =>
    segment(duration_s, { state: "IDLE", tell: { execution: "READY", system: "NORMAL" } });
  yield segment(1, { state: "IDLE", tell: { execution: "READY", system: "NORMAL", ...counts } });
  for (const window of day.attended) {
    if (window.from_us > now_us) yield still((window.from_us - now_us) / 1e6 + chance.between(10, 120));
    while (now_us < window.to_us) {
      const run_ends_us = Math.min(window.to_us, now_us + (5 + chance.about(25)) * MINUTE_S * 1e6);
      let part: Segment["part"];
      while (now_us < run_ends_us) {
        const tell = { execution: "ACTIVE", system: "NORMAL", ...counts };
        yield segment(PRESS.ideal_cycle_s * chance.between(1.0, 1.12), {
          state: "RUNNING",
          tell,
          ...(part && { part }),
        });
        part = { part_number: PRESS.part_number, bad: chance.chance(SCRAP) };
        counts.part_count++;
        if (part.bad) counts.bad_count++;
      }
      const done = { execution: "READY", system: "NORMAL", ...counts };
      if (chance.chance(0.2))
        yield segment((2 + chance.about(6)) * MINUTE_S, {
          state: "DOWN",
          tell: { ...done, system: "FAULT" },
          ...(part && { part }),
        });
      else yield segment(30 + chance.about(150), { state: "IDLE", tell: done, ...(part && { part }) });
    }
  }
  yield still((day.to_us - now_us) / 1e6);
}
