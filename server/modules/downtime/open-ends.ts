// Ends the reasons that hold until the machine runs again, as soon as it is known when that was.

import { iso } from "../../../analytics-sql/queries/window.ts";
import { type Repeating, repeat } from "../../../analytics-sql/repeat.ts";
import type { LiveHub } from "../../../ingest/live/hub.ts";
import type { Machine } from "../../../ingest/store/store.ts";
import type { Reports } from "../analytics/service.ts";
import type { Machines } from "../machines/service.ts";
import type { Annotations } from "./service.ts";

const LOOK_MS = 2_000;

type Deps = {
  machines: Machines;
  annotations: Annotations;
  reports: Pick<Reports, "states">;
  hub: LiveHub;
  log: (message: string) => void;
};

/**
 * The end is said like any other change of an annotation: an event of its own, so that figures follow from the log alone.
 * A machine is looked at when it has changed its state since the last look, or something was said about it.
 */
export function endOpenReasons({ machines, annotations, reports, hub, log }: Deps): Repeating {
  /** Machines that may have open reasons, and since when they were in their state at the last look. */
  const watched = new Map(machines.all().map(({ id }) => [id, -1]));
  annotations.onSaid(({ id }) => watched.set(id, -1));

  const look = async (id: string): Promise<void> => {
    const machine = machines.byId(id);
    if (!machine) return void watched.delete(id);
    const { state = "UNKNOWN", since_us = 0 } = hub.snapshot([id]).machines[0] ?? {};
    if (watched.get(id) === since_us) return;
    watched.set(id, since_us);
    const left = await end(machine);
    // Something may have been said meanwhile.
    if (watched.get(id) !== since_us) return;
    if (left.length === 0) watched.delete(id);
    // It runs, and analytics has not heard of it yet.
    else if (state === "RUNNING" && left.some((from_us) => from_us < since_us)) watched.set(id, -1);
  };

  /** @returns the starts of those that stay open */
  const end = async (machine: Machine): Promise<number[]> => {
    const left: number[] = [];
    for (const { id, from_us, by } of await annotations.open(machine)) {
      const states = await reports.states(machine, { from_us, to_us: Date.now() * 1_000 });
      const again = states.find(({ state, from }) => state === "RUNNING" && from > iso(from_us));
      if (again) await annotations.change(machine, id, { to: again.from }, { by });
      else left.push(from_us);
    }
    return left;
  };

  return repeat(async (running) => {
    for (const id of [...watched.keys()]) {
      if (!running()) break;
      await look(id).catch((error: Error) => {
        watched.set(id, -1);
        log(`open reasons of ${id}: ${error.message}`);
      });
    }
    return LOOK_MS;
  });
}
