// A CNC's day, from midnight to midnight, told as segments: the same seed, machine and date tell the same day.
import type { State } from "../../../../domain/state-rules.ts";
import type { ConditionValue, SetValue } from "../value.ts";
import type { Cnc, Product } from "./machines.ts";
import { hash, type Random, random } from "./random.ts";
import type { Segment, Told } from "./segment.ts";
import { CALENDARS, PLANT_CALENDAR, type PlantDay, plantDay, type Window } from "./shifts.ts";
import { isToolCheck, type ToolChange, toolChanges, toolOffsets } from "./tools.ts";

const MINUTE_S = 60;

/** How often things happen: per cycle, but for `outage` and `waiting`, which are drawn between cycles. */
const CHANCE = {
  feed_hold: 0.04,
  program_stop: 0.05,
  tool_break: 0.006,
  axis_fault: 0.002,
  emergency_stop: 0.003,
  coolant_warning: 0.01,
  slow_feed: 0.05,
  scrap: 0.015,
  outage: 0.0015,
  waiting: 0.02,
};

/**
 * Segments of a machine without end, from the midnight before `from_us` on. What is under way at midnight is broken
 * off: programs and counters start again.
 */
export function* cncLife(cnc: Cnc, seed: string, from_us: number): Generator<Segment> {
  for (let ts_us = from_us; ; ) {
    const day = plantDay(ts_us, cnc.nights === "crewed" ? CALENDARS.crewed : PLANT_CALENDAR);
    for (const segment of new CncDay(cnc, seed, day).segments()) {
      if (segment.from_us >= day.to_us) break;
      yield segment.to_us > day.to_us ? { ...segment, to_us: day.to_us } : segment;
    }
    ts_us = day.to_us;
  }
}

class CncDay {
  readonly #cnc: Cnc;
  readonly #day: PlantDay;
  readonly #random: Random;
  #now_us: number;
  #job: number;
  #left_of_lot: number;
  #part_count = 0;
  #bad_count = 0;
  #finished: Segment["part"];
  #tools: ToolChange[];

  constructor(cnc: Cnc, seed: string, day: PlantDay) {
    this.#cnc = cnc;
    this.#day = day;
    this.#now_us = day.from_us;
    this.#random = random(`${seed}/${cnc.uuid}/${day.date}`);
    this.#job = hash(`${seed}/${cnc.uuid}/${day.date}/job`) % cnc.products.length;
    this.#left_of_lot = this.#lot();
    this.#tools = toolChanges(cnc.uuid, this.#product, 0);
  }

