// Follows one agent for one or more machines: first contact, streaming, resuming, and what was lost on the way.
import type { GapCause } from "../../event.ts";
import { Backoff, type BackoffOptions, DEFAULT_BACKOFF, sleep } from "../backoff.ts";
import { ContactGaps } from "../contact.ts";
import type { Checkpoint, Collector, Sink, SourceStatus } from "../source.ts";
import { AgentClient, AgentError, ContactError, NoStream, Silence } from "./client.ts";
import type { AgentHeader, DevicesDocument, StreamsDocument } from "./document.ts";
import { Translator } from "./observations.ts";

export type AgentMachine = {
  machine_id: string;
  /** Uuid or name of the device; without it the agent's first. */
  device?: string;
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
};

/** Collects one machine from an agent. See {@link startAgentCollector}. */
export function startMtconnect({
  machine_id,
  device,
  ...options
}: Omit<AgentCollectorOptions, "machines"> & AgentMachine): Collector {
  return startAgentCollector({ ...options, machines: [{ machine_id, ...(device ? { device } : {}) }] });
}

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
/** A header's creationTime is cut to the second: closer than this, the clocks agree and ours is finer. */
const SAME_CLOCK_US = 2_000_000;

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
  readonly #gaps = new Map<string, ContactGaps>();
  readonly #backoff: Backoff;
  /** Where we stand, durable or about to be. */
  #position: Checkpoint | undefined;
  /** Machines that have not yet been given what the agent's buffer holds. */
  #newcomers = new Set<string>();
  #out_of_range = false;
  /** Beginnings since the agent last sent something. */
  #prompt_retries = 0;
  /** Machines whose device the agent does not have, in words. */
  #missing = "";
  /** Everything the agent knew until then is known to us, in the agent's clock; 0 is nothing. */
  #known_us = 0;
  #committed_ms = 0;
  #translators: Translator[] = [];

  constructor({ url, ...options }: AgentCollectorOptions) {
    this.#options = {
      heartbeat_ms: 10_000,
      interval_ms: 100,
      poll_ms: 1_000,
      backoff: DEFAULT_BACKOFF,
      ...options,
    };
    this.#agent = url.replace(/\/+$/, "");
    this.#client = new AgentClient(this.#agent, this.abort.signal);
    this.#backoff = new Backoff(this.#options.backoff);
    for (const { machine_id } of options.machines) {
      this.#gaps.set(machine_id, new ContactGaps(options.sink, machine_id));
    }
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
        await this.#lost(error);
        await sleep(this.#backoff.next_ms(), this.abort.signal);
      }
    }
    // Best effort: without it the next run knows a little less.
    if (this.#position) await this.#options.sink.append([], this.#position).catch(() => undefined);
    this.#enter("stopped");
  }

  async #restore(): Promise<void> {
    const { sink, machines } = this.#options;
    this.#position = await sink.checkpoint(this.#agent);
    this.#known_us = this.#position?.known_us ?? 0;
    for (const { machine_id } of machines) {
      await this.#gaps.get(machine_id)?.restore();
      if (!(await sink.checkpoint(this.#joinedKey(machine_id)))) this.#newcomers.add(machine_id);
    }
  }

  /** A checkpoint of its own marks a machine that has been given the agent's buffer. */
  #joinedKey(machine_id: string): string {
    return `${this.#agent}#${machine_id}`;
  }

  /** One contact with the agent, from probe to the loss of it. */
  async #session(): Promise<void> {
    const probe = await this.#client.probe();
    this.#heard();
    await this.#bind(probe);
    const count = Math.min(PAGE_ROWS, probe.header.buffer_size || 100);
    const position = this.#position;
    const resumable =
      position?.instance_id === probe.header.instance_id && !this.#out_of_range && this.#newcomers.size === 0;
    if (position && resumable) await this.#primeConditions(position.next_sequence);
    else await this.#readBuffer(count);
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
    this.#translators = [];
    const missing: string[] = [];
    for (const { machine_id, device } of this.#options.machines) {
      const found =
        device === undefined ? devices[0] : devices.find((d) => d.uuid === device || d.name === device);
      if (found) this.#translators.push(new Translator(machine_id, found));
      else missing.push(machine_id);
    }
    this.#missing = missing.length > 0 ? `the agent has no device for ${missing.join(", ")}` : "";
    if (this.#translators.length === 0) throw new ContactError(this.#missing);
    await this.#openGaps(missing, this.#missing);
    // One machine alone needs no other device's data, nor what the Agent says of itself.
    const [only, ...further] = this.#translators;
    this.#client.device = listed > 1 && only && further.length === 0 ? only.device.name : "";
  }

  /**
   * Takes all that the agent's buffer holds now: the values in force at its oldest observation, and its first page.
   * What lies between that and our position, if we had one, is lost.
   */
  async #readBuffer(count: number): Promise<void> {
    const page = await this.#client.sample(count);
    const { instance_id, first_sequence, next_sequence } = page.header;
    const current = await this.#inForceAt(first_sequence);
    if (current.header.instance_id !== instance_id) throw new Superseded("the agent was restarted");
    const before = this.#position;
    const same = before?.instance_id === instance_id && before.next_sequence <= next_sequence;
    const held = same ? before.next_sequence : 0;
    if (before && held < first_sequence) await this.#recordGap(same ? "sequence_gap" : "agent_restart", page);
    const older = current.devices.map((device) => ({
      ...device,
      items: device.items.filter(({ sequence }) => sequence < first_sequence),
    }));
    const batches = this.#translators.flatMap((translator) => {
      translator.floor = this.#newcomers.has(translator.machine_id) ? 0 : held;
      translator.forgetConditions();
      return [
        ...translator.batches(older, this.#batchKey(instance_id, `current@${first_sequence}`)),
        ...translator.batches(
          page.devices,
          this.#batchKey(instance_id, range(first_sequence, next_sequence)),
        ),
      ];
    });
    await this.#commit(page, batches);
    this.#out_of_range = false;
    for (const { machine_id } of this.#translators) {
      if (!this.#newcomers.has(machine_id)) continue;
      await this.#options.sink.append([], {
        agent: this.#joinedKey(machine_id),
        instance_id,
        next_sequence: 0,
      });
      this.#newcomers.delete(machine_id);
    }
  }

  /** The values in force just then; where the buffer moved on meanwhile, those in force now tell what is older. */
  async #inForceAt(sequence: number): Promise<StreamsDocument> {
    try {
      return await this.#client.current(sequence);
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      return await this.#client.current();
    }
  }

  /** Resuming by sequence needs no values, but conditions are transitions: what was active must be known. */
  async #primeConditions(next_sequence: number): Promise<void> {
    if (!this.#translators.some(({ has_conditions }) => has_conditions)) return;
    const current = await this.#inForceAt(Math.max(1, next_sequence - 1));
    this.#checkInstance(current);
    for (const translator of this.#translators) translator.primeConditions(current.devices);
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
      if (error instanceof NoStream) return await this.#poll(count);
      // A broken connection is no loss of contact until the next attempt fails.
      if (error instanceof ContactError && !(error instanceof Silence)) throw new Superseded(error.message);
      throw error;
    }
    throw new Superseded("the agent ended the stream");
  }

  async #poll(count: number): Promise<void> {
    while (!this.abort.signal.aborted) {
      const document = await this.#client.sample(count, this.#position?.next_sequence);
      this.#enter("polling");
      await this.#take(document);
      if (isLive(document.header)) await sleep(this.#options.poll_ms, this.abort.signal);
    }
  }

  async #take(document: StreamsDocument): Promise<void> {
    this.#checkInstance(document);
    const from = this.#position?.next_sequence ?? 0;
    const { instance_id, next_sequence } = document.header;
    const key = this.#batchKey(instance_id, range(from, next_sequence));
    const batches = this.#translators.flatMap((translator) => {
      translator.floor = Math.max(translator.floor, from);
      return translator.batches(document.devices, key);
    });
    await this.#commit(document, batches);
    this.status.error = this.#complaint();
    this.#prompt_retries = 0;
    this.#backoff.reset();
  }

  /** Even a sequence the new instance happens to have may be answered: only the instanceId tells. */
  #checkInstance({ header }: StreamsDocument): void {
    if (header.instance_id !== this.#position?.instance_id) throw new Superseded("the agent was restarted");
  }

  /** One document, one transaction: batches and checkpoint together. Reading goes on when it is durable. */
  async #commit({ header, devices }: StreamsDocument, batches: Parameters<Sink["append"]>[0]): Promise<void> {
    this.#heard();
    const { instance_id, next_sequence } = header;
    const latest_us = devices.flatMap((d) => d.items.at(-1)?.ts_us ?? []).reduce((a, b) => Math.max(a, b), 0);
    const known_us = isLive(header) ? agentNow_us(header) : latest_us || this.#known_us;
    const position = { agent: this.#agent, instance_id, next_sequence, known_us };
    if (batches.length > 0 || Date.now() - this.#committed_ms >= IDLE_COMMIT_MS) {
      await this.#options.sink.append(batches, position);
      this.#committed_ms = Date.now();
    }
    this.#position = position;
    this.#known_us = known_us;
    for (const { machine_id } of this.#translators) await this.#gaps.get(machine_id)?.close();
  }

  /** What happened between the last we knew and the oldest the agent still holds is lost. */
  async #recordGap(cause: GapCause, { header, devices }: StreamsDocument): Promise<void> {
    const oldest = devices.flatMap((d) => d.items[0] ?? []).sort((a, b) => a.sequence - b.sequence)[0];
    for (const [machine_id, gaps] of this.#gaps) {
      if (this.#newcomers.has(machine_id)) continue;
      const from_us = this.#known_us || gaps.open_since_us;
      if (!from_us) continue;
      // However short, it is not empty: an empty gap says that nothing was lost.
      const to_us = Math.max(from_us + 1, oldest?.ts_us || agentNow_us(header));
      const detail = `instance ${header.instance_id}, sequence ${header.first_sequence}`;
      await this.#options.sink.gap(machine_id, { from_us, to_us, cause, detail });
    }
  }

  async #lost(error: unknown): Promise<void> {
    const detail = error instanceof Error ? error.message : String(error);
    // Anything else is trouble of our own: the agent's buffer keeps the time meanwhile.
    const contact =
      error instanceof ContactError || error instanceof AgentError || error instanceof Superseded;
    this.#enter(contact ? "unreachable" : "connecting");
    this.status.error = detail;
    // A sink that takes no gap now has the checkpoint, which says as much.
    if (contact) await this.#openGaps([...this.#gaps.keys()], detail).catch(() => undefined);
  }

  async #openGaps(machine_ids: string[], detail: string): Promise<void> {
    if (this.#known_us === 0) return;
    for (const machine_id of machine_ids) await this.#gaps.get(machine_id)?.open(this.#known_us, detail);
  }

  #complaint(): string {
    const rows = this.#translators.reduce((sum, { dropped_rows }) => sum + dropped_rows, 0);
    if (rows > 0) return `${rows} observations with an impossible time or sequence were left out`;
    return this.#missing;
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

const range = (from: number, next_sequence: number): string => `${from}-${next_sequence - 1}`;

/** The document ends with the newest observation the agent has. */
const isLive = ({ next_sequence, last_sequence }: AgentHeader): boolean => next_sequence > last_sequence;

/** Now, in the clock that stamps this agent's observations. */
function agentNow_us({ creation_us }: AgentHeader): number {
  const now_us = Date.now() * 1_000;
  return Math.abs(now_us - creation_us) > SAME_CLOCK_US ? creation_us : now_us;
}
