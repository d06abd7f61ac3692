// How much a bench does: tiny proves that it works, short is the default, full takes the time a claim deserves.

export type Sizes = {
  /** Times a figure is measured; the median is told. */
  rounds: number;
  /** Batches of 500 observations. */
  columns_batches: number;
  rows_batches: number;
  burst_batches: number;
  warmup_batches: number;
  /** Requests of one observation. */
  singles: number;
  /** Observations of a generated MTConnectStreams document, and how long each reader reads. */
  document_rows: number;
  reading_ms: number;
  /** Until a plant that was just connected runs as it always does. */
  settle_s: number;
  /** Machines of the delay, and how long it is watched. */
  delay_machines: number;
  delay_s: number;
  memory_s: number;
  /** Small inserts, one after the other. */
  inserts: number;
  /** Machines of the cost per machine, and how long each number is watched. */
  cost_machines: number[];
  cost_s: number;
  plant_machines: number;
  plant_days: number;
  /** Machines and days of the roll-up. */
  rolled_machines: number;
  rolled_days: number;
  /** Times each query and page is asked for, and how long at most. */
  queries: number;
  queries_s: number;
  /** Peers may be fetched from Debian's packages; otherwise only those already here take part. */
  fetch_peers: boolean;
};

export const SIZES = {
  tiny: {
    rounds: 1,
    columns_batches: 20,
    rows_batches: 10,
    burst_batches: 20,
    warmup_batches: 4,
    singles: 100,
    document_rows: 200,
    reading_ms: 50,
    settle_s: 0.2,
    delay_machines: 3,
    delay_s: 1,
    memory_s: 1,
    inserts: 3,
    cost_machines: [2],
    cost_s: 1,
    plant_machines: 3,
    plant_days: 1,
    rolled_machines: 20,
    rolled_days: 3,
    queries: 1,
    queries_s: 1,
    fetch_peers: false,
  },
  short: {
    rounds: 3,
    columns_batches: 6_000,
    rows_batches: 1_600,
    burst_batches: 3_000,
    warmup_batches: 400,
    singles: 40_000,
    document_rows: 5_000,
    reading_ms: 1_500,
    settle_s: 5,
    delay_machines: 100,
    delay_s: 15,
    memory_s: 60,
    inserts: 100,
    cost_machines: [1, 10, 30, 100],
    cost_s: 10,
    plant_machines: 100,
    plant_days: 30,
    rolled_machines: 1_000,
    rolled_days: 365,
    queries: 20,
    queries_s: 6,
    fetch_peers: true,
  },
  full: {
    rounds: 5,
    columns_batches: 20_000,
    rows_batches: 6_000,
    burst_batches: 3_000,
    warmup_batches: 400,
    singles: 100_000,
    document_rows: 5_000,
    reading_ms: 5_000,
    settle_s: 5,
    delay_machines: 100,
    delay_s: 60,
    memory_s: 600,
    inserts: 300,
    cost_machines: [1, 10, 30, 100],
    cost_s: 60,
    plant_machines: 100,
    plant_days: 30,
    rolled_machines: 1_000,
    rolled_days: 365,
    queries: 100,
    queries_s: 60,
    fetch_peers: true,
  },
} satisfies Record<string, Sizes>;

export type Size = keyof typeof SIZES;
