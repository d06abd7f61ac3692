// Who delivers which machines: leases by turns, held by whoever beats, shared evenly among those who live.
import type { Told } from "../store.ts";
import type { Collections, LeaseDoc, RelayDoc } from "./documents.ts";

/** Machines fall into this many slots, and a slot's events are delivered by one process at a time. */
export const SLOTS = 32;

/** The slot of a machine: the same in every process and every release. */
export const slotOf = (tenant_id: string, machine_id: string): number =>
  Bun.hash.crc32(`${tenant_id}\n${machine_id}`) % SLOTS;

/** How soon a process that comes is given its share. */
const BEAT_MS = 1_000;

export type LeaseOptions = {
  /** What is shared out: "bus" or "raw". */
  consumer: string;
  /** Who beats no more for this long has died: its slots are taken over. */
  lease_ms: number;
};

type Seen = { beat: number; since_ms: number };

/**
 * The leases of one process. They hang on no two clocks: a beat that stands still is timed by whoever looks at it.
 * A turn is taken by inserting it, which the unique `_id` lets only one do, on any server.
 */
export class Leases {
  readonly #collections: Pick<Collections, "leases" | "relays">;
  readonly #options: LeaseOptions;
  readonly #me: string;
  #timer: Timer | undefined;
  #beat = 0;
  /** When the last beat that went through was sent. */
  #beaten_ms = -Infinity;
  #looking: Promise<void> | undefined;
  /** What the others may know, and what of it is written. */
  #words = "";
  #written = "";
  readonly #seen = new Map<string, Seen>();
  /** Of each slot the lease with the highest turn. */
  #ruling = new Map<number, LeaseDoc>();
  /** What `hold` gave last. */
  #given: number[] = [];

  constructor(collections: Pick<Collections, "leases" | "relays">, options: LeaseOptions) {
    this.#collections = collections;
    this.#options = options;
    this.#me = `${options.consumer}-${crypto.randomUUID()}`;
  }

