// The observations every target gets: the same for each, each distinct, made from their number alone.
import type { ObservationColumns } from "../../ingest/event.ts";

export type Batch = { machine: string; columns: ObservationColumns };

/** Which observations: `telemetry` is what machines say all day, `production` what states and parts are made of. */
export type Kind = "telemetry" | "production";

export type Series = {
  kind: Kind;
  machines: number;
  /** Observations of one batch; a batch is of one machine. */
  rows: number;
  /** Time of the first observation, µs. */
  base_us: number;
};

export const machineId = (n: number): string => `bench-${String(n).padStart(4, "0")}`;

/** The batch of that number; machines take turns, and each one's time goes on from batch to batch. */
export function batchAt(series: Series, n: number): Batch {
  const machine = n % series.machines;
  const first = Math.floor(n / series.machines) * series.rows;
  const columns = series.kind === "telemetry" ? telemetry : production;
  return { machine: machineId(machine), columns: columns(series, machine, first) };
}

const SAMPLES = [
  "spindle_speed",
  "feedrate",
  "Xpos",
  "Ypos",
  "Zpos",
  "Xload",
  "Yload",
  "Zload",
  "Sload",
  "temp",
];
const EVENTS = ["execution", "part_count", "program", "tool"];
const TELEMETRY_SIGNALS = [...SAMPLES, ...EVENTS];
const TELEMETRY_WORDS = ["ACTIVE", "FEED_HOLD", "O1234", "O5678", "T01", "T02"];
/** Ten samples every 100 ms. */
const SWEEP_US = 100_000;
/** Of so many observations one is an event. */
const EVENT_EVERY = 50;

function telemetry({ rows, base_us }: Series, machine: number, first: number): ObservationColumns {
  const signal: number[] = [];
  const dt: number[] = [];
  const num: (number | null)[] = [];
  const word: number[] = [];
  const t0 = base_us + Math.floor(first / SAMPLES.length) * SWEEP_US;
  for (let i = 0; i < rows; i++) {
    const n = first + i;
    dt.push(base_us + Math.floor(n / SAMPLES.length) * SWEEP_US - t0);
    if (n % EVENT_EVERY === EVENT_EVERY - 1) {
      const k = Math.floor(n / EVENT_EVERY);
      const event = k % EVENTS.length;
      const turn = Math.floor(k / EVENTS.length) % 2;
      signal.push(SAMPLES.length + event);
      num.push(event === 1 ? k : null);
      word.push(event === 1 ? 0 : ([1, 0, 3, 5][event] ?? 0));
      if (event !== 1) word[i] = (word[i] as number) + turn;
    } else {
      signal.push(n % SAMPLES.length);
      num.push(((n * 7_919 + machine * 104_729) % 4_000_000) / 1_000);
      word.push(0);
    }
  }
  return { signals: TELEMETRY_SIGNALS, signal, t0, dt, seq0: first + 1, num, words: TELEMETRY_WORDS, word };
}

/** A machine's day has 166 parts: it starts, the counter goes on, it stops for one reason or another. */
export const PRODUCTION_ROWS_PER_DAY = 500;
const STEP_US = 86_400_000_000 / PRODUCTION_ROWS_PER_DAY;
const STOPS = ["READY", "INTERRUPTED", "STOPPED", "FEED_HOLD", "PROGRAM_COMPLETED", "UNAVAILABLE"];
const PRODUCTION_WORDS = ["ACTIVE", ...STOPS];

function production({ rows, base_us }: Series, machine: number, first: number): ObservationColumns {
  const steps = Array.from({ length: rows }, (_, i) => first + i);
  const offset_us = machine * 1_000_000;
  return {
    signals: ["execution", "part_count"],
    signal: steps.map((n) => (n % 3 === 1 ? 1 : 0)),
    t0: base_us + offset_us + first * STEP_US,
    dt: steps.map((_, i) => i * STEP_US),
    seq0: first + 1,
    num: steps.map((n) => (n % 3 === 1 ? Math.floor(n / 3) + 1 : null)),
    words: PRODUCTION_WORDS,
    word: steps.map((n) => [1, 0, 2 + (Math.floor(n / 3) % STOPS.length)][n % 3] ?? 0),
  };
}
