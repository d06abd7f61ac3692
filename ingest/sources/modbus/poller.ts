// One poller for a host and port, however many machines and units are behind it: one connection, one request at a time.

import { Backoff, type BackoffOptions } from "../../../domain/lib/backoff.ts";
import { HostClock } from "../../clock.ts";
import type { Collector, Sink, SourceStatus } from "../source.ts";
import { SOURCE_BACKOFF } from "../source-backoff.ts";
import { messageOf } from "../text.ts";
import { ModbusConnection, ReadError } from "./connection.ts";
import { MachineReader, type ModbusMachine, type Reading } from "./machine.ts";
import { Round } from "./round.ts";

const DEFAULT_POLL_MS = 250;
const DEFAULT_UNIT = 1;

/** How punctual one poll was. */
export type Poll = {
  /** `host:port`. */
  source: string;
  /** How long after its time it began. */
  jitter_s: number;
  /** From its begin to the last answer. */
  duration_s: number;
  /** How many of its followers were left out, as it took too long. */
  missed: number;
};

export type ModbusOptions = {
  host: string;
  port: number;
  machines: ModbusMachine[];
  sink: Sink;
  onPoll?: (poll: Poll) => void;
  /** How long a unit may take for an answer. */
  timeout_ms?: number;
  backoff?: BackoffOptions;
  /** Which time what is read has; one for all pollers. */
  clock?: HostClock;
};

/** Polls until it is stopped. A device keeps nothing: what was not read in time is lost (invariant 4). */
export const startModbus = (options: ModbusOptions): ModbusPoller => new ModbusPoller(options);

export class ModbusPoller implements Collector {
  readonly #options: Required<Omit<ModbusOptions, "machines">>;
  readonly #backoff: Backoff;
  readonly #readers = new Map<string, MachineReader>();
  #rounds: Round[] = [];
  #connection: ModbusConnection | undefined;
  #wanted: { machines: ModbusMachine[]; done: () => void }[];
  #stopping = false;
  readonly #ended: Promise<void>;
  #wake: () => void = () => undefined;

