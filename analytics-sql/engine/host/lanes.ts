// Connections to chDB by what they are set to: settings stick to one, so requests that come with the same share a few.
import { createChdbConnection } from "chdb/connection";
import { literal } from "../literal.ts";

/** A connection, with the name that its queries are found by among those that run. */
export type Lane = { name: string; chdb: ReturnType<typeof createChdbConnection>["chdb"] };

/** Settings by name, in the order in which they are made. */
export type Settings = readonly (readonly [name: string, value: string])[];

/** Queries of one kind at once: planning is the work of one core, and small machines have two. */
const LANES = 2;

type Opened = Lane & { close(): Promise<void> };
type Kind = { free: Opened[]; open: number; waiting: (() => void)[] };

export class Lanes {
  readonly #path: string;
  readonly #kinds = new Map<string, Kind>();
  readonly #all = new Set<Opened>();
  #opened = 0;

  /** @param path chDB's directory, which a session of this process holds open */
  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Runs work on a connection that is set so; it waits while all of them run.
   * @throws what the work throws, and the engine's refusal of a setting
   */
  async use<T>(set: Settings, work: (lane: Lane) => Promise<T>): Promise<T> {
    const lane = await this.take(set);
    try {
      const done = await work(lane);
      this.give(set, lane);
      return done;
    } catch (error) {
      await this.drop(set, lane);
      throw error;
    }
  }

  /** A connection that the caller gives back, or drops. */
  async take(set: Settings): Promise<Lane> {
    const kind = this.#kindOf(set);
    while (kind.free.length === 0 && kind.open >= LANES)
      await new Promise<void>((resolve) => kind.waiting.push(resolve));
    const free = kind.free.pop();
    if (free) return free;
    kind.open += 1;
    try {
      return await this.#open(set);
    } catch (error) {
      kind.open -= 1;
      kind.waiting.shift()?.();
      throw error;
    }
  }

  give(set: Settings, lane: Lane): void {
    const kind = this.#kindOf(set);
    kind.free.push(lane as Opened);
    kind.waiting.shift()?.();
  }

  /** After a failure: chDB may answer the next question on it with nothing. */
  async drop(set: Settings, lane: Lane): Promise<void> {
    const kind = this.#kindOf(set);
    this.#all.delete(lane as Opened);
    await (lane as Opened).close();
    kind.open -= 1;
    kind.waiting.shift()?.();
  }

  async close(): Promise<void> {
    for (const lane of this.#all) await lane.close();
  }

  #kindOf(set: Settings): Kind {
    const key = JSON.stringify(set);
    const known = this.#kinds.get(key);
    if (known) return known;
    const made: Kind = { free: [], open: 0, waiting: [] };
    this.#kinds.set(key, made);
    return made;
  }

  async #open(set: Settings): Promise<Opened> {
    const connection = createChdbConnection({ path: this.#path });
    const { chdb } = connection;
    this.#opened += 1;
    const name = `lane-${this.#opened}`;
    const lane = { name, chdb, close: () => connection.close() };
    try {
      for (const [setting, value] of [["log_comment", name], ...set] as const)
        await chdb.queryAsync(
          setting === "database" ? `USE ${value}` : `SET ${setting} = ${literal(value)}`,
          TSV,
        );
    } catch (error) {
      await connection.close();
      throw error;
    }
    this.#all.add(lane);
    return lane;
  }
}

export const TSV = { format: "TabSeparated" };
