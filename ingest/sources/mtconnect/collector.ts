// Follows one agent for one or more machines: first contact, streaming, resuming, and what was lost on the way.
import { Backoff, type BackoffOptions } from "../../../domain/lib/backoff.ts";
import { sleep } from "../../../domain/lib/sleep.ts";
import type { Batch, Checkpoint, Collector, Sink, SourceStatus } from "../source.ts";
import { SOURCE_BACKOFF } from "../source-backoff.ts";
import { messageOf } from "../text.ts";
import { AssetFollower, assetChanges } from "./assets.ts";
import { AgentClient, AgentError, NoStream } from "./client.ts";
import {
  type AgentHeader,
  type DevicesDocument,
  earliest_us,
  type StreamsDocument,
  span_us,
} from "./document.ts";
import { ContactError, DEFAULT_PATIENCE, type Patience, Silence, Unreadable } from "./exchange.ts";
import { agentNow_us, clockAhead_us, Losses, madeAt_us, oldest_us } from "./losses.ts";
import { Membership } from "./membership.ts";
import { narrowed, readAround } from "./narrowing.ts";
import { Translator } from "./observations.ts";

export type AgentMachine = {
  machine_id: string;
  /** Uuid or name of the device; without it the agent's first. */
  device?: string;
  /** When its source was set, by our clock, ms since 1970; left out: what was before the first contact is not missed. */
  since_ms?: number;
};

export type AgentCollectorOptions = {
  url: string;
  /** All machines this agent serves: they share one connection and one checkpoint. */
  machines: AgentMachine[];
  sink: Sink;
  /** How often the agent tells that it lives; twice as long in silence is loss of contact. */
  heartbeat_ms?: number;
  /** How long the agent collects before it sends. */
  interval_ms?: number;
  /** How often to ask an agent that does not stream. */
  poll_ms?: number;
  backoff?: BackoffOptions;
  patience?: Patience;
};

/**
 * Collects from one agent until it is stopped.
 * Recovery follows the reference agent's own client: probe, then sample from the last nextSequence; a new instanceId
 * or OUT_OF_RANGE starts again with the oldest observation the agent still holds, and leaves a gap (invariant 4).
 */
export function startAgentCollector(options: AgentCollectorOptions): Collector {
  const collector = new AgentCollector(options);
  const running = collector.run();
  return {
    status: () => ({ ...collector.status }),
    async stop() {
      collector.abort.abort();
      await running;
    },
  };
}

/** Most observations asked for in one document: few round trips, yet no document holds up the event loop for long. */
const PAGE_ROWS = 5_000;
/** How long a checkpoint that covers no new observation may wait for its commit. */
const IDLE_COMMIT_MS = 5_000;
/** An agent that gave no stream, or none that could be read, is asked for one again after so long. */
const STREAM_AGAIN_MS = 600_000;

const DAY_US = 86_400_000_000;

/** Where the first page begins, in parts of the one the agent gave: the next is tried where it dropped the one before. */
const FURTHER_ON = [0, 1 / 16, 1 / 4];

/** The first page of an agent's buffer. */
type Oldest = {
  page: StreamsDocument;
  /** The sequence it begins with. */
  start: number;
  /** What is in force there; of values that changed since nothing is known where the agent cannot tell it. */
  current: StreamsDocument | undefined;
  /** The time of its first observation, µs. */
  oldest_us: number;
  /** From when on every value is known, µs: from there on, or later where what is in force could not be learned. */
  known_us: number;
};

/** How often to begin again at once before waiting: an agent that drops faster than we read must not spin us. */
const MAX_PROMPT_RETRIES = 3;

/** The stream ended, the agent is a new instance, or it dropped what we wanted next: begin again at once. */
class Superseded extends Error {
  override readonly name = "Superseded";
}

