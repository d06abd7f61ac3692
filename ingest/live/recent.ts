// The deltas of late, for readers that come back with the id of the last one they saw.

/** One delta as it travels: encoded once, whoever reads it. */
export type Numbered = {
  /** What a reader comes back with. */
  id: string;
  tenant_id: string;
  machine_id: string;
  /** A {@link LiveDelta} as JSON. */
  json: string;
  /** Whether any of it is known first here; the rest other hubs told (see fan-out.ts). */
  own: boolean;
};

/** How much is kept: whichever bound comes first (invariant 7). */
const MAX_DELTAS = 65_536;
const MAX_CHARACTERS = 8 * 1024 * 1024;

export class RecentDeltas {
  /** Ids of another run say nothing here. */
  readonly #epoch = Date.now().toString(36);
  #kept: Numbered[] = [];
  #characters = 0;
  /** The number of the newest. */
  #n = 0;

  get lastId(): string {
    return `${this.#epoch}-${this.#n}`;
  }

  /** Numbers what left together, and keeps it for a while. */
  add(deltas: readonly Omit<Numbered, "id">[]): Numbered[] {
    const numbered = deltas.map((delta) => {
      this.#n += 1;
      this.#characters += delta.json.length;
      return { id: this.lastId, ...delta };
    });
    this.#kept.push(...numbered);
    let gone = 0;
    while (this.#kept.length - gone > MAX_DELTAS || this.#characters > MAX_CHARACTERS) {
      this.#characters -= this.#kept[gone]?.json.length ?? 0;
      gone += 1;
    }
    if (gone > 0) this.#kept = this.#kept.slice(gone);
    return numbered;
  }

  /** The deltas after `id`, or undefined where they are no longer all kept: then a snapshot is due. */
  since(id: string): Numbered[] | undefined {
    const [epoch, number] = id.split("-");
    const after = Number(number);
    if (epoch !== this.#epoch || !Number.isInteger(after) || after > this.#n) return undefined;
    if (after < this.#n - this.#kept.length) return undefined;
    return this.#kept.slice(this.#kept.length - (this.#n - after));
  }
}
