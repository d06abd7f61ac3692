// One machine read over Modbus: what changed goes to the sink, time without a good read is a gap.
import type { HostClock } from "../../clock.ts";
import { ColumnsBuilder } from "../../columns.ts";
import { MAX_AHEAD_US, MIN_TS_US } from "../../event.ts";
import { ContactGaps } from "../contact.ts";
import type { Checkpoint, Sink, SourceStatus } from "../source.ts";
import { messageOf } from "../text.ts";
import type { ModbusMap, ModbusPoint } from "./map.ts";

export type ModbusMachine = {
  machine_id: string;
  /** When its source was set, ms since 1970; left out: what was before the first read is not missed. */
  since_ms?: number;
  /** The unit's id; 1 without it. */
  unit?: number;
  map: ModbusMap;
  poll_ms?: number;
  /** Hangs up after every poll, for devices that serve one master at a time. */
  close_after_read?: boolean;
};

/** A point's value and when it was read, µs: the middle between request and answer. */
export type Reading = { point: ModbusPoint; ts_us: number; value: number | string };

export type ReaderOptions = { sink: Sink; clock: HostClock; poll_ms: number };

/** How long a time without changes may wait for its commit. */
const IDLE_COMMIT_MS = 5_000;
/** Between good reads further apart nothing is known of the machine. */
const MAX_PAUSE_US = 5_000_000;

/** Where a machine's checkpoint is kept, whatever the address it is read from. */
export const checkpointOf = (machine_id: string): string => `modbus:${machine_id}`;

/** A value on probation (`debounce_ms`), and since when. */
type Candidate = { value: number | string; since_us: number };

/**
 * Over more than a day nothing was told, by the clock: nothing ran, or the clock went ahead. It may be set back into that time,
 * and into no other. With it where the gaps began that were told of that time, µs.
 */
type Leap = { from_us: number; gap_us: number | undefined; doubt_us: number | undefined };

export class MachineReader {
  readonly machine: ModbusMachine;
  readonly status: SourceStatus = { state: "connecting", since_ms: Date.now(), heard_ms: 0, error: "" };
  readonly #sink: Sink;
  readonly #gaps: ContactGaps;
  /** Of time that the host's clock cannot say. */
  readonly #doubts: ContactGaps;
  readonly #clock: HostClock;
  /** The clock's, at the last read. */
  #turns: number;
  readonly #longest_pause_us: number;
  readonly #values = new Map<string, number | string>();
  readonly #candidates = new Map<string, Candidate>();
  #restored = false;
  /** The last good read, µs, or when the source was set; 0 is neither. */
  #known_us = 0;
  /** The last one. */
  #leap: Leap | undefined;
  #committed_ms = 0;
  #batches = 0;

  constructor(machine: ModbusMachine, { sink, clock, poll_ms }: ReaderOptions) {
    this.machine = machine;
    this.#sink = sink;
    this.#clock = clock;
    this.#turns = clock.turns;
    this.#gaps = new ContactGaps(sink, machine.machine_id);
    this.#doubts = new ContactGaps(sink, machine.machine_id, "clock_jump");
    this.#longest_pause_us = Math.max(MAX_PAUSE_US, 10_000 * poll_ms);
  }

  /**
   * Takes one good read of all the machine's points.
   * @param complaint what is not as it should be although there is contact
   */
  async take(readings: Reading[], complaint: string): Promise<void> {
    try {
      await this.#restore();
      this.status.heard_ms = Date.now();
      // Only with the last of several requests everything is known.
      const ts_us = readings.reduce((latest, reading) => Math.max(latest, reading.ts_us), 0);
      const doubt = this.#doubtOf(ts_us);
      if (doubt !== "") return await this.#forget("connecting", doubt, this.#doubts);
      await this.#commit(readings, ts_us);
      this.#enter("polling");
      this.status.error = complaint;
    } catch (error) {
      // Trouble of our own: contact there is, but what was read is not kept.
      await this.#forget("connecting", messageOf(error));
    }
  }

  /** There is no contact; repeated calls change nothing. */
  async lost(detail: string): Promise<void> {
    await this.#restore().catch(() => undefined);
    await this.#forget("unreachable", detail);
  }

