// Operators' reasons for stops: annotations that can be changed, split and merged, and never forget what they were.
import { iso } from "../../../analytics-sql/queries/window.ts";
import type { DowntimeData } from "../../../ingest/event.ts";
import type { Pipeline } from "../../../ingest/pipeline.ts";
import { badInput } from "../../../ingest/problem.ts";
import type { Machine, NewEvent, Store } from "../../../ingest/store/store.ts";
import { notFound } from "../../plugins/errors.ts";
import { type Dedupe, idempotencyConflict } from "../../plugins/idempotency.ts";
import { entryTime_us } from "../machines/service.ts";
import type { Annotation, Downtime, DowntimePatch, Merge, Split, Version } from "./model.ts";

type Said = DowntimeData["downtime"];
/** What holds of an annotation, with all that was ever said of it, oldest first. */
type Known = { id: string; now: Said; history: Version[] };
type Span = { from_us: number; to_us: number };
/** Who says it, and under which key of idempotency. */
export type Saying = { by: string; dedupe?: Dedupe };

export class Annotations {
  readonly #store: Pick<Store, "entries">;
  readonly #pipeline: Pipeline;
  /** Changes of one machine's annotations come one after the other: each is made from what the one before left. */
  readonly #last = new Map<string, Promise<unknown>>();
  readonly #listeners = new Set<(machine: Machine) => void>();

  constructor(store: Pick<Store, "entries">, pipeline: Pipeline) {
    this.#store = store;
    this.#pipeline = pipeline;
  }