class AgentCollector {
  readonly abort = new AbortController();
  readonly status: SourceStatus = { state: "connecting", since_ms: Date.now(), heard_ms: 0, error: "" };
  readonly #client: AgentClient;
  readonly #agent: string;
  readonly #options: Required<Omit<AgentCollectorOptions, "url">>;
  readonly #machine_ids: string[];
  readonly #losses: Losses;
  readonly #backoff: Backoff;
  /** Where we stand, durable or about to be. */
  #position: Checkpoint | undefined;
  readonly #membership: Membership;
  readonly #assets: AssetFollower;
  /** The agent was asked for all its assets, and tells of every change since. */
  #has_assets = false;
  #out_of_range = false;
  /** Beginnings since the agent last sent something. */
  #prompt_retries = 0;
  /** Machines whose device the agent does not have, in words. */
  #missing = "";
  /** Machines whose device the agent was without since they were last followed. */
  readonly #gone = new Set<string>();
  /** How far the agent's clock was ahead of ours when it first answered, µs. */
  #ahead_us: number | undefined;
  /** Everything the agent knew until then is known to us, in the agent's clock; 0 is nothing. */
  #known_us = 0;
  #committed_ms = 0;
  #translators: Translator[] = [];
  /** Observations that were left out at contacts before this one. */
  #left_out = 0;

