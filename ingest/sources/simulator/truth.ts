// What a simulated plant truly did and what faults took from its readers, as lines of JSON.
import { appendFileSync, writeFileSync } from "node:fs";
import type { State } from "../../../domain/state-rules.ts";
import type { MachineSource } from "../model.ts";
import type { PlantMachine } from "./plant/machines.ts";

/**
 * One line of the truth. Times are µs: of the plant's clock for machines behind an agent, which stamps what it tells;
 * of the wall clock for wired ones, whose reader stamps it.
 */
export type TruthLine =
  | ({ kind: "machine"; source: MachineSource } & PlantMachine)
  /** The machine was surely in this state from then to then; a wired one is seen with its next poll. */
  | { kind: "state"; machine: string; state: State; from_us: number; to_us: number }
  /** A part was finished, and that could be learned at `ts_us`. */
  | { kind: "part"; machine: string; ts_us: number; part_number: string; bad: boolean }
  /** The machine's counters came to say this; they start again at 0 each midnight, a module's without power. */
  | { kind: "counter"; machine: string; ts_us: number; parts: number; bad: number }
  /**
   * Nobody can ever learn what the machines did from then to then. A reader that knows whole seconds only may know
   * them up to `from_at_most_us`; one that lost nothing for `short` may not even have noticed, and of an agent's
   * has every observation, but not what was in force when they began.
   */
  | {
      kind: "lost";
      machines: string[];
      from_us: number;
      from_at_most_us: number;
      to_us: number;
      short: boolean;
      why: string;
    }
  /** The client had heard these machines' agent by that time of the plant's: whatever it misses since then has its cause. */
  | { kind: "heard"; machines: string[]; at_us: number }
  /** Parts made that no counter ever showed. */
  | { kind: "lost_parts"; machine: string; at_us: number; parts: number; bad: number }
  /** A fault was injected, at this time of the wall clock. */
  | { kind: "fault"; at_us: number; fault: string; duration_ms: number };

export type Log = (line: TruthLine) => void;

/** Writes to a file, every line at once: whoever reads it sees all that happened. */
export function truthFile(path: string): Log {
  writeFileSync(path, "");
  return (line) => appendFileSync(path, `${JSON.stringify(line)}\n`);
}