  async stop(): Promise<void> {
    // Best effort: without it the next run knows a little less.
    if (this.#known_us > 0)
      await this.#sink.append([], this.#checkpoint(this.#known_us)).catch(() => undefined);
    this.#enter("stopped");
  }

  /** The time since an earlier run's last read is unknown, whatever ended that run, or since the source was set. */
  async #restore(): Promise<void> {
    if (this.#restored) return;
    await this.#gaps.restore();
    await this.#doubts.restore();
    const { machine_id, since_ms = 0 } = this.machine;
    const checkpoint = await this.#sink.checkpoint(checkpointOf(machine_id));
    const known_us = Math.max(checkpoint?.known_us ?? 0, since_ms * 1_000);
    // Set by a clock that knew no time: it says nothing.
    this.#known_us = known_us < MIN_TS_US ? 0 : known_us;
    if (checkpoint?.instance_id) this.#leap = JSON.parse(checkpoint.instance_id) as Leap;
    if (this.#known_us > 0) await this.#gaps.open(this.#known_us, "not collecting");
    this.#restored = true;
  }

  /**
   * Why what was read then has no place in time, in words; "" where it has one. A counter's value that was told before one
   * that was read earlier makes parts that nobody made: what lies behind the last read waits until it is over. Further than
   * a day back a clock is believed where that read's had gone ahead from before.
   */
  #doubtOf(ts_us: number): string {
    const doubt = this.#clock.doubt();
    const was_in_doubt = this.#turns !== this.#clock.turns;
    this.#turns = this.#clock.turns;
    if (doubt !== "" || was_in_doubt) return doubt || "the host's clock was set meanwhile";
    if (ts_us < MIN_TS_US) return "the host's clock is before 2000";
    const behind_us = this.#known_us - ts_us;
    if (behind_us <= 0 || this.#isLeftAhead(ts_us)) return "";
    return `the host's clock is ${(behind_us / 1e6).toFixed(1)} s behind the last read`;
  }

  /** Does the last read lie ahead by a clock that was wrong? */
  #isLeftAhead(ts_us: number): boolean {
    return this.#leap !== undefined && ts_us >= this.#leap.from_us && this.#known_us - ts_us > MAX_AHEAD_US;
  }

  /** What is told as missing up to a clock that was ahead is missing up to the right one. @returns the last leap then */
  async #followLeap(ts_us: number): Promise<Leap | undefined> {
    if (this.#leap && this.#isLeftAhead(ts_us)) {
      const { gap_us, doubt_us } = this.#leap;
      if (gap_us !== undefined) await this.#gaps.shorten(gap_us, ts_us);
      if (doubt_us !== undefined) await this.#doubts.shorten(doubt_us, ts_us);
      return undefined;
    }
    const doubt_us = this.#doubts.open_since_us;
    const is_sure = doubt_us === undefined && this.#committed_ms > 0;
    if (is_sure || this.#known_us === 0 || ts_us - this.#known_us <= MAX_AHEAD_US) return this.#leap;
    return { from_us: this.#known_us, gap_us: this.#gaps.open_since_us, doubt_us };
  }

  async #commit(readings: Reading[], ts_us: number): Promise<void> {
    await this.#recordPause(ts_us);
    const leap = await this.#followLeap(ts_us);
    const { machine_id } = this.machine;
    const columns = new ColumnsBuilder();
    if (!this.#values.has("availability") && readings.every(({ point }) => point.signal !== "availability")) {
      columns.add("availability", ts_us, 0, "AVAILABLE");
      this.#values.set("availability", "AVAILABLE");
    }
    for (const reading of readings) {
      const change = this.#change(reading);
      if (change) columns.add(reading.point.signal, change.since_us, 0, change.value);
    }
    if (columns.rows > 0 || Date.now() - this.#committed_ms >= IDLE_COMMIT_MS) {
      // The number tells batches apart where the clock was set back.
      const dedupe_key = `${checkpointOf(machine_id)}:${ts_us}:${++this.#batches}`;
      const batches = columns.rows > 0 ? [{ machine_id, columns, dedupe_key }] : [];
      await this.#sink.append(batches, this.#checkpoint(ts_us, leap));
      this.#committed_ms = Date.now();
    }
    this.#known_us = ts_us;
    this.#leap = leap;
    await this.#gaps.close(ts_us);
    await this.#doubts.close(ts_us);
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
    // Nothing is on probation where nothing was known before, nor that nothing is known.
    const known = before !== undefined && before !== "UNAVAILABLE" && value !== "UNAVAILABLE";
    if (known && ts_us - candidate.since_us < debounce_ms * 1_000) return undefined;
    this.#values.set(signal, value);
    this.#candidates.delete(signal);
    return candidate;
  }

  /** Waiting for the sink, for a neighbour's time-out or for a busy process is time without reads too. */
  async #recordPause(ts_us: number): Promise<void> {
    const from_us = this.#known_us;
    if (from_us === 0 || ts_us - from_us <= this.#longest_pause_us) return;
    this.#candidates.clear();
    if (this.#gaps.open_since_us !== undefined || this.#doubts.open_since_us !== undefined) return;
    const gap = { from_us, to_us: ts_us, cause: "overload" as const, detail: "read too seldom" };
    await this.#sink.gap(this.machine.machine_id, gap);
  }

  /** Everything is told again after the gap: what held before it may not hold after. */
  async #forget(state: SourceStatus["state"], detail: string, gaps = this.#gaps): Promise<void> {
    this.#enter(state);
    this.status.error = detail;
    this.#values.clear();
    this.#candidates.clear();
    // A sink that takes no gap now has the checkpoint, which says as much.
    if (this.#known_us > 0) await gaps.open(this.#known_us, detail).catch(() => undefined);
  }

  #checkpoint(known_us: number, leap = this.#leap): Checkpoint {
    const instance_id = leap ? JSON.stringify(leap) : "";
    return { agent: checkpointOf(this.machine.machine_id), instance_id, next_sequence: 0, known_us };
  }

  #enter(state: SourceStatus["state"]): void {
    if (this.status.state !== state) this.status.since_ms = Date.now();
    this.status.state = state;
  }
}