  /**
   * The slots this process may deliver now. Slots may be given to others here, and nowhere else.
   * @param giveUp called with those that stay before others go, and where some were lost: it ends what is under way on
   * them. Without it, call with nothing under way.
   * @throws where the server cannot be reached: then it holds none
   */
  async hold(giveUp: (staying: number[]) => Promise<void> = async () => {}): Promise<number[]> {
    const { lease_ms } = this.#options;
    this.#timer ??= setInterval(() => void this.#look().catch(() => {}), Math.min(BEAT_MS, lease_ms / 5));
    if (performance.now() - this.#beaten_ms > lease_ms / 2) await this.#look();
    if (this.standing() === "lost") await giveUp(this.#given.filter((slot) => this.#has(slot)));
    await this.#balance(giveUp);
    this.#given = this.#held();
    return this.#given;
  }

  /** Of what `hold` gave last: is it still this process's, as far as it can tell without asking? */
  standing(): "held" | "unsure" | "lost" {
    if (!this.#given.every((slot) => this.#has(slot))) return "lost";
    return performance.now() - this.#beaten_ms < this.#options.lease_ms ? "held" : "unsure";
  }

  /** It goes with the next beat, and once: beats are short. */
  tell(words: string): void {
    this.#words = words;
  }

  /** What each process told last. Of one that died nobody may have taken the word away yet: then it lives no more. */
  async told(): Promise<Told[]> {
    const all = await this.#collections.relays.find({ consumer: this.#options.consumer }).toArray();
    this.#see(all);
    return all.flatMap(({ _id, words }) => (words ? [{ words, lives: this.#lives(_id) }] : []));
  }

  /** Gives everything back, for others to take at once. */
  async release(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking?.catch(() => {});
    if (this.#beaten_ms === -Infinity) return;
    await this.#giveBack(this.#held());
    await this.#collections.relays.deleteOne({ _id: this.#me });
  }

  #has(slot: number): boolean {
    return this.#ruling.get(slot)?.holder === this.#me;
  }

  #held(): number[] {
    return [...this.#ruling.values()].filter(({ holder }) => holder === this.#me).map(({ slot }) => slot);
  }

  /** Beats, and sees who else does and who has what. */
  #look(): Promise<void> {
    this.#looking ??= this.#lookNow().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookNow(): Promise<void> {
    const { consumer, lease_ms } = this.#options;
    const { relays } = this.#collections;
    const sent_ms = performance.now();
    await this.#beatOnce();
    this.#beaten_ms = sent_ms;
    const all = await relays.find({ consumer }, { projection: { beat: 1 } }).toArray();
    this.#see(all);
    const now_ms = performance.now();
    const named = new Set(all.map(({ _id }) => _id));
    for (const [id, { since_ms }] of this.#seen) {
      if (named.has(id) && now_ms - since_ms < 10 * lease_ms) continue;
      this.#seen.delete(id);
      if (named.has(id)) await relays.deleteOne({ _id: id });
    }
    await this.#readLeases();
  }

  async #beatOnce(): Promise<void> {
    const { consumer } = this.#options;
    const words = this.#words;
    this.#beat += 1;
    const change = { consumer, beat: this.#beat, ...(words !== this.#written && { words }) };
    const { upsertedCount } = await this.#collections.relays.updateOne(
      { _id: this.#me },
      { $set: change },
      { upsert: true },
    );
    // Whoever took it for dead has taken its words away as well.
    this.#written = upsertedCount > 0 ? (change.words ?? "") : words;
  }

  #see(all: Pick<RelayDoc, "_id" | "beat">[]): void {
    const now_ms = performance.now();
    for (const { _id, beat } of all) {
      if (this.#seen.get(_id)?.beat !== beat) this.#seen.set(_id, { beat, since_ms: now_ms });
    }
  }

  async #readLeases(): Promise<void> {
    const { consumer } = this.#options;
    const ruling = new Map<number, LeaseDoc>();
    for (const lease of await this.#collections.leases.find({ consumer }).toArray()) {
      if (lease.turn > (ruling.get(lease.slot)?.turn ?? 0)) ruling.set(lease.slot, lease);
    }
    this.#ruling = ruling;
  }

  /** Everybody takes the same number of slots, or one more: by the order of their names, so that all agree. */
  async #balance(giveUp: (staying: number[]) => Promise<void>): Promise<void> {
    const living = [...this.#seen.keys()].filter((id) => this.#lives(id)).sort();
    const rank = living.indexOf(this.#me);
    const share = Math.floor(SLOTS / living.length) + (rank < SLOTS % living.length ? 1 : 0);
    const held = this.#held();
    if (held.length > share) {
      await giveUp(held.slice(0, share));
      return this.#giveBack(held.slice(share));
    }
    const free = Array.from({ length: SLOTS }, (_, slot) => slot).filter((slot) => {
      const holder = this.#ruling.get(slot)?.holder ?? "";
      return holder === "" || !this.#lives(holder);
    });
    if (free.length > 0 && held.length < share) await this.#take(free.slice(0, share - held.length));
  }

  #lives(id: string): boolean {
    if (id === this.#me) return true;
    const seen = this.#seen.get(id);
    return seen !== undefined && performance.now() - seen.since_ms < this.#options.lease_ms;
  }

  /** Inserts the next turns, then looks who has the highest: that one holds the slot, whatever happened in between. */
  async #take(slots: number[]): Promise<void> {
    await this.#insertTurns(slots, this.#me);
    await this.#readLeases();
    const { consumer } = this.#options;
    const past = this.#held()
      .filter((slot) => slots.includes(slot))
      .map((slot) => ({ slot, turn: { $lt: this.#ruling.get(slot)?.turn ?? 0 } }));
    if (past.length > 0) await this.#collections.leases.deleteMany({ consumer, $or: past });
  }

  async #giveBack(slots: number[]): Promise<void> {
    if (slots.length === 0) return;
    await this.#insertTurns(slots, "");
    await this.#readLeases();
  }

  async #insertTurns(slots: number[], holder: string): Promise<void> {
    const { consumer } = this.#options;
    const turns = slots.map((slot) => {
      const turn = (this.#ruling.get(slot)?.turn ?? 0) + 1;
      return { _id: `${consumer}/${slot}/${turn}`, consumer, slot, turn, holder };
    });
    try {
      await this.#collections.leases.insertMany(turns, { ordered: false });
    } catch (error) {
      // Somebody else was faster with some of them.
      if ((error as { code?: unknown }).code !== 11_000) throw error;
    }
  }
}
