// A simulated MTConnect agent: probe, current, sample and the multipart stream over real HTTP, as cppagent speaks it.
import { type Answering, answer } from "./answers.ts";
import { type Asset, Assets } from "./assets.ts";
import { changed, Ring } from "./buffer.ts";
import { DIALECTS, type Dialect } from "./dialect.ts";
import { type Header, type Row, rowsOf } from "./documents.ts";
import { type DeviceModel, dataItems } from "./model.ts";
import type { Observer } from "./streaming.ts";
import { storedValue, type Value } from "./value.ts";

export type { Dialect } from "./dialect.ts";

const BUFFER_SIZE = 131_072;
/** Time for half a part to leave before the connection is cut. */
const TEAR_MS = 50;

export type AgentOptions = {
  devices: DeviceModel[];
  /** 0 or none: any free port. */
  port?: number;
  hostname?: string;
  /** Observations the ring holds. */
  buffer_size?: number;
  instance_id?: number;
  dialect?: Dialect;
  /** The schema version in the namespaces; errors take its shape: one of 1.0, one of 2.6, one of all between. */
  schema?: string;
  /** How 2.x prints JSON for clients that accept it; 2 without it. */
  json_version?: 1 | 2;
  /** The agent's clock, ms since 1970. */
  clock?: () => number;
  /** When the agent's first UNAVAILABLEs are stamped, µs; the clock's time without it. */
  started_us?: number;
};

export type SimulatedAgent = {
  readonly url: string;
  readonly port: number;
  readonly instance_id: number;
  /** Of the oldest observation that it still has. */
  readonly first_sequence: number;
  readonly next_sequence: number;
  /** Streams that wait for something to tell. */
  readonly waiting: number;
  readonly devices: readonly DeviceModel[];
  /**
   * Takes one observation from the adapter.
   * @param timestamp text passes through as it is; a number is µs since 1970
   * @throws where the device has no such data item
   */
  add(device_uuid: string, data_item_id: string, timestamp: string | number, value: Value): void;
  /** The device has a new asset, or one that changed. */
  putAsset(device_uuid: string, asset: NewAsset): void;
  /** The device has that asset no more. */
  removeAsset(asset_id: string, timestamp_us: number): void;
  /** The adapter is lost: every item of the device that is not UNAVAILABLE turns so. */
  setUnavailable(device_uuid: string, timestamp?: string | number): void;
  /** Drops every connection and comes back as a new instance with an empty ring. */
  restart(options?: { instance_id?: number }): Promise<void>;
  /** Drops every connection and refuses new ones until `up`. */
  down(): Promise<void>;
  up(): void;
  /** Cuts every stream in the middle of its next part, then drops every connection. */
  tear(): Promise<void>;
  /** Answers come this much later from now on; 0 ends it. */
  delay(delay_ms: number): void;
  stop(): Promise<void>;
};

export type NewAsset = Omit<Asset, "device_uuid" | "removed">;

/** Starts an agent. Every data item is UNAVAILABLE until its adapter says otherwise. */
export function startAgent(options: AgentOptions): SimulatedAgent {
  return new Agent(options);
}

class Agent implements SimulatedAgent, Answering {
  readonly devices: readonly DeviceModel[];
  instance_id: number;
  readonly dialect: Dialect;
  readonly #schema: string;
  readonly #clock: () => number;
  readonly #hostname: string;
  readonly rows: Row[];
  assets = new Assets();
  readonly json_version: 1 | 2;
  readonly #by_id: Map<string, Map<string, Row>>;
  readonly #buffer_size: number;
  readonly #model_ms: number;
  ring: Ring;
  #server: ReturnType<typeof Bun.serve> | undefined;
  #port: number;
  #delay_ms = 0;
  tearing = false;
  readonly observers = new Set<Observer>();