  /** Annotations that hold in a span, in order of time. */
  async list(machine: Machine, { from_us, to_us }: Span): Promise<Annotation[]> {
    const known = [...(await this.#all(machine)).values()];
    return known
      .filter(({ now }) => !now.deleted && now.from_us < to_us && now.to_us > from_us)
      .sort((a, b) => a.now.from_us - b.now.from_us)
      .map(shown);
  }

  /** One annotation with its history; a deleted one too. @throws 404 */
  async get(machine: Machine, id: string): Promise<Annotation & { deleted: boolean; history: Version[] }> {
    const known = await this.#known(machine, id);
    return { ...shown(known), deleted: known.now.deleted ?? false, history: known.history };
  }

  /** Calls back with each machine about which something was said. */
  onSaid(listener: (machine: Machine) => void): void {
    this.#listeners.add(listener);
  }

  /** Those that hold until the machine runs again, of which it is not known yet when that was. */
  async open(machine: Machine): Promise<{ id: string; from_us: number; by: string }[]> {
    const known = [...(await this.#all(machine)).values()];
    return known
      .filter(({ now }) => now.open && !now.deleted)
      .map(({ id, now }) => ({ id, from_us: now.from_us, by: now.by ?? "" }));
  }

  /** @returns the ids of the event and of the annotation, which are one */
  async add(machine: Machine, input: Downtime, saying: Saying): Promise<{ event_id: string; id: string }> {
    const { reason, note = "" } = input;
    const event_id = await this.#say(machine, [{ ...times(input), reason, note }], saying);
    return { event_id, id: event_id };
  }

  change(machine: Machine, id: string, patch: DowntimePatch, saying: Saying): Promise<{ event_id: string }> {
    return this.#once(machine, saying, async () => {
      const { now } = await this.#inForce(machine, id);
      const to = patch.to ?? (now.open ? undefined : iso(now.to_us));
      const span = times({ from: patch.from ?? iso(now.from_us), to });
      const { reason = now.reason, note = now.note ?? "" } = patch;
      return { event_id: await this.#say(machine, [over(now, { ...span, reason, note, id })], saying) };
    });
  }

  delete(machine: Machine, id: string, saying: Saying): Promise<{ event_id: string }> {
    return this.#once(machine, saying, async () => {
      const { now } = await this.#inForce(machine, id);
      return { event_id: await this.#say(machine, [{ ...now, id, deleted: true }], saying) };
    });
  }

  /** Ends an annotation at an instant, where another one goes on. @returns both, as they hold */
  split(machine: Machine, id: string, { at, reason }: Split, saying: Saying): Promise<{ event_id: string }> {
    return this.#once(machine, saying, async () => {
      const { now } = await this.#inForce(machine, id);
      const at_us = entryTime_us(at, "/at");
      if (at_us <= now.from_us || at_us >= now.to_us) throw badInput("/at", "not_within_annotation");
      const { id: _, ...later } = now;
      const { open: __, ...earlier } = now;
      const both = [
        { ...earlier, id, to_us: at_us },
        { ...later, from_us: at_us, reason: reason ?? now.reason },
      ];
      return { event_id: await this.#say(machine, both, saying) };
    });
  }

  /** Makes one annotation of several, over all of their time and what lies between; the first of the list stays. */
  merge(machine: Machine, { ids, reason }: Merge, saying: Saying): Promise<{ event_id: string }> {
    return this.#once(machine, saying, async () => {
      const merged = await Promise.all(ids.map((id) => this.#inForce(machine, id)));
      const [first, ...others] = merged.map(({ now }) => now) as [Said, ...Said[]];
      const id = ids[0] as string;
      const span = {
        from_us: Math.min(...merged.map(({ now }) => now.from_us)),
        to_us: Math.max(...merged.map(({ now }) => now.to_us)),
      };
      const { open: _, ...before } = first;
      const open = merged.some(({ now }) => now.open) ? { open: true } : {};
      const said = [
        { ...before, ...span, ...open, id, reason: reason ?? first.reason },
        ...others.map((one, i) => ({ ...one, id: ids[i + 1] as string, deleted: true })),
      ];
      return { event_id: await this.#say(machine, said, saying) };
    });
  }

  /** All of it in one commit, or none; the same key again is answered with the first event's id. */
  async #say(machine: Machine, said: Said[], { by, dedupe }: Saying): Promise<string> {
    const events = said.map((downtime, i): NewEvent => {
      const event = this.#pipeline.event(machine, "mtc.downtime.v1", { downtime: { ...downtime, by } });
      return i > 0 ? { ...event, derived: true } : dedupe ? { ...event, dedupe } : event;
    });
    const [appended] = await this.#pipeline.commit({ events });
    if (!appended) throw new Error("the store gave no answer");
    if (appended.outcome === "conflict") throw idempotencyConflict();
    for (const listener of this.#listeners) listener(machine);
    return appended.event_id;
  }

  async #known(machine: Machine, id: string): Promise<Known> {
    const known = (await this.#all(machine)).get(id);
    if (!known) throw notFound("annotation", id);
    return known;
  }

  async #inForce(machine: Machine, id: string): Promise<Known> {
    const known = await this.#known(machine, id);
    if (known.now.deleted) throw notFound("deleted_annotation", id);
    return known;
  }

  /** Every annotation of a machine, from the log. */
  async #all({ tenant_id, id: machine_id }: Machine): Promise<Map<string, Known>> {
    const all = new Map<string, Known>();
    const decoder = new TextDecoder();
    for (const { id: event_id, time_ms, bytes } of await this.#store.entries(
      tenant_id,
      machine_id,
      "mtc.downtime.v1",
    )) {
      const { downtime } = (JSON.parse(decoder.decode(bytes)) as { data: DowntimeData }).data;
      // What that version touched is not what the next one made from it will.
      const { since_us: _, ...now } = downtime;
      const id = downtime.id ?? event_id;
      const history = [...(all.get(id)?.history ?? []), versionOf(downtime, event_id, time_ms)];
      all.set(id, { id, now, history });
    }
    return all;
  }

  /** One change of a machine's annotations after the other; one that is sent again is answered as it was. */
  #once(
    { tenant_id, id }: Machine,
    { dedupe }: Saying,
    change: () => Promise<{ event_id: string }>,
  ): Promise<{ event_id: string }> {
    const done = (this.#last.get(id) ?? Promise.resolve()).then(async () => {
      if (!dedupe) return change();
      const entries = await this.#store.entries(tenant_id, id, "mtc.downtime.v1");
      const first = entries.find(({ dedupe_key }) => dedupe_key === dedupe.key);
      if (!first) return change();
      if (first.body_hash !== dedupe.body_hash) throw idempotencyConflict();
      return { event_id: first.id };
    });
    const settled = done.catch(() => undefined);
    this.#last.set(id, settled);
    void settled.then(() => {
      if (this.#last.get(id) === settled) this.#last.delete(id);
    });
    return done;
  }
}

/** A new version over an old one: figures may change from the earlier of their starts on. */
const over = (before: Said, now: Said): Said => ({ ...now, since_us: Math.min(before.from_us, now.from_us) });

/** As good as for ever: one that holds until the machine runs again ends there, where nothing else ends it. */
const OPEN_US = 400 * 86_400_000_000;

function times({ from, to }: { from: string; to?: string | undefined }): Span & { open?: true } {
  const from_us = entryTime_us(from, "/from");
  if (to === undefined) return { from_us, to_us: from_us + OPEN_US, open: true };
  const to_us = entryTime_us(to, "/to");
  if (to_us <= from_us) throw badInput("/to", "not_after", { than: "/from" });
  return { from_us, to_us };
}

const versionOf = (said: Said, event_id: string, time_ms: number): Version => ({
  event_id,
  at: new Date(time_ms).toISOString(),
  by: said.by ?? "",
  from: iso(said.from_us),
  to: said.open ? null : iso(said.to_us),
  reason: said.reason,
  note: said.note ?? "",
  deleted: said.deleted ?? false,
});

function shown({ id, history }: Known): Annotation {
  const { deleted: _, event_id: __, ...now } = history.at(-1) as Version;
  return { id, ...now, versions: history.length };
}
