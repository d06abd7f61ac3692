// Ends the reasons that hold until the machine runs again, as soon as it is known when that was.
import type { Engine } from "../../../analytics-sql/engine/engine.ts";
import { iso } from "../../../analytics-sql/queries/window.ts";
import { type BackgroundLoop, backgroundLoop } from "../../../domain/lib/background-loop.ts";
import type { LiveHub } from "../../../ingest/live/hub.ts";
import type { Machine } from "../../../ingest/store/store.ts";
import { Trouble } from "../../../ingest/trouble.ts";
import type { Reports } from "../analytics/service.ts";
import type { Machines } from "../machines/service.ts";
import type { Annotations } from "./service.ts";

const LOOK_MS = 2_000;

type Deps = {
  machines: Machines;
  annotations: Annotations;
  engine: Pick<Engine, "visibleUntil_us">;
  reports: Pick<Reports, "states">;
  hub: LiveHub;
  log: (message: string) => void;
};

/** Since when a machine ran again after an annotation, and when that was found. */
type Found = { from: string; at_us: number };

/** What is live may take this long to be in analytics. */
const LAG_MS = 60_000;

/**
 * The end is said like any other change of an annotation: an event of its own, so that figures follow from the log alone.
 * A machine is looked at for a while after it changed its state, or something was said about it.
 */
export function endOpenReasons({ machines, annotations, engine, reports, hub, log }: Deps): BackgroundLoop {
  /** Machines that may have open reasons; since when they were in their state, and until when they are looked at. */
  const watched = new Map<string, { since_us: number; until_ms: number }>();
  /** By machine what the last look found, by annotation. */
  const found = new Map<string, Map<string, Found>>();
  const watch = ({ id }: Machine, since_us = -1): void =>
    void watched.set(id, { since_us, until_ms: Date.now() + LAG_MS });
  for (const machine of machines.all()) watch(machine);
  annotations.onSaid((machine) => watch(machine));

  const look = async (id: string): Promise<void> => {
    const machine = machines.byId(id);
    if (!machine) return void watched.delete(id);
    const { since_us = 0 } = hub.snapshot([id]).machines[0] ?? {};
    if (watched.get(id)?.since_us !== since_us) watch(machine, since_us);
    const looked = watched.get(id);
    if (Date.now() > (looked?.until_ms ?? 0)) return;
    const all_ended = await end(machine);
    // Something may have been said meanwhile.
    if (all_ended && watched.get(id) === looked) watched.delete(id);
  };

  /**
   * An end is said once, so a look is not enough: it may see half of what is on its way in, days before it as they were and
   * days after it as they will be. What the next look finds as well, with all of that in, holds.
   * @returns whether none stays open
   */
  const end = async (machine: Machine): Promise<boolean> => {
    const [last, now] = [found.get(machine.id), new Map<string, Found>()];
    found.delete(machine.id);
    let all_ended = true;
    for (const { id, from_us, by } of await annotations.open(machine)) {
      const visible_us = engine.visibleUntil_us();
      const states = await reports.states(machine, { from_us, to_us: Date.now() * 1_000 });
      const again = states.find(({ state, from }) => state === "RUNNING" && from > iso(from_us));
      const before = last?.get(id);
      if (again && before?.from === again.from && before.at_us < visible_us)
        await annotations.change(machine, id, { to: again.from }, { by });
      else {
        all_ended = false;
        if (again) now.set(id, { from: again.from, at_us: Date.now() * 1_000 });
      }
    }
    if (now.size > 0) found.set(machine.id, now);
    return all_ended;
  };

  const trouble = new Trouble("open reasons", log);
  return backgroundLoop(async (running) => {
    let whole = true;
    for (const id of [...watched.keys()]) {
      if (!running()) break;
      await look(id).catch((error: unknown) => {
        whole = false;
        trouble.failed(error);
      });
    }
    if (whole) trouble.over();
    return LOOK_MS;
  });
}
