// Polls one Modbus/TCP device and hands on what changed; time without a good read is a gap.
import { ColumnsBuilder } from "../../columns.ts";
import { Backoff, type BackoffOptions, DEFAULT_BACKOFF, sleep } from "../backoff.ts";
import { ContactGaps } from "../contact.ts";
import type { Collector, Sink, SourceStatus } from "../source.ts";
import { type Block, blocksOf, ModbusDevice, type Reading } from "./device.ts";
import { type ModbusMap, pointsOf } from "./map.ts";

export type ModbusOptions = {
  host: string;
  port?: number;
  unit?: number;
  map: ModbusMap;
  machine_id: string;
  sink: Sink;
  poll_ms?: number;
  /** How long the device may take for an answer. */
  timeout_ms?: number;
  /** Hangs up after every poll, for devices that serve one master at a time. */
  close_after_read?: boolean;
  backoff?: BackoffOptions;
};

/** Polls until it is stopped. The device keeps nothing: what was not read in time is lost (invariant 4). */
export function startModbus(options: ModbusOptions): Collector {
  const collector = new ModbusCollector(options);
  const running = collector.run();
  return {
    status: () => ({ ...collector.status }),
    async stop() {
      collector.abort.abort();
      await running;
    },
  };
}

/** How long a time without changes may wait for its commit. */
const IDLE_COMMIT_MS = 5_000;
/** Between good reads further apart nothing is known of the machine. */
const MAX_PAUSE_US = 5_000_000;

/** A value on probation (`debounce_ms`), and since when. */
type Candidate = { value: number | string; since_us: number };

class ModbusCollector {
  readonly abort = new AbortController();
  readonly status: SourceStatus = { state: "connecting", since_ms: Date.now(), heard_ms: 0, error: "" };
  readonly #options: Required<ModbusOptions>;
  readonly #source: string;
  readonly #blocks: Block[];
  readonly #gaps: ContactGaps;
  readonly #backoff: Backoff;
  readonly #values = new Map<string, number | string>();
  readonly #candidates = new Map<string, Candidate>();
  /** The last good read, µs; 0 is none. */
  #known_us = 0;
  #committed_ms = 0;
  #device: ModbusDevice | undefined;

  constructor(options: ModbusOptions) {
    const defaults = { port: 502, unit: 1, poll_ms: 250, timeout_ms: 2_000, close_after_read: false };
    this.#options = { ...defaults, backoff: DEFAULT_BACKOFF, ...options };
    const { host, port, unit, machine_id, map, sink, backoff } = this.#options;
    this.#source = `modbus:${host}:${port}:${unit}:${machine_id}`;
    this.#blocks = blocksOf(pointsOf(map));
    this.#gaps = new ContactGaps(sink, machine_id);
    this.#backoff = new Backoff(backoff);
  }

  /** Runs until aborted; never rejects. */
  async run(): Promise<void> {
    let restored = false;
    while (!this.abort.signal.aborted) {
      try {
        if (!restored) await this.#restore();
        restored = true;
        await this.#poll();
        await sleep(this.#options.poll_ms, this.abort.signal);
      } catch (error) {
        await this.#lost(error);
        await sleep(this.#backoff.next_ms(), this.abort.signal);
      }
    }
    this.#hangUp();
    // Best effort: without it the next run knows a little less.
    if (this.#known_us > 0) await this.#options.sink.append([], this.#checkpoint()).catch(() => undefined);
    this.#enter("stopped");
  }

  /** The time since an earlier run's last read is unknown, whatever ended that run. */
  async #restore(): Promise<void> {
    await this.#gaps.restore();
    this.#known_us = (await this.#options.sink.checkpoint(this.#source))?.known_us ?? 0;
    if (this.#known_us > 0) await this.#gaps.open(this.#known_us, "not collecting");
  }

  async #poll(): Promise<void> {
    const device = (this.#device ??= await ModbusDevice.connect(this.#options));
    const readings = await device.read(this.#blocks);
    if (this.#options.close_after_read) this.#hangUp();
    this.#enter("polling");
    this.status.heard_ms = Date.now();
    this.status.error = "";
    this.#backoff.reset();
    await this.#take(readings);
  }

  async #take(readings: Reading[]): Promise<void> {
    const ts_us = readings[0]?.ts_us ?? Date.now() * 1_000;
    await this.#recordPause(ts_us);
    const columns = new ColumnsBuilder();
    if (
      this.#values.get("availability") === undefined &&
      readings.every(({ point }) => point.signal !== "availability")
    ) {
      columns.add("availability", ts_us, 0, "AVAILABLE");
      this.#values.set("availability", "AVAILABLE");
    }
    for (const reading of readings) {
      const change = this.#change(reading);
      if (change) columns.add(reading.point.signal, change.since_us, 0, change.value);
    }
    const { sink, machine_id } = this.#options;
    this.#known_us = ts_us;
    if (columns.rows > 0 || Date.now() - this.#committed_ms >= IDLE_COMMIT_MS) {
      const dedupe_key = `${this.#source}:${ts_us}`;
      await sink.append(columns.rows > 0 ? [{ machine_id, columns, dedupe_key }] : [], this.#checkpoint());
      this.#committed_ms = Date.now();
    }
    await this.#gaps.close(ts_us);
  }

  /** A value that is new, with the time it began; undefined where nothing changed or it is still on probation. */
  #change({ point, ts_us, value }: Reading): Candidate | undefined {
    const { signal, debounce_ms = 0 } = point;
    const before = this.#values.get(signal);
    if (value === before) {
      this.#candidates.delete(signal);
      return undefined;
    }
    let candidate = this.#candidates.get(signal);
    if (candidate?.value !== value) this.#candidates.set(signal, (candidate = { value, since_us: ts_us }));
    if (before !== undefined && ts_us - candidate.since_us < debounce_ms * 1_000) return undefined;
    this.#values.set(signal, value);
    this.#candidates.delete(signal);
    return candidate;
  }

  /** Waiting for the sink, or for a busy process, is time without reads too. */
  async #recordPause(ts_us: number): Promise<void> {
    const from_us = this.#known_us;
    const longest_us = Math.max(MAX_PAUSE_US, 10_000 * this.#options.poll_ms);
    if (from_us === 0 || ts_us - from_us <= longest_us || this.#gaps.open_since_us !== undefined) return;
    const gap = { from_us, to_us: ts_us, cause: "overload" as const, detail: "read too seldom" };
    await this.#options.sink.gap(this.#options.machine_id, gap);
  }

  async #lost(error: unknown): Promise<void> {
    this.#hangUp();
    this.#enter("unreachable");
    this.status.error = messageOf(error);
    // Everything is told again after the gap: what held before it may not hold after.
    this.#values.clear();
    this.#candidates.clear();
    // A sink that takes no gap now has the checkpoint, which says as much.
    if (this.#known_us > 0) await this.#gaps.open(this.#known_us, this.status.error).catch(() => undefined);
  }

  #checkpoint(): { agent: string; instance_id: string; next_sequence: number; known_us: number } {
    return { agent: this.#source, instance_id: "", next_sequence: 0, known_us: this.#known_us };
  }

  #hangUp(): void {
    this.#device?.close();
    this.#device = undefined;
  }

  #enter(state: SourceStatus["state"]): void {
    if (this.status.state !== state) this.status.since_ms = Date.now();
    this.status.state = state;
  }
}

/** modbus-serial rejects with errors of its own kind, which are no `Error`. */
function messageOf(error: unknown): string {
  const message = typeof error === "object" && error !== null && "message" in error ? error.message : error;
  return String(message);
}