  get #product(): Product {
    return this.#cnc.products[this.#job % this.#cnc.products.length] as Product;
  }

  #lot(): number {
    return Math.round((this.#random.between(2.5, 7) * 3600) / this.#product.ideal_cycle_s);
  }

  *segments(): Generator<Segment> {
    yield* this.#spend(1, "IDLE", this.#atMidnight());
    const alone = this.#cnc.nights === "alone";
    if (alone) yield* this.#alone({ from_us: this.#now_us, to_us: this.#firstShift_us });
    for (const window of this.#day.attended) yield* this.#attended(window);
    if (alone) yield* this.#alone({ from_us: this.#now_us, to_us: this.#day.to_us });
    yield* this.#idleUntil(this.#day.to_us);
  }

  get #firstShift_us(): number {
    return this.#day.attended[0]?.from_us ?? this.#day.to_us;
  }

  #atMidnight(): Told {
    const { part_number, program, comment, operations } = this.#product;
    return {
      availability: "AVAILABLE",
      estop: "ARMED",
      execution: "READY",
      mode: "AUTOMATIC",
      functional_mode: "PRODUCTION",
      program,
      comment,
      part_number,
      part_count: { value: 0, reset: "DAY" },
      bad_count: { value: 0, reset: "DAY" },
      variables: this.#variables(),
      offsets: { entries: toolOffsets(this.#product, 0), reset: "DAY" },
      tool: operations[0]?.tool ?? 1,
      ...STILL,
      override: 100,
      system: "NORMAL",
      logic: "NORMAL",
      motion: "NORMAL",
    };
  }

  /** One segment of so many seconds. */
  *#spend(duration_s: number, state: State, tell: Told, cut?: Segment["cut"]): Generator<Segment> {
    const from_us = this.#now_us;
    this.#now_us += Math.max(1, Math.round(duration_s * 1e6));
    const [part, tools] = [this.#finished, this.#tools];
    this.#finished = undefined;
    this.#tools = [];
    const more = { ...(part && { part }), ...(cut && { cut }), ...(tools.length > 0 && { tools }) };
    yield { from_us, to_us: this.#now_us, state, tell, ...more };
  }

  /** What the control's macro variables hold: the counts, the job, the tools of it. */
  #variables(): SetValue {
    const entries = { 500: this.#part_count, 501: this.#bad_count, 510: this.#product.part_number };
    return { entries: { ...entries, 511: this.#product.operations.length } };
  }

  *#idleUntil(to_us: number): Generator<Segment> {
    if (to_us > this.#now_us) yield* this.#spend((to_us - this.#now_us) / 1e6, "IDLE", {});
  }

  /** People come, start, and let the last cycle run out when they leave. */
  *#attended(window: Window): Generator<Segment> {
    yield* this.#idleUntil(window.from_us + this.#random.between(20, 5 * MINUTE_S) * 1e6);
    while (this.#now_us < window.to_us) {
      if (this.#left_of_lot <= 0) yield* this.#setup();
      if (this.#random.chance(CHANCE.outage)) yield* this.#outage();
      if (this.#random.chance(CHANCE.waiting))
        yield* this.#spend(this.#random.about(3 * MINUTE_S), "IDLE", {});
      if (this.#random.chance(CHANCE.emergency_stop)) yield* this.#emergencyStop();
      yield* this.#cycle();
      yield* this.#spend(this.#product.handling_s * this.#random.between(0.7, 1.6), "IDLE", {});
    }
  }

  /** The bar feeder goes on, with breaks of its own, until something stops it for the night. */
  *#alone({ to_us }: Window): Generator<Segment> {
    const ends_us = this.#random.chance(0.3)
      ? this.#now_us + this.#random.between(0.2, 1) * (to_us - this.#now_us)
      : to_us;
    while (this.#now_us + 2 * this.#product.ideal_cycle_s * 1e6 < ends_us) {
      yield* this.#smoothCycle();
      yield* this.#spend(this.#product.handling_s, "IDLE", {});
      if (this.#random.chance(0.05)) yield* this.#spend(this.#random.about(8 * MINUTE_S), "IDLE", {});
    }
    yield* this.#idleUntil(to_us);
  }

  /** A cycle in which nothing happens. */
  *#smoothCycle(): Generator<Segment> {
    const { ideal_cycle_s, operations } = this.#product;
    const factor = this.#random.between(1.01, 1.05);
    for (const operation of operations)
      yield* this.#operation(operation, ideal_cycle_s * operation.share * factor);
    yield* this.#complete(false);
  }

  *#cycle(): Generator<Segment> {
    const { ideal_cycle_s, operations } = this.#product;
    const slow = this.#random.chance(CHANCE.slow_feed);
    const factor = this.#random.between(1.01, 1.09) * (slow ? 1.25 : 1);
    const mishap_at = Math.floor(this.#random.between(0, operations.length));
    for (const [i, operation] of operations.entries()) {
      const duration_s = ideal_cycle_s * operation.share * factor;
      const override = slow ? 80 : 100;
      if (i !== mishap_at) {
        yield* this.#operation(operation, duration_s, { override });
        continue;
      }
      yield* this.#operation(operation, duration_s / 2, { override });
      if (yield* this.#mishap()) return;
      yield* this.#operation(operation, duration_s / 2);
    }
    yield* this.#complete(this.#random.chance(CHANCE.scrap));
  }

  *#operation(
    { tool, rpm, feed_mm_s, load_percent }: Product["operations"][number],
    duration_s: number,
    tell: Told = {},
  ): Generator<Segment> {
    const cut = { rpm, feed_mm_s, load_percent };
    const start: Told = {
      execution: "ACTIVE",
      tool,
      block: `T${tool} M6 S${rpm} M3`,
      speed: rpm,
      feed: feed_mm_s,
      load: load_percent,
      ...tell,
    };
    yield* this.#spend(duration_s, "RUNNING", start, cut);
  }

  /** The part is done: the counters rise with the next segment's start. */
  *#complete(bad: boolean): Generator<Segment> {
    yield* this.#spend(0.5, "IDLE", { ...STILL, execution: this.#cnc.make.completed, ...this.#count(bad) });
  }

  #count(bad: boolean): Told {
    this.#part_count++;
    this.#left_of_lot--;
    if (bad) this.#bad_count++;
    this.#finished = { part_number: this.#product.part_number, bad };
    const counts = { part_count: this.#part_count, bad_count: this.#bad_count, variables: this.#variables() };
    if (!isToolCheck(this.#part_count)) return counts;
    this.#tools = toolChanges(this.#cnc.uuid, this.#product, this.#part_count);
    return { ...counts, offsets: { entries: toolOffsets(this.#product, this.#part_count) } };
  }

  /** What may happen in the middle of a cycle. @returns whether the part is lost */
  *#mishap(): Generator<Segment, boolean> {
    const { make } = this.#cnc;
    if (this.#random.chance(CHANCE.coolant_warning)) yield* this.#warning();
    if (this.#random.chance(CHANCE.feed_hold))
      yield* this.#spend(this.#random.about(25), "STOPPED", { ...STILL, execution: make.feed_hold });
    if (this.#random.chance(CHANCE.program_stop))
      yield* this.#spend(this.#random.between(25, 120), "STOPPED", {
        ...STILL,
        execution: "PROGRAM_STOPPED",
        message: { native_code: "M00", text: "CHECK PART" },
      });
    if (this.#random.chance(CHANCE.axis_fault)) yield* this.#fault("system", make.faults.axis, 12);
    else if (this.#random.chance(CHANCE.tool_break)) yield* this.#fault("motion", make.faults.tool, 18);
    else return false;
    return true;
  }

  /** The coolant runs low: a warning that stops nothing, gone when someone has topped it up. */
  *#warning(): Generator<Segment> {
    const { native_code, text } = this.#cnc.make.faults.coolant;
    const logic: ConditionValue = { level: "Warning", native_code, native_severity: "25", text };
    yield* this.#spend(this.#random.between(5, 15), "RUNNING", { logic });
    yield* this.#spend(0.1, "RUNNING", { logic: { level: "Normal", native_code } });
  }

  /** The machine stops with a fault; it is repaired, set right by hand, and the part is scrap. */
  *#fault(
    signal: "system" | "motion",
    alarm: { native_code: string; text: string },
    mean_min: number,
  ): Generator<Segment> {
    const fault: ConditionValue = { ...alarm, level: "Fault", native_severity: "90" };
    const stopped: Told = { ...STILL, execution: this.#cnc.make.interrupted, [signal]: fault };
    const further: ConditionValue = { ...this.#cnc.make.faults.load, level: "Warning", qualifier: "HIGH" };
    const down_s = (4 + this.#random.about(mean_min)) * MINUTE_S;
    // A second code joins the first: both are in force until everything is set right.
    yield* this.#spend(2, "DOWN", stopped);
    yield* this.#spend(down_s - 2, "DOWN", { [signal]: [fault, further] });
    const byHand: Told = { [signal]: "NORMAL", mode: "MANUAL", functional_mode: "SETUP", execution: "READY" };
    yield* this.#spend(this.#random.between(60, 240), "SETUP", byHand);
    yield* this.#spend(1, "IDLE", { mode: "AUTOMATIC", functional_mode: "PRODUCTION", ...this.#count(true) });
  }

  *#emergencyStop(): Generator<Segment> {
    const logic: ConditionValue = { ...this.#cnc.make.faults.estop, level: "Fault", native_severity: "100" };
    const stopped: Told = { ...STILL, estop: "TRIGGERED", execution: this.#cnc.make.interrupted, logic };
    yield* this.#spend((2 + this.#random.about(3)) * MINUTE_S, "DOWN", stopped);
    yield* this.#spend(30, "IDLE", { estop: "ARMED", execution: "READY", logic: "NORMAL" });
  }

  /** A new job: fixtures and tools by hand, a proving run, then production. */
  *#setup(): Generator<Segment> {
    this.#job++;
    this.#left_of_lot = this.#lot();
    const { part_number, program, comment, operations, ideal_cycle_s } = this.#product;
    const hands: Told = { functional_mode: "SETUP", mode: "MANUAL", execution: "READY" };
    yield* this.#spend(this.#random.between(8, 20) * MINUTE_S, "SETUP", hands);
    const offsets: SetValue = {
      entries: toolOffsets(this.#product, this.#part_count),
      reset: "ACTION_COMPLETE",
    };
    this.#tools = toolChanges(this.#cnc.uuid, this.#product, this.#part_count);
    const job: Told = { part_number, program, comment, offsets, variables: this.#variables() };
    yield* this.#spend(this.#random.between(60, 200), "SETUP", job);
    const [first] = operations;
    const proving: Told = {
      execution: "ACTIVE",
      speed: (first?.rpm ?? 0) / 2,
      feed: (first?.feed_mm_s ?? 0) / 2,
      override: 50,
    };
    yield* this.#spend(ideal_cycle_s * 1.5, "SETUP", proving);
    yield* this.#spend(this.#random.between(30, 120), "SETUP", {
      ...STILL,
      execution: "STOPPED",
      override: 100,
    });
    const ready: Told = { functional_mode: "PRODUCTION", mode: "AUTOMATIC", execution: "READY" };
    yield* this.#spend(this.#random.between(10, 40), "IDLE", ready);
  }

  /** The adapter is lost for some minutes, while the machine stands. */
  *#outage(): Generator<Segment> {
    const from_us = this.#now_us;
    this.#now_us += Math.round(this.#random.between(3, 10) * MINUTE_S * 1e6);
    yield { from_us, to_us: this.#now_us, state: "UNKNOWN", tell: {}, lost: true };
  }
}

const STILL: Told = { speed: 0, feed: 0, load: 0 };
