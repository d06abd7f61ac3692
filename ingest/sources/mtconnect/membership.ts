// Since when each machine is followed at an agent: a machine that was away comes back where it was left.
import type { Checkpoint, Sink } from "../source.ts";

/**
 * One checkpoint a machine beside the agent's: sequence 0 while the machine is followed, else where it was left.
 * A machine without one is new: it is given all that the agent's buffer holds.
 */
export class Membership {
  readonly #sink: Sink;
  readonly #agent: string;
  readonly #new = new Set<string>();
  readonly #away = new Map<string, Checkpoint>();

  constructor(sink: Sink, agent: string) {
    this.#sink = sink;
    this.#agent = agent;
  }

  /** The agent's position does not speak for it: its past is read from the agent's buffer. */
  isOutside(machine_id: string): boolean {
    return this.#new.has(machine_id) || this.#away.has(machine_id);
  }

  isNew(machine_id: string): boolean {
    return this.#new.has(machine_id);
  }

  /** Where it was left; undefined of a machine that is followed, or new. */
  leftAt(machine_id: string): Checkpoint | undefined {
    return this.#away.get(machine_id);
  }

  /** Takes over what earlier runs left. Who was left where the agent's position still stands was not away. */
  async restore(machine_ids: string[], position: Checkpoint | undefined): Promise<void> {
    for (const machine_id of machine_ids) {
      const standing = await this.#sink.checkpoint(this.#key(machine_id));
      if (!standing || !position) this.#new.add(machine_id);
      else if (standing.next_sequence > 0) {
        const { instance_id, next_sequence } = standing;
        const stayed = instance_id === position.instance_id && next_sequence === position.next_sequence;
        // Told before the position moves on, so that a crash is not taken for an absence.
        if (stayed) await this.#tell(machine_id, { ...position, next_sequence: 0 });
        else this.#away.set(machine_id, standing);
      }
    }
  }

  /** From now on the agent's position speaks for this machine too. */
  async join(machine_id: string, position: Checkpoint): Promise<void> {
    if (!this.isOutside(machine_id)) return;
    await this.#tell(machine_id, { ...position, next_sequence: 0 });
    this.#new.delete(machine_id);
    this.#away.delete(machine_id);
  }

  /** The machine's device is gone, or the run ends: what follows it has not seen. */
  async leave(machine_id: string, position: Checkpoint): Promise<void> {
    if (this.isOutside(machine_id)) return;
    await this.#tell(machine_id, position);
    this.#away.set(machine_id, position);
  }

  #tell(machine_id: string, standing: Checkpoint): Promise<void> {
    return this.#sink.append([], { ...standing, agent: this.#key(machine_id) });
  }

  #key(machine_id: string): string {
    return `${this.#agent}#${machine_id}`;
  }
}