  constructor(options: AgentOptions) {
    this.dialect = options.dialect ?? "1.4";
    this.#schema = options.schema ?? DIALECTS[this.dialect].schema;
    this.json_version = options.json_version ?? 2;
    this.#clock = options.clock ?? Date.now;
    this.#hostname = options.hostname ?? "127.0.0.1";
    this.#buffer_size = options.buffer_size ?? BUFFER_SIZE;
    this.#model_ms = this.#clock();
    this.devices = [
      ...(this.dialect === "2.x" ? [agentDevice()] : []),
      ...options.devices.map((device) => withAssetItems(device, this.dialect)),
    ];
    this.rows = rowsOf([...this.devices]);
    this.#by_id = new Map(this.devices.map((device) => [device.uuid, new Map()]));
    for (const row of this.rows) this.#by_id.get(row.device.uuid)?.set(row.item.id, row);
    this.ring = new Ring(this.#buffer_size, this.rows.length);
    this.instance_id = options.instance_id ?? Math.floor(this.#clock() / 1000);
    this.#initialise(options.started_us ?? this.#clock() * 1000);
    this.#port = options.port ?? 0;
    this.up();
  }

  get port(): number {
    return this.#port;
  }
  get url(): string {
    return `http://${this.#hostname}:${this.#port}`;
  }
  get first_sequence(): number {
    return this.ring.first_sequence;
  }
  get next_sequence(): number {
    return this.ring.next_sequence;
  }

  get waiting(): number {
    return this.observers.size;
  }

  add(device_uuid: string, data_item_id: string, timestamp: string | number, value: Value): void {
    const row = this.#by_id.get(device_uuid)?.get(data_item_id);
    if (!row) throw new Error(`device ${device_uuid} has no data item ${data_item_id}`);
    this.#store(row, timestamp, value);
  }

  putAsset(device_uuid: string, asset: NewAsset): void {
    const held = { ...asset, device_uuid, removed: false };
    this.assets.put(held);
    this.#tellAsset("ASSET_CHANGED", held);
  }

  removeAsset(asset_id: string, timestamp_us: number): void {
    const held = this.assets.get(asset_id);
    if (!held || held.removed) return;
    const removed = { ...held, timestamp_us, removed: true };
    this.assets.put(removed);
    this.#tellAsset("ASSET_REMOVED", removed);
  }

  setUnavailable(device_uuid: string, timestamp: string | number = this.#clock() * 1000): void {
    for (const row of byItemId(this.#by_id.get(device_uuid))) {
      const latest = this.ring.latest.of(row.index)[0];
      const already = latest?.level === "Unavailable" || latest?.text === "UNAVAILABLE";
      if (!already) this.#store(row, timestamp, "UNAVAILABLE");
    }
  }

  async restart({ instance_id }: { instance_id?: number } = {}): Promise<void> {
    await this.down();
    this.instance_id = instance_id ?? Math.max(Math.floor(this.#clock() / 1000), this.instance_id + 1);
    this.ring = new Ring(this.#buffer_size, this.rows.length);
    this.assets = new Assets();
    this.#initialise(this.#clock() * 1000);
    this.up();
  }

  async down(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.stop(true);
  }

  up(): void {
    if (this.#server) return;
    this.#server = Bun.serve({
      hostname: this.#hostname,
      port: this.#port,
      fetch: (request, server) => {
        // A quiet stream lives on its heartbeats, which may be further apart than Bun's idle timeout.
        server.timeout(request, 0);
        return this.#answer(request);
      },
    });
    this.#port = this.#server.port ?? this.#port;
  }

  async tear(): Promise<void> {
    this.tearing = true;
    for (const observer of this.observers) observer.wake();
    await Bun.sleep(TEAR_MS);
    await this.down();
    this.tearing = false;
    this.up();
  }

  delay(delay_ms: number): void {
    this.#delay_ms = delay_ms;
  }

  async stop(): Promise<void> {
    await this.down();
  }

  /** The first observations of an instance: every item UNAVAILABLE, device by device in order of item id. */
  #initialise(timestamp: number): void {
    for (const items of this.#by_id.values())
      for (const row of byItemId(items)) this.#store(row, timestamp, initialValue(row));
  }

  #store(row: Row, timestamp: string | number, value: Value): void {
    const stored = storedValue(row.item, value);
    if (stored.entries && stored.text === "" && stored.attributes === "") {
      stored.entries = changed(this.ring.latest.of(row.index)[0]?.entries, stored.entries);
      if (Object.keys(stored.entries).length === 0) return;
    }
    const sequence = this.ring.next_sequence;
    this.ring.add({ item: row.index, timestamp, ...stored });
    for (const observer of this.observers) {
      if (observer.signaled > 0 || !observer.filter(row.index)) continue;
      observer.signaled = sequence;
      observer.wake();
    }
  }

  /** Tells of an asset on the device's item of that type, where it has one. */
  #tellAsset(type: string, { device_uuid, asset_id, type: asset_type, timestamp_us }: Asset): void {
    const rows = [...(this.#by_id.get(device_uuid)?.values() ?? [])];
    const tell = (wanted: string, value: Value): void => {
      const row = rows.find(({ item }) => item.type === wanted);
      if (row) this.#store(row, timestamp_us, value);
    };
    const changed_row = rows.find(({ item }) => item.type === "ASSET_CHANGED");
    const changed_last = changed_row && this.ring.latest.of(changed_row.index)[0]?.text;
    // An asset that is gone is not the one that changed last.
    if (type === "ASSET_REMOVED" && changed_last === asset_id) tell("ASSET_CHANGED", "UNAVAILABLE");
    tell(type, { asset_id, asset_type });
    tell("ASSET_COUNT", { entries: this.assets.countByType(device_uuid) });
  }

  async #answer(request: Request): Promise<Response> {
    if (this.#delay_ms > 0) await Bun.sleep(this.#delay_ms);
    return answer(this, request);
  }

  header(): Header {
    return {
      schema: this.#schema,
      version: DIALECTS[this.dialect].version,
      instance_id: this.instance_id,
      buffer_size: this.#buffer_size,
      now_ms: this.#clock(),
      model_ms: this.#model_ms,
      asset_count: this.assets.count,
    };
  }
}

/** UNAVAILABLE, but for items that can only have one value, and for the agent's own device. */
function initialValue({ device, item }: Row): string {
  if (device.element === "Agent" && item.type === "AVAILABILITY") return "AVAILABLE";
  return item.constraints?.length === 1 ? (item.constraints[0] ?? "") : "UNAVAILABLE";
}

const byItemId = (items: Map<string, Row> | undefined): Row[] =>
  [...(items ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);

/** The agent adds items of its own to a device that lacks them: which assets change, and how many there are. */
function withAssetItems(device: DeviceModel, dialect: Dialect): DeviceModel {
  const types = new Set([...dataItems(device)].map(({ item }) => item.type));
  const category = "EVENT" as const;
  const own = [
    { id: `${device.id}_asset_chg`, category, type: "ASSET_CHANGED" },
    { id: `${device.id}_asset_rem`, category, type: "ASSET_REMOVED" },
  ];
  const attributes = { representation: "DATA_SET" };
  const count = { id: `${device.id}_asset_count`, category, type: "ASSET_COUNT", attributes };
  const missing = (dialect === "1.4" ? own : [...own, count]).filter(({ type }) => !types.has(type));
  return { ...device, items: [...device.items, ...missing] };
}

/** From 1.7 on an agent lists itself as a device. */
const agentDevice = (): DeviceModel => ({
  element: "Agent",
  id: "agent",
  name: "Agent",
  uuid: "mtc-simulator-agent",
  items: [{ id: "agent_avail", category: "EVENT", type: "AVAILABILITY" }],
  components: [],
});
