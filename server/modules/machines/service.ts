// The machines and their configuration: every change is a row in the store and an event in the stream, in one commit.
import { mutex } from "../../../domain/lib/mutex.ts";
import {
  type CalendarInput,
  calendarsOf,
  compileCalendar,
  validFrom_us,
  withCalendar,
} from "../../../ingest/calendar.ts";
import { ColumnsBuilder } from "../../../ingest/columns.ts";
import type {
  EventData,
  EventType,
  GapData,
  MachineData,
  ObservationColumns,
} from "../../../ingest/event.ts";
import type { LiveHub } from "../../../ingest/live/hub.ts";
import type { Pipeline } from "../../../ingest/pipeline.ts";
import { badInput } from "../../../ingest/problem.ts";
import { checkRules, derive } from "../../../ingest/rules.ts";
import { checkAddress, RefusedAddress } from "../../../ingest/sources/addresses.ts";
import { unmaskedSource } from "../../../ingest/sources/credentials.ts";
import { checkMap, pointsOf } from "../../../ingest/sources/modbus/map.ts";
import type { MachineSource } from "../../../ingest/sources/model.ts";
import type { Commit, Machine, OpenGap, Store } from "../../../ingest/store/store.ts";
import { checkTime, time_us, within_us } from "../../../ingest/time.ts";
import { notFound, Problem } from "../../plugins/errors.ts";
import { type Dedupe, idempotencyConflict } from "../../plugins/idempotency.ts";
import { endingsOf } from "./anew.ts";
import {
  type Counts,
  type CycleTimes,
  DEFAULT_POLICY,
  type Lot,
  type MachinePatch,
  type NewMachine,
  type Policy,
  type Rejects,
  type Spike,
} from "./model.ts";

type Deps = { store: Store; pipeline: Pipeline; hub: LiveHub };

export class Machines {
  readonly #deps: Deps;
  /** All machines by id: asked on every request, changed rarely. */
  readonly #known = new Map<string, Machine>();
  readonly #listeners = new Set<() => void>();
  /** On their way to the store for the first time. */
  readonly #making = new Set<string>();
  #version = 0;
  /** Each change writes the whole machine, and must not take back what another one wrote. */
  readonly #exclusive = mutex();

  private constructor(deps: Deps, machines: Machine[]) {
    this.#deps = deps;
    for (const machine of machines) this.#known.set(machine.id, machine);
  }

  static async open(deps: Deps): Promise<Machines> {
    return new Machines(deps, await deps.store.machines());
  }

