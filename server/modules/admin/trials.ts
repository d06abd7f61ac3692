// Live tests of sources for the admin pages: one at a time for each user, and why one failed, as an input's error.
import { badInput } from "../../../ingest/problem.ts";
import { type TriedModbus, tryModbus } from "../../../ingest/sources/modbus/trial.ts";
import type { MachineSource } from "../../../ingest/sources/model.ts";
import { tryAgent } from "../../../ingest/sources/mtconnect/trial.ts";
import { TrialError } from "../../../ingest/sources/trial.ts";
import type { Tried } from "../../../views/index.ts";

export class Trials {
  /** By the id of who asked. */
  readonly #running = new Set<string>();

  /**
   * Asks a source once; within five seconds it is told, or not.
   * @throws BadInput at the address's path
   */
  async try(caller_id: string, source: MachineSource): Promise<Tried> {
    const path = source.kind === "modbus" ? "/source/host" : "/source/url";
    if (source.kind === "http") return null;
    // A test holds a connection to somewhere else (invariant 7).
    if (this.#running.has(caller_id)) throw badInput(path, "trial_busy");
    this.#running.add(caller_id);
    try {
      return source.kind === "mtconnect"
        ? { devices: await tryAgent(source.url) }
        : { points: await tryModbus(source as TriedModbus) };
    } catch (error) {
      if (error instanceof TrialError)
        throw badInput(path, "trial_failed", { failure: error.kind, told: error.message });
      throw error;
    } finally {
      this.#running.delete(caller_id);
    }
  }
}