  constructor({ machines, ...options }: ModbusOptions) {
    this.#options = {
      onPoll: () => undefined,
      timeout_ms: 2_000,
      backoff: SOURCE_BACKOFF,
      clock: new HostClock(),
      ...options,
    };
    this.#backoff = new Backoff(this.#options.backoff);
    this.#wanted = [{ machines, done: () => undefined }];
    this.#ended = this.#run();
  }

  status(machine_id = ""): SourceStatus {
    const unknown: SourceStatus = { state: "connecting", since_ms: Date.now(), heard_ms: 0, error: "" };
    return { ...(this.#readers.get(machine_id)?.status ?? unknown) };
  }

  /** Reads these machines from now on; those that did not change are not disturbed. */
  update(machines: ModbusMachine[]): Promise<void> {
    return new Promise((resolve) => {
      if (this.#stopping) return resolve();
      this.#wanted.push({ machines, done: resolve });
      this.#wake();
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake();
    await this.#ended;
  }

  /** Runs until stopped; never rejects. */
  async #run(): Promise<void> {
    while (!this.#stopping) {
      const change = this.#wanted.shift();
      if (change) {
        await this.#regroup(change.machines);
        change.done();
        continue;
      }
      const now_ms = performance.now();
      const round = this.#rounds.filter(({ due_ms }) => due_ms <= now_ms).reduce(first, undefined);
      if (round) await this.#poll(round);
      else await this.#sleep(Math.min(...this.#rounds.map(({ due_ms }) => due_ms)) - now_ms);
    }
    this.#hangUp();
    await this.#settled();
    await Promise.all([...this.#readers.values()].map((reader) => reader.stop()));
    for (const { done } of this.#wanted) done();
  }

  /** Machines of one unit at one rate are read together. */
  async #regroup(machines: ModbusMachine[]): Promise<void> {
    await this.#settled();
    const wanted = new Map(machines.map((machine) => [machine.machine_id, machine]));
    for (const [id, reader] of this.#readers) {
      if (Bun.deepEquals(wanted.get(id), reader.machine)) continue;
      await reader.stop();
      this.#readers.delete(id);
    }
    for (const machine of machines) {
      if (this.#readers.has(machine.machine_id)) continue;
      const { sink, clock } = this.#options;
      const reader = new MachineReader(machine, { sink, clock, poll_ms: machine.poll_ms ?? DEFAULT_POLL_MS });
      this.#readers.set(machine.machine_id, reader);
    }
    const before = this.#rounds;
    const groups = Map.groupBy(this.#readers.values(), ({ machine }) =>
      JSON.stringify([machine.unit ?? DEFAULT_UNIT, machine.poll_ms ?? DEFAULT_POLL_MS]),
    );
    this.#rounds = [...groups].map(([key, readers], i) => {
      const same = before.find(
        (round) =>
          round.readers.length === readers.length && round.readers.every((one, n) => one === readers[n]),
      );
      return same ?? this.#newRound(JSON.parse(key), readers, i);
    });
  }

  #newRound([unit, poll_ms]: [number, number], readers: MachineReader[], i: number): Round {
    // Rounds of one rate are spread over it by the golden ratio: none waits for all the others every time.
    const due_ms = performance.now() + ((i * 0.618) % 1) * poll_ms;
    return new Round(readers, unit, poll_ms, due_ms, new Backoff(this.#options.backoff));
  }

  async #poll(round: Round): Promise<void> {
    const began_ms = performance.now();
    const jitter_s = (began_ms - round.due_ms) / 1_000;
    let readings: Map<MachineReader, Reading[]>;
    try {
      readings = await this.#read(round);
    } catch (error) {
      return await this.#failed(round, error as Error);
    }
    const duration_s = (performance.now() - began_ms) / 1_000;
    if (round.readers.some(({ machine }) => machine.close_after_read)) this.#hangUp();
    round.backoff.reset();
    round.failed = false;
    // While one batch is on its way to the disk the next is read, but no more (invariant 7).
    await round.taken;
    round.taken = Promise.all(
      [...readings].map(([reader, own]) => reader.take(own, round.complaint(reader))),
    );
    const missed = round.plan(performance.now());
    const { host, port, onPoll } = this.#options;
    onPoll({ source: `${host}:${port}`, jitter_s, duration_s, missed });
  }

  /** A connection that turns out to be closed is no loss of contact until a new one fails. */
  async #read(round: Round): Promise<Map<MachineReader, Reading[]>> {
    const used = this.#connection?.open ? this.#connection : undefined;
    try {
      return await round.read(used ?? (await this.#connect()));
    } catch (error) {
      if (!used || !(error instanceof ReadError && error.kind === "broken")) throw error;
      return await round.read(await this.#connect());
    }
  }

  async #connect(): Promise<ModbusConnection> {
    this.#hangUp();
    const { host, port, timeout_ms, clock } = this.#options;
    this.#connection = await ModbusConnection.open({ host, port }, timeout_ms, clock);
    this.#backoff.reset();
    return this.#connection;
  }

  /** The machines of the round are lost; those of others too where not even a connection was to be had. */
  async #failed(round: Round, error: Error): Promise<void> {
    const connected = error instanceof ReadError;
    const dead =
      connected &&
      (error.kind === "broken" || (error.kind === "silent" && this.#connection?.mayBeDead(round.unit)));
    if (dead) this.#hangUp();
    const lost = connected ? [round] : this.#rounds;
    const again_ms = performance.now() + (connected ? round.backoff : this.#backoff).next_ms();
    for (const one of lost) {
      one.due_ms = Math.max(one.due_ms, again_ms);
      one.failed = true;
    }
    await this.#settled();
    await Promise.all(lost.flatMap(({ readers }) => readers.map((reader) => reader.lost(messageOf(error)))));
  }

  /** What was read is with the sink. */
  async #settled(): Promise<void> {
    await Promise.all(this.#rounds.map(({ taken }) => taken));
  }

  #hangUp(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  /** Waits; an update or the end of it all wakes. */
  async #sleep(delay_ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = Number.isFinite(delay_ms) ? setTimeout(resolve, delay_ms) : undefined;
    this.#wake = resolve;
    await promise;
    clearTimeout(timer);
  }
}

/** Those that do not answer let all others go first, unless they waited for long: each may cost a time-out. */
const YIELD_MS = 5_000;

/** Which of two rounds is to be read first. */
function first(a: Round | undefined, b: Round): Round {
  const rank = ({ due_ms, failed }: Round): number => due_ms + (failed ? YIELD_MS : 0);
  return a && rank(a) <= rank(b) ? a : b;
}