  /** What other processes changed meanwhile. @throws where the store cannot be read */
  refresh(): Promise<void> {
    return this.#exclusive(async () => {
      await this.#read(await this.#deps.store.settingsVersion());
    });
  }

  /** Before a change: it is made to what others have made of the machine by now. */
  async #fresh(): Promise<void> {
    const version = await this.#deps.store.settingsVersion();
    if (version !== this.#version) await this.#read(version);
  }

  async #read(version: number): Promise<void> {
    const { store, pipeline, hub } = this.#deps;
    // One that is made while this reads is not among what was read, and stays all the same.
    const made = [...this.#known.keys()].filter((id) => !this.#making.has(id));
    const read = new Map((await store.machines()).map((machine) => [machine.id, machine]));
    // Ids go on after those of others: of two words about one machine the later one holds.
    await pipeline.catchUp();
    this.#version = version;
    const differs = ({ id }: Machine): boolean => !Bun.deepEquals(read.get(id), this.#known.get(id));
    const gone = made.filter((id) => !read.has(id));
    const changed = [...read.values()].filter(differs);
    for (const id of gone) {
      hub.forget(id);
      this.#known.delete(id);
    }
    for (const machine of changed) {
      const is_new = !this.#known.has(machine.id);
      this.#known.set(machine.id, machine);
      if (is_new) hub.add(machine.id);
    }
    if (gone.length + changed.length > 0) this.#changed();
  }

  /** Calls back after any machine was made, changed or deleted. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  all(): Machine[] {
    return [...this.#known.values()];
  }

  /** For collectors, which serve all tenants. */
  byId(id: string): Machine | undefined {
    return this.#known.get(id);
  }

  list(tenant_id: string): Machine[] {
    const own = this.all().filter((machine) => machine.tenant_id === tenant_id);
    return own.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
  }

  /**
   * A tenant's machines that were asked for.
   * @param asked ids separated by commas, a group, both, or nothing: all
   * @throws 404 for an id or a group of which there is none
   */
  some(tenant_id: string, asked: { machine?: string | undefined; group?: string | undefined }): Machine[] {
    const ids = asked.machine?.split(",");
    for (const id of ids ?? []) this.get(tenant_id, id);
    const { group } = asked;
    const found = this.list(tenant_id).filter(
      (machine) =>
        (ids === undefined || ids.includes(machine.id)) && (group === undefined || machine.group === group),
    );
    if (group !== undefined && found.length === 0) throw notFound("group", group);
    return found;
  }

  /** @throws 404 where the tenant has no such machine; another tenant's is no different from none (invariant 10) */
  get(tenant_id: string, id: string): Machine {
    const machine = this.#known.get(id);
    if (machine?.tenant_id !== tenant_id) throw notFound("machine", id);
    return machine;
  }

  async create(tenant_id: string, input: NewMachine, demo = false): Promise<Machine> {
    const id = input.id ?? crypto.randomUUID();
    const now_ms = Date.now();
    await this.#exclusive(() => this.#fresh());
    if (this.#known.has(id)) throw new Problem("machine_exists", { machine: id });
    const machine: Machine = {
      id,
      tenant_id,
      name: input.name,
      group: input.group ?? "",
      source: unmaskedSource(input.source ?? { kind: "http" }, undefined),
      calendar: null,
      cycle_times: [],
      policy: DEFAULT_POLICY,
      rules: input.rules ?? [],
      demo,
      created_ms: now_ms,
      source_since_ms: now_ms,
    };
    checkMachine(machine);
    // Taken before the commit, so that two calls at once cannot both make it.
    this.#known.set(id, machine);
    this.#making.add(id);
    try {
      const { store, pipeline } = this.#deps;
      const old = await endingsOf(store, machine, machine.created_ms * 1_000);
      const events = old.map(([type, data]) => pipeline.event(machine, type, data));
      await this.#write(machine, "mtc.machine.v1", told(machine), { events });
    } catch (error) {
      this.#known.delete(id);
      throw error;
    } finally {
      this.#making.delete(id);
    }
    this.#deps.hub.add(id);
    return machine;
  }

  patch(tenant_id: string, id: string, patch: MachinePatch): Promise<Machine> {
    return this.#change(async () => {
      const before = this.get(tenant_id, id);
      const source = unmaskedSource(
        patch.source ?? (before.source as MachineSource),
        before.source as MachineSource,
      );
      const machine = { ...before, ...patch, source };
      checkMachine(machine);
      const meant = patch.rules ? this.#inForce(machine) : [];
      const { store, pipeline, hub } = this.#deps;
      const moves = !Bun.deepEquals(machine.source, before.source);
      if (moves) machine.source_since_ms = Date.now();
      // What another source has to tell of the time before is not what was missed: what was lost is lost.
      const open_gaps = moves ? await store.openGaps(id) : [];
      const events = [
        ...meant.map((columns) => pipeline.event(machine, "mtc.observations.v1", columns)),
        ...open_gaps.map((gap) => pipeline.event(machine, "mtc.gap.v1", endOf(gap, machine.source_since_ms))),
      ];
      await this.#write(machine, "mtc.machine.v1", told(machine), { events, close_gaps: open_gaps });
      for (const columns of meant) hub.apply(id, columns);
      return machine;
    });
  }

  delete(tenant_id: string, id: string): Promise<void> {
    return this.#change(async () => {
      const machine = this.get(tenant_id, id);
      const { store, pipeline, hub } = this.#deps;
      await store.deleteMachine(
        tenant_id,
        id,
        pipeline.event(machine, "mtc.machine.v1", told(machine, true)),
      );
      hub.forget(id);
      this.#known.delete(id);
      this.#changed();
    });
  }

  setCalendar(tenant_id: string, id: string, calendar: CalendarInput): Promise<void> {
    return this.#change(async () => {
      const machine = this.get(tenant_id, id);
      const compiled = compileCalendar(calendar);
      const calendars = withCalendar(calendarsOf(machine.calendar), calendar);
      await this.#write({ ...machine, calendar: calendars }, "mtc.calendar.v1", {
        calendar: compiled,
        valid_from_us: validFrom_us(calendar),
      });
    });
  }

  setCycleTimes(tenant_id: string, id: string, cycle_times: CycleTimes): Promise<void> {
    return this.#change(async () => {
      const machine = this.get(tenant_id, id);
      const data = {
        part: cycle_times.map(({ part }) => part ?? ""),
        valid_from_us: cycle_times.map(({ valid_from }, i) =>
          within_us(time_us(valid_from, `/${i}/valid_from`)),
        ),
        ideal_cycle_s: cycle_times.map(({ ideal_cycle_s }) => ideal_cycle_s),
      };
      await this.#write({ ...machine, cycle_times }, "mtc.cycle_times.v1", { cycle_times: data });
    });
  }

  setPolicy(tenant_id: string, id: string, input: Policy): Promise<Policy & typeof DEFAULT_POLICY> {
    return this.#change(async () => {
      const machine = this.get(tenant_id, id);
      const policy = { ...DEFAULT_POLICY, ...input };
      await this.#write({ ...machine, policy }, "mtc.policy.v1", { policy });
      return policy;
    });
  }

  addRejects(tenant_id: string, id: string, input: Rejects, dedupe?: Dedupe): Promise<string> {
    const rejects = { ts_us: entryTime_us(input.ts, "/ts"), count: input.count, reason: input.reason ?? "" };
    return this.#enter(tenant_id, id, "mtc.rejects.v1", { rejects }, dedupe);
  }

  /** Parts of a machine that does not count them itself, as an observation. @throws 409 where it does */
  async addCounts(tenant_id: string, id: string, { ts, count }: Counts, dedupe?: Dedupe): Promise<string> {
    const machine = this.get(tenant_id, id);
    if (this.countsParts(machine)) {
      throw new Problem("counts_itself", {});
    }
    const columns = new ColumnsBuilder();
    // A later word on the same time is a later sequence: it replaces the one before (invariant 3). See `isByHand`.
    columns.add("part_event", entryTime_us(ts, "/ts"), Date.now(), count);
    return this.#enter(tenant_id, id, "mtc.observations.v1", columns.columns(), dedupe);
  }

  /** Whether parts are counted by the machine, or by its rules, and not by people. */
  countsParts({ id, rules }: Machine): boolean {
    const counts = (signal: string) => /^part_(count|pulse|event)/.test(signal);
    if (rules.some(({ is }) => counts(is))) return true;
    const { signals = {} } = this.#deps.hub.snapshot([id]).machines[0] ?? {};
    return Object.keys(signals).some(counts);
  }

  addLot(tenant_id: string, id: string, input: Lot, dedupe?: Dedupe): Promise<string> {
    const from_us = entryTime_us(input.from, "/from");
    const to_us = input.to === undefined ? 0 : entryTime_us(input.to, "/to");
    if (to_us !== 0 && to_us < from_us) throw badInput("/to", "before", { than: "/from" });
    const lot = { lot: input.lot, part: input.part ?? "", order_id: input.order ?? "", from_us, to_us };
    return this.#enter(tenant_id, id, "mtc.lot.v1", { lot }, dedupe);
  }

  /** A word on a leap of a counter; where there is none it has no effect, and may be said before the leap arrives. */
  decideSpike(tenant_id: string, id: string, input: Spike, dedupe?: Dedupe): Promise<string> {
    const spike = { signal: input.signal, ts_us: entryTime_us(input.ts, "/ts"), decision: input.decision };
    return this.#enter(tenant_id, id, "mtc.spike.v1", { spike }, dedupe);
  }

  /** An operator's entry: an event and nothing else. @returns its id */
  async #enter(
    tenant_id: string,
    id: string,
    type: EventType,
    data: EventData,
    dedupe: Dedupe,
  ): Promise<string> {
    const machine = this.get(tenant_id, id);
    const appended = await this.#deps.pipeline.record(machine, type, data, { dedupe });
    if (appended.outcome === "conflict") throw idempotencyConflict();
    return appended.event_id;
  }

  #change<T>(change: () => Promise<T>): Promise<T> {
    return this.#exclusive(async () => {
      await this.#fresh();
      return change();
    });
  }

  /** What the latest values mean by new rules; a source that reports on change would not tell them again. */
  #inForce(machine: Machine): ObservationColumns[] {
    const latest = new ColumnsBuilder();
    for (const { signals } of this.#deps.hub.snapshot([machine.id]).machines) {
      for (const [signal, { ts_us, value }] of Object.entries(signals)) latest.add(signal, ts_us, 0, value);
    }
    return derive(machine.rules, latest.columns()).map((batch) => batch.columns());
  }

  /** One commit: the machine's row, the event that tells of it, and what else follows from it. */
  async #write(
    machine: Machine,
    type: EventType,
    data: EventData,
    { events, ...along }: Pick<Commit, "events" | "close_gaps"> = { events: [] },
  ): Promise<void> {
    const { pipeline } = this.#deps;
    const before = this.#making.has(machine.id) ? undefined : this.#known.get(machine.id);
    await pipeline.commit({
      ...along,
      machine,
      ...(before ? { machine_before: before } : {}),
      events: [pipeline.event(machine, type, data), ...events],
    });
    this.#known.set(machine.id, machine);
    this.#changed();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** The end of a gap that was open when the machine's source was set anew. */
const endOf = ({ from_us, cause }: OpenGap, now_ms: number): GapData => ({
  gap: { from_us, to_us: Math.max(from_us, now_ms * 1_000), cause, detail: "another source was set" },
});

/** What the stream is told of a machine. */
const told = ({ name, group }: Machine, deleted = false): MachineData => ({
  machine: { name, group, deleted },
});

/** @throws BadInput for what the schema cannot tell */
function checkMachine(machine: Machine): void {
  const source = machine.source as MachineSource;
  checkPlace(source);
  if (source.kind === "modbus") checkMap(source.map, "/source/map");
  // Of the other sources nobody knows beforehand what they will tell.
  const known = source.kind === "modbus" ? pointsOf(source.map).map(({ signal }) => signal) : undefined;
  checkRules(machine.rules, "/rules", known);
}

/** A name is looked up, and checked, each time it is connected to. @throws BadInput for an address no source may have */
function checkPlace(source: MachineSource): void {
  if (source.kind === "http") return;
  const [host, path] =
    source.kind === "modbus"
      ? [source.host, "/source/host"]
      : [URL.parse(source.url)?.hostname ?? "", "/source/url"];
  try {
    checkAddress(host);
  } catch (error) {
    if (error instanceof RefusedAddress) throw badInput(path, "reserved_address", { address: error.address });
    throw error;
  }
  if (source.kind === "mtconnect" && !/^https?:/i.test(source.url)) throw badInput(path, "not_http");
}

/** The time of an operator's entry: bounded as an observation's. @throws BadInput at `path` */
export function entryTime_us(text: string, path: string): number {
  const ts_us = time_us(text, path);
  checkTime(ts_us, Date.now() * 1_000, path);
  return ts_us;
}