  constructor({ url, ...options }: AgentCollectorOptions) {
    this.#options = {
      heartbeat_ms: 10_000,
      interval_ms: 100,
      poll_ms: 1_000,
      backoff: SOURCE_BACKOFF,
      patience: DEFAULT_PATIENCE,
      ...options,
    };
    this.#agent = url.replace(/\/+$/, "");
    const { sink, backoff, patience } = this.#options;
    const signal = this.abort.signal;
    this.#client = new AgentClient(this.#agent, signal, patience);
    this.#backoff = new Backoff(backoff);
    this.#membership = new Membership(sink, this.#agent);
    this.#assets = new AssetFollower({ client: this.#client, sink, signal, backoff });
    this.#machine_ids = options.machines.map(({ machine_id }) => machine_id);
    this.#losses = new Losses(sink, this.#machine_ids);
  }

  /** Runs until aborted; never rejects. */
  async run(): Promise<void> {
    let restored = false;
    while (!this.abort.signal.aborted) {
      try {
        if (!restored) await this.#restore();
        restored = true;
        await this.#session();
      } catch (error) {
        if (this.abort.signal.aborted) break;
        if (error instanceof Superseded && this.#prompt_retries++ < MAX_PROMPT_RETRIES) continue;
        const is_ours = !(await this.#lost(error));
        const delay_ms = this.#backoff.next_ms();
        await sleep(delay_ms, this.abort.signal);
        if (is_ours) this.#losses.heldBack(delay_ms);
      }
    }
    await this.#assets.stop();
    // Best effort: without it the next run knows a little less.
    if (restored && this.#position) await this.#leave(this.#position).catch(() => undefined);
    this.#enter("stopped");
  }

  async #leave(position: Checkpoint): Promise<void> {
    await this.#options.sink.append([], position);
    for (const machine_id of this.#machine_ids) await this.#membership.leave(machine_id, position);
  }

  async #restore(): Promise<void> {
    this.#position = await this.#options.sink.checkpoint(this.#agent);
    this.#known_us = this.#position?.known_us ?? 0;
    await this.#losses.restore();
    await this.#membership.restore(this.#machine_ids, this.#position);
  }

  /**
   * When the machine became ours, µs by the agent's clock (by ours until it has answered); 0 where nobody knows.
   * A header tells whole seconds: of an agent whose clock is another one it may be a second early.
   */
  #since_us(machine_id: string): number {
    const { since_ms = 0 } =
      this.#options.machines.find((machine) => machine.machine_id === machine_id) ?? {};
    return since_ms === 0 ? 0 : since_ms * 1_000 + (this.#ahead_us ?? 0);
  }

  /** Since when nothing is known of a machine without contact, µs; what was before it became ours is not missed. */
  #unknownSince_us(machine_id: string): number {
    return Math.max(this.#knownUntil_us(machine_id), this.#since_us(machine_id));
  }

  /** Up to when a machine's time at this agent is known, µs; 0 is nothing. */
  #knownUntil_us(machine_id: string): number {
    if (this.#membership.isNew(machine_id)) return 0;
    const left = this.#membership.leftAt(machine_id);
    return left ? (left.known_us ?? 0) : this.#known_us;
  }

  async #contactLost(machine_ids: string[], detail: string): Promise<void> {
    for (const machine_id of machine_ids)
      await this.#losses.contactLost(machine_id, this.#unknownSince_us(machine_id), detail);
  }

  /** One contact with the agent, from probe to the loss of it. */
  async #session(): Promise<void> {
    const probe = await this.#client.probe();
    this.#heard();
    this.#ahead_us ??= clockAhead_us(probe.header);
    await this.#bind(probe);
    const count = Math.min(PAGE_ROWS, probe.header.buffer_size || 100);
    const position = this.#position;
    const resumable =
      position?.instance_id === probe.header.instance_id &&
      !this.#out_of_range &&
      !this.#translators.some(({ machine_id }) => this.#membership.isOutside(machine_id));
    if (position && resumable) await this.#prime(position.next_sequence);
    else await this.#readBuffer(count);
    this.#assets.follow(this.#translators, probe.devices.length === 1);
    if (!resumable || !this.#has_assets) this.#assets.wantAll();
    this.#has_assets = true;
    try {
      await this.#follow(count);
    } catch (error) {
      if (!(error instanceof AgentError && error.out_of_range)) throw error;
      this.#out_of_range = true;
      throw new Superseded(error.message);
    }
  }

  /** Finds each machine's device; of a machine whose device is gone nothing is known. */
  async #bind({ devices, listed }: DevicesDocument): Promise<void> {
    this.#left_out = this.#leftOut();
    this.#translators = [];
    const missing: string[] = [];
    for (const { machine_id, device } of this.#options.machines) {
      const found =
        device === undefined ? devices[0] : devices.find((d) => d.uuid === device || d.name === device);
      const before = {
        known_us: this.#knownUntil_us(machine_id),
        torn_us: this.#losses.tornSince_us(machine_id),
      };
      if (found) this.#translators.push(new Translator(machine_id, found, before));
      else missing.push(machine_id);
    }
    this.#missing = missing.length > 0 ? `the agent has no device for ${missing.join(", ")}` : "";
    await this.#contactLost(missing, this.#missing);
    for (const machine_id of missing) {
      this.#gone.add(machine_id);
      if (this.#position) await this.#membership.leave(machine_id, this.#position);
    }
    if (this.#translators.length === 0) throw new ContactError(this.#missing);
    // One machine alone needs no other device's data, nor what the Agent says of itself.
    const [only, ...further] = this.#translators;
    this.#client.device = listed > 1 && only && further.length === 0 ? only.device.name : "";
  }

  /**
   * Takes all that the agent's buffer holds now: the values in force at its oldest observation, and its first page.
   * What lies between that and where each machine stood is lost.
   */
  async #readBuffer(count: number): Promise<void> {
    const oldest = await this.#oldest(count);
    const { page, start, current } = oldest;
    const { instance_id, next_sequence } = page.header;
    if (current && current.header.instance_id !== instance_id)
      throw new Superseded("the agent was restarted");
    const batches: Batch[] = [];
    for (const translator of this.#translators) {
      translator.floor = await this.#resumeAt(translator, oldest);
      translator.forget();
      const key = this.#batchKey(instance_id, `current@${start}`);
      if (current) batches.push(...batchesOf(translator, current, key, start));
      const page_key = this.#batchKey(instance_id, range(start, next_sequence));
      batches.push(...batchesOf(translator, page, page_key));
    }
    await this.#commit(page, batches);
    this.#out_of_range = false;
    for (const { machine_id } of this.#translators) {
      if (this.#position) await this.#membership.join(machine_id, this.#position);
    }
  }

  /**
   * The first page of the buffer, with the values in force at its start. An agent drops its oldest while it is asked:
   * then a page from further on, so that no value is taken for in force which was so before the gap (invariant 4).
   */
  async #oldest(count: number): Promise<Oldest> {
    const page = await this.#oldestPage(count);
    const { first_sequence, next_sequence } = page.header;
    const at = (part: number): number => first_sequence + Math.ceil(part * (next_sequence - first_sequence));
    for (const start of FURTHER_ON.map(at)) {
      try {
        const from =
          start === first_sequence ? page : await narrowed((rows) => this.#sample(rows, start), count);
        const current = await this.#client.current(start);
        const at_us = oldest_us(from);
        return { page: from, start, current, oldest_us: at_us, known_us: at_us };
      } catch (error) {
        if (error instanceof Unreadable) break;
        if (!(error instanceof AgentError)) throw error;
        if (!error.out_of_range) break;
      }
    }
    const current = await this.#inForceAt(first_sequence);
    const latest_us = current && span_us(current)?.latest_us;
    const at_us = oldest_us(page);
    return { page, start: first_sequence, current, oldest_us: at_us, known_us: latest_us ?? at_us };
  }

  /** The first page of the buffer, as much of it as can be read. */
  async #oldestPage(count: number): Promise<StreamsDocument> {
    try {
      return await narrowed((rows) => this.#client.sample(rows), count);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      const { header } = await this.#client.current();
      return (await readAround(this.#sample, 1, header.first_sequence)).document;
    }
  }

  /** Where the machine goes on, 0 from the oldest; what the buffer does not reach back to is a gap (invariant 4). */
  async #resumeAt(translator: Translator, oldest: Oldest): Promise<number> {
    const { machine_id } = translator;
    const { page, start, known_us: to_us } = oldest;
    const { instance_id, next_sequence, last_sequence } = page.header;
    const before = this.#membership.isNew(machine_id)
      ? undefined
      : (this.#membership.leftAt(machine_id) ?? this.#position);
    // The page may end long before the buffer does.
    const end = Math.max(next_sequence, last_sequence + 1 || 0);
    const same = before?.instance_id === instance_id && before.next_sequence <= end;
    const held = same ? before.next_sequence : 0;
    const from_us = this.#knownUntil_us(machine_id) || this.#losses.contactLostSince_us(machine_id) || 0;
    const detail = `instance ${instance_id}, sequence ${start}`;
    // Never read here, or of another source meanwhile: what was before it came is not missed.
    const is_first = !before || from_us < this.#since_us(machine_id);
    if (held < start && is_first) await this.#recordMissed(translator, oldest, detail);
    else if (held < start && from_us > 0) {
      const cause = same ? this.#losses.overrunCause() : "agent_restart";
      await this.#losses.record([machine_id], { from_us, to_us, cause, detail });
    }
    // While its device was gone the agent kept nothing of it.
    if (this.#gone.delete(machine_id)) await this.#losses.contactBack(machine_id, agentNow_us(page.header));
    return held;
  }

  /**
   * At the first contact: what the agent dropped since the machine became ours is lost, up to the oldest observation that
   * it still has. What it dropped before that nobody misses, and where its buffer reaches back so far there is no gap.
   */
  async #recordMissed({ machine_id, device }: Translator, oldest: Oldest, detail: string): Promise<void> {
    const from_us = this.#since_us(machine_id);
    // Of adapters with clocks of their own the page's first observation need not be the earliest of this machine.
    const own_us = earliest_us(device, oldest.page);
    if (from_us === 0 || Math.min(oldest.oldest_us, own_us) <= from_us) return;
    const reach_us = Math.min(await this.#bufferBegins_us(oldest), own_us);
    if (reach_us <= from_us) return;
    const to_us = oldest.known_us > oldest.oldest_us ? oldest.known_us : reach_us;
    const cause = oldest.page.header.first_sequence > 1 ? this.#losses.overrunCause() : "agent_restart";
    await this.#losses.record([machine_id], { from_us, to_us, cause, detail: `first contact: ${detail}` });
  }

  /** The time of the agent's oldest observation, µs: of one device alone, a quiet one, the page does not begin with it. */
  async #bufferBegins_us({ oldest_us }: Oldest): Promise<number> {
    if (this.#client.device === "") return oldest_us;
    try {
      // An agent without any has dropped none.
      return span_us(await this.#client.oldest())?.oldest_us ?? 0;
    } catch (error) {
      if (error instanceof AgentError || error instanceof Unreadable) return oldest_us;
      throw error;
    }
  }

  /**
   * The values in force just then; where the buffer moved on meanwhile, those in force now tell what is older.
   * An agent that cannot tell them so that they can be read has told none.
   */
  async #inForceAt(sequence: number): Promise<StreamsDocument | undefined> {
    try {
      return await this.#client.current(sequence).catch((error: unknown) => {
        if (error instanceof AgentError) return this.#client.current();
        throw error;
      });
    } catch (error) {
      if (error instanceof Unreadable) return undefined;
      throw error;
    }
  }

  /** Resuming by sequence needs no values, but conditions and data sets are told as changes: what held must be known. */
  async #prime(next_sequence: number): Promise<void> {
    if (!this.#translators.some(({ follows_changes }) => follows_changes)) return;
    const current = await this.#inForceAt(Math.max(1, next_sequence - 1));
    if (!current) return;
    this.#checkInstance(current);
    for (const translator of this.#translators) translator.prime(current.devices);
  }

  async #follow(count: number): Promise<void> {
    const { interval_ms, heartbeat_ms } = this.#options;
    // An agent that refuses every stream may still answer one question at a time.
    if (this.#prompt_retries >= MAX_PROMPT_RETRIES) return await this.#poll(count);
    try {
      const from = this.#position?.next_sequence ?? 1;
      for await (const document of this.#client.stream({ from, count, interval_ms, heartbeat_ms })) {
        this.#enter("streaming");
        await this.#take(document);
      }
    } catch (error) {
      if (error instanceof NoStream || error instanceof Unreadable) return await this.#poll(count);
      // A broken connection is no loss of contact until the next attempt fails.
      if (error instanceof ContactError && !(error instanceof Silence)) throw new Superseded(error.message);
      throw error;
    }
    throw new Superseded("the agent ended the stream");
  }

  readonly #sample = (rows: number, from: number): Promise<StreamsDocument> =>
    this.#client.sample(rows, from);

  /** Asks again and again; passes over what can never be read, and then tries a stream again. */
  async #poll(count: number): Promise<void> {
    const until_ms = performance.now() + STREAM_AGAIN_MS;
    while (!this.abort.signal.aborted && performance.now() < until_ms) {
      const asked = this.#position?.next_sequence ?? 1;
      const { document, from } = await readAround(this.#sample, count, asked);
      this.#enter("polling");
      if (from > asked) await this.#passOver(asked, from, document);
      await this.#take(document);
      if (from > asked) break;
      // Whoever sends nothing new is not asked again at once, whatever else it says.
      const { header } = document;
      if (isLive(header) || header.next_sequence <= from)
        await sleep(this.#options.poll_ms, this.abort.signal);
    }
    throw new Superseded("the agent may stream again");
  }

  /** Observations that cannot be read are lost; what they changed may still be in force, and be read as such. */
  async #passOver(broken: number, from: number, behind: StreamsDocument): Promise<void> {
    this.#checkInstance(behind);
    const position = this.#position;
    if (!position) return;
    const loss = {
      from_us: this.#known_us,
      to_us: oldest_us(behind),
      cause: "torn_record",
      detail: `sequence ${range(broken, from)} cannot be read`,
    } as const;
    const machine_ids = this.#translators.map(({ machine_id }) => machine_id);
    if (loss.from_us > 0) await this.#losses.record(machine_ids, loss);
    const current = await this.#inForceAt(from);
    const batches = this.#translators.flatMap((translator) => {
      translator.floor = Math.max(translator.floor, broken);
      const key = this.#batchKey(position.instance_id, `passed@${range(broken, from)}`);
      return current ? batchesOf(translator, current, key, from) : [];
    });
    await this.#options.sink.append(batches);
    this.#position = { ...position, next_sequence: from };
  }

  async #take(document: StreamsDocument): Promise<void> {
    this.#checkInstance(document);
    const from = this.#position?.next_sequence ?? 0;
    const { instance_id, next_sequence } = document.header;
    if (next_sequence < from) {
      this.#out_of_range = true;
      throw new Superseded("the agent's sequence went back");
    }
    const key = this.#batchKey(instance_id, range(from, next_sequence));
    const batches = this.#translators.flatMap((translator) => {
      translator.floor = Math.max(translator.floor, from);
      return batchesOf(translator, document, key);
    });
    await this.#commit(document, batches);
    for (const { machine_id, device, floor } of this.#translators)
      this.#assets.want(assetChanges(machine_id, device, document.devices, floor));
    this.#prompt_retries = 0;
    this.#backoff.reset();
  }

  /** Even a sequence the new instance happens to have may be answered: only the instanceId tells. */
  #checkInstance({ header }: StreamsDocument): void {
    if (header.instance_id !== this.#position?.instance_id) throw new Superseded("the agent was restarted");
  }

  /** One document, one transaction: batches and checkpoint together. Reading goes on when it is durable. */
  async #commit(document: StreamsDocument, batches: Parameters<Sink["append"]>[0]): Promise<void> {
    this.#heard();
    const { header } = document;
    const { instance_id, next_sequence } = header;
    const known_us = isLive(header) ? madeAt_us(document) : (span_us(document)?.latest_us ?? this.#known_us);
    // Before the checkpoint: after a crash between the two it is told again, and is one gap.
    for (const translator of this.#translators)
      await this.#losses.recordTorn(translator.machine_id, translator.takeTorn());
    const position = { agent: this.#agent, instance_id, next_sequence, known_us };
    if (batches.length > 0 || Date.now() - this.#committed_ms >= IDLE_COMMIT_MS) {
      const asked_ms = performance.now();
      await this.#options.sink.append(batches, position);
      this.#losses.heldBack(performance.now() - asked_ms);
      this.#committed_ms = Date.now();
    }
    if (isLive(header)) this.#losses.abreast();
    this.#position = position;
    this.#known_us = known_us;
    this.status.error = this.#complaint(header);
    for (const { machine_id } of this.#translators) await this.#losses.contactBack(machine_id);
  }

  /** @returns whether contact with the agent is lost; anything else is trouble of our own */
  async #lost(error: unknown): Promise<boolean> {
    const detail = messageOf(error);
    // In trouble of our own the agent's buffer keeps the time meanwhile.
    const contact =
      error instanceof ContactError || error instanceof AgentError || error instanceof Superseded;
    this.#enter(contact ? "unreachable" : "connecting");
    this.status.error = detail;
    // A sink that takes no gap now has the checkpoint, which says as much.
    if (contact) await this.#contactLost(this.#machine_ids, detail).catch(() => undefined);
    return contact;
  }

  #complaint(header: AgentHeader): string {
    const rows = this.#leftOut();
    const left_out = `${rows} observations with an impossible time or sequence were left out`;
    return [rows > 0 ? left_out : "", clocksApart(header), this.#missing]
      .filter((one) => one !== "")
      .join("; ");
  }

  /** Observations that were left out since the start. */
  #leftOut(): number {
    return this.#translators.reduce((sum, { dropped_rows }) => sum + dropped_rows, this.#left_out);
  }

  #batchKey(instance_id: string, what: string): string {
    return `${this.#agent}:${instance_id}:${what}`;
  }

  #heard(): void {
    this.status.heard_ms = Date.now();
  }

  #enter(state: SourceStatus["state"]): void {
    if (this.status.state !== state) this.status.since_ms = Date.now();
    this.status.state = state;
  }
}

/** That one of the two clocks is wrong, in words: each is right by itself, and nothing is lost by it. */
function clocksApart(header: AgentHeader): string {
  const ahead_us = clockAhead_us(header);
  const days = (Math.abs(ahead_us) / DAY_US).toFixed(1);
  if (Math.abs(ahead_us) <= DAY_US) return "";
  return `the agent's clock is ${days} days ${ahead_us > 0 ? "ahead of" : "behind"} this host's`;
}

/** A document's observations, judged by its agent's clock or by ours: adapters' clocks may be right where an agent's stands. */
const batchesOf = (
  translator: Translator,
  { header, devices }: StreamsDocument,
  key: string,
  below = Number.POSITIVE_INFINITY,
): Batch[] =>
  translator.batches(devices, key, { below, now_us: Math.max(agentNow_us(header), Date.now() * 1_000) });

const range = (from: number, next_sequence: number): string => `${from}-${next_sequence - 1}`;

/** The document ends with the newest observation the agent has, as far as the agent says. */
const isLive = ({ next_sequence, last_sequence }: AgentHeader): boolean => !(next_sequence <= last_sequence);
