// The machines of one unit that are read together: when, and in which requests.
import type { Backoff } from "../../../domain/lib/backoff.ts";
import { type Block, blocksOf, halvesOf } from "./blocks.ts";
import { type ModbusConnection, ReadError } from "./connection.ts";
import { decode } from "./decode.ts";
import type { MachineReader, Reading } from "./machine.ts";
import { pointsOf } from "./map.ts";

/** How long a request that was refused is left alone; meanwhile its signals are UNAVAILABLE. */
const REFUSED_FOR_MS = 30_000;
/** Over how many planned polls it is judged whether they keep their rate, and how many of them may be missed. */
const JUDGED_POLLS = 20;
const FEW_MISSED = 2;
/** How often in a row it is judged so before it is told: a busy moment, as at the start, is none of the device's. */
const JUDGED_TWICE = 2;

type Refusal = { detail: string; until_ms: number };

export class Round {
  readonly unit: number;
  readonly poll_ms: number;
  readonly readers: MachineReader[];
  readonly backoff: Backoff;
  /** When to read next, on the clock of `performance.now()`. */
  due_ms: number;
  /** There was no answer when it was read last. */
  failed = false;
  /** Resolves when what was read last is with the sink. */
  taken: Promise<unknown> = Promise.resolve();
  #blocks: Block<MachineReader>[];
  readonly #refused = new Map<Block<MachineReader>, Refusal>();
  #polls = 0;
  #judged_slow = 0;
  #missed = 0;
  /** That the polls do not keep their rate, in words. */
  #too_slow = "";

  constructor(readers: MachineReader[], unit: number, poll_ms: number, due_ms: number, backoff: Backoff) {
    this.readers = readers;
    this.unit = unit;
    this.poll_ms = poll_ms;
    this.due_ms = due_ms;
    this.backoff = backoff;
    this.#blocks = blocksOf(
      readers.flatMap((by) => pointsOf(by.machine.map).map((point) => ({ point, by }))),
    );
  }

  /** Reads everything once. @throws ReadError where the unit, or the connection, gave no answer */
  async read(connection: ModbusConnection): Promise<Map<MachineReader, Reading[]>> {
    const readings = new Map<MachineReader, Reading[]>(this.readers.map((reader) => [reader, []]));
    const blocks = this.#blocks.slice();
    for (let block = blocks.shift(); block; block = blocks.shift()) {
      const answer = await this.#ask(connection, block);
      if (Array.isArray(answer)) {
        blocks.unshift(...answer);
        continue;
      }
      for (const { point, by } of block.wanted) {
        const { bits, bytes, ts_us } = answer;
        const value = bytes ? decode(point, bits, bytes, point.address - block.address) : "UNAVAILABLE";
        readings.get(by)?.push({ point, ts_us, value });
      }
    }
    return readings;
  }

  /** The answer; one without bytes for a request the device refuses; or the smaller requests to try instead. */
  async #ask(connection: ModbusConnection, block: Block<MachineReader>) {
    const { fc, address, length } = block;
    const nothing = () => ({ bits: [], bytes: undefined, ts_us: connection.clock.now_ms() * 1_000 });
    if ((this.#refused.get(block)?.until_ms ?? 0) > performance.now()) return nothing();
    try {
      const answer = await connection.read(this.unit, fc, address, length);
      this.#refused.delete(block);
      return answer;
    } catch (error) {
      if (!(error instanceof ReadError && error.kind === "refused")) throw error;
      const halves = halvesOf(block);
      if (halves) {
        this.#blocks.splice(this.#blocks.indexOf(block), 1, ...halves);
        return halves;
      }
      const detail = `${fc} of ${length} at address ${address} refused: ${error.message}`;
      this.#refused.set(block, { detail, until_ms: performance.now() + REFUSED_FOR_MS });
      return nothing();
    }
  }

  /**
   * Plans the next poll: the time is counted from the last planned one, not from when its work was done.
   * @returns how many polls there was no time for
   */
  plan(now_ms: number): number {
    this.due_ms += this.poll_ms;
    const missed = Math.max(0, Math.floor((now_ms - this.due_ms) / this.poll_ms));
    this.due_ms += missed * this.poll_ms;
    this.#polls += 1 + missed;
    this.#missed += missed;
    if (this.#polls >= JUDGED_POLLS) {
      this.#judged_slow = this.#missed > FEW_MISSED ? this.#judged_slow + 1 : 0;
      this.#too_slow =
        this.#judged_slow >= JUDGED_TWICE
          ? `too slow for poll_ms ${this.poll_ms}: ${this.#missed} of ${this.#polls} polls were missed`
          : "";
      this.#polls = this.#missed = 0;
    }
    return missed;
  }

  /** What a machine's status should say although there is contact. */
  complaint(reader: MachineReader): string {
    const refusals = [...this.#refused].flatMap(([{ wanted }, { detail }]) =>
      wanted.some(({ by }) => by === reader) ? [detail] : [],
    );
    return [...refusals, ...(this.#too_slow ? [this.#too_slow] : [])].join("; ");
  }
}
