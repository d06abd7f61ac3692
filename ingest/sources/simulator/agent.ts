// A simulated MTConnect agent: probe, current, sample and the multipart stream over real HTTP, as cppagent speaks it.
import { Ring, type Stored } from "./buffer.ts";
import {
  assetsDocument,
  devicesDocument,
  errorDocument,
  type Header,
  latestOf,
  type Row,
  rowsOf,
  streamsDocument,
} from "./documents.ts";
import { type DeviceModel, dataItems } from "./model.ts";
import { type Part, partBytes } from "./multipart.ts";
import { compilePath } from "./path.ts";
import { integer, RequestError } from "./query.ts";
import { storedValue, type Value } from "./value.ts";

/** How cppagent's two generations differ on the wire. */
const DIALECTS = {
  "1.4": { version: "1.4.0.10", schema: "1.4", multipart: "multipart/x-mixed-replace" },
  "2.x": { version: "2.0.0.12", schema: "2.0", multipart: "multipart/mixed" },
} as const;
export type Dialect = keyof typeof DIALECTS;

const BUFFER_SIZE = 131_072;
const COUNT = 100;
const HEARTBEAT_MS = 10_000;
/** Time for half a part to leave before the connection is cut. */
const TEAR_MS = 50;
const LARGEST = 2_147_483_647;

export type AgentOptions = {
  devices: DeviceModel[];
  /** 0 or none: any free port. */
  port?: number;
  hostname?: string;
  /** Observations the ring holds. */
  buffer_size?: number;
  instance_id?: number;
  dialect?: Dialect;
  /** The schema version in the namespaces; from 2.6 on errors take their newest shape. */
  schema?: string;
  /** The agent's clock, ms since 1970. */
  clock?: () => number;
  /** When the agent's first UNAVAILABLEs are stamped, µs; the clock's time without it. */
  started_us?: number;
};

export type SimulatedAgent = {
  readonly url: string;
  readonly port: number;
  readonly instance_id: number;
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

/** Starts an agent. Every data item is UNAVAILABLE until its adapter says otherwise. */
export function startAgent(options: AgentOptions): SimulatedAgent {
  return new Agent(options);
}

type Filter = (item: number) => boolean;
type Page = { observations: Stored[]; next: number; end_of_buffer: boolean };

/** Waits for the first observation that passes its filter. */
type Observer = { filter: Filter; signaled: number; wake: () => void };

class Agent implements SimulatedAgent {
  readonly devices: readonly DeviceModel[];
  instance_id: number;
  readonly #dialect: Dialect;
  readonly #schema: string;
  readonly #clock: () => number;
  readonly #hostname: string;
  readonly #rows: Row[];
  readonly #by_id: Map<string, Map<string, Row>>;
  readonly #buffer_size: number;
  readonly #model_ms: number;
  #ring: Ring;
  #server: ReturnType<typeof Bun.serve> | undefined;
  #port: number;
  #delay_ms = 0;
  #tearing = false;
  readonly #observers = new Set<Observer>();

  constructor(options: AgentOptions) {
    this.#dialect = options.dialect ?? "1.4";
    this.#schema = options.schema ?? DIALECTS[this.#dialect].schema;
    this.#clock = options.clock ?? Date.now;
    this.#hostname = options.hostname ?? "127.0.0.1";
    this.#buffer_size = options.buffer_size ?? BUFFER_SIZE;
    this.#model_ms = this.#clock();
    this.devices = [
      ...(this.#dialect === "2.x" ? [agentDevice()] : []),
      ...options.devices.map(withAssetItems),
    ];
    this.#rows = rowsOf([...this.devices]);
    this.#by_id = new Map(this.devices.map((device) => [device.uuid, new Map()]));
    for (const row of this.#rows) this.#by_id.get(row.device.uuid)?.set(row.item.id, row);
    this.#ring = new Ring(this.#buffer_size, this.#rows.length);
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
  get next_sequence(): number {
    return this.#ring.next_sequence;
  }

  get waiting(): number {
    return this.#observers.size;
  }

  add(device_uuid: string, data_item_id: string, timestamp: string | number, value: Value): void {
    const row = this.#by_id.get(device_uuid)?.get(data_item_id);
    if (!row) throw new Error(`device ${device_uuid} has no data item ${data_item_id}`);
    this.#store(row, timestamp, value);
  }

  setUnavailable(device_uuid: string, timestamp: string | number = this.#clock() * 1000): void {
    for (const row of byItemId(this.#by_id.get(device_uuid))) {
      const latest = this.#ring.latest.of(row.index)[0];
      const already = latest?.level === "Unavailable" || latest?.text === "UNAVAILABLE";
      if (!already) this.#store(row, timestamp, "UNAVAILABLE");
    }
  }

  async restart({ instance_id }: { instance_id?: number } = {}): Promise<void> {
    await this.down();
    this.instance_id = instance_id ?? Math.max(Math.floor(this.#clock() / 1000), this.instance_id + 1);
    this.#ring = new Ring(this.#buffer_size, this.#rows.length);
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
    this.#tearing = true;
    for (const observer of this.#observers) observer.wake();
    await Bun.sleep(TEAR_MS);
    await this.down();
    this.#tearing = false;
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
    const sequence = this.#ring.next_sequence;
    this.#ring.add({ item: row.index, timestamp, ...storedValue(row.item, value) });
    for (const observer of this.#observers) {
      if (observer.signaled > 0 || !observer.filter(row.index)) continue;
      observer.signaled = sequence;
      observer.wake();
    }
  }

  async #answer(request: Request): Promise<Response> {
    if (this.#delay_ms > 0) await Bun.sleep(this.#delay_ms);
    try {
      if (request.method !== "GET")
        throw new RequestError("UNSUPPORTED", "Only the HTTP GET request is supported");
      return this.#route(new URL(request.url), request.signal);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      return this.#xml(errorDocument(this.#header(), error.code, error.message), this.#status(error.code));
    }
  }

  /** 1.x answers every error with 200. */
  #status(code: string): number {
    if (this.#dialect === "1.4") return 200;
    return ["OUT_OF_RANGE", "NO_DEVICE", "ASSET_NOT_FOUND"].includes(code) ? 404 : 400;
  }

  #route({ pathname, searchParams: query }: URL, gone: AbortSignal): Response {
    const words = pathname.split("/").filter(Boolean).map(decodeURIComponent);
    if (words[0] === "assets" || words[0] === "asset") return this.#assets(words.slice(1));
    const call = words.length === 0 ? "probe" : words.at(-1);
    const device = words.length === 2 ? words[0] : undefined;
    if (words.length <= 2) {
      if (call === "probe") return this.#probe(device);
      if (call === "current") return this.#current(device, query, gone);
      if (call === "sample") return this.#sample(device, query, gone);
    }
    throw new RequestError("UNSUPPORTED", `The following path is invalid: ${pathname}`);
  }

  #assets(ids: string[]): Response {
    if (ids.length > 0) throw new RequestError("ASSET_NOT_FOUND", `Could not find asset: ${ids.join(";")}`);
    return this.#xml(assetsDocument(this.#header()));
  }

  #probe(name: string | undefined): Response {
    const devices = this.devices.filter((device) => !name || device.name === name || device.uuid === name);
    if (devices.length === 0) throw new RequestError("NO_DEVICE", `Could not find the device '${name}'`);
    return this.#xml(devicesDocument(this.#header(), devices));
  }

  #current(device: string | undefined, query: URLSearchParams, gone: AbortSignal): Response {
    const filter = this.#filter(device, query.get("path"));
    const ring = this.#ring;
    const at = integer(query, "at", ring.first_sequence, ring.next_sequence - 1);
    const interval = integer(query, "interval", 0, LARGEST);
    if (at !== undefined && interval !== undefined)
      throw new RequestError(
        "INVALID_REQUEST",
        "You cannot specify both the at and frequency arguments to a current request",
      );
    if (interval !== undefined) return this.#multipart(this.#currentParts(filter, interval), gone);
    return this.#xml(this.#currentDocument(filter, at));
  }

  #currentDocument(filter: Filter, at?: number): string {
    const state = at === undefined ? this.#ring.latest : this.#ring.at(at);
    return this.#streams(latestOf(state, this.#rows, filter), this.#ring.next_sequence);
  }

  #sample(device: string | undefined, query: URLSearchParams, gone: AbortSignal): Response {
    const filter = this.#filter(device, query.get("path"));
    const { first_sequence, next_sequence, size } = this.#ring;
    const from = integer(query, "from", first_sequence, next_sequence) ?? first_sequence;
    const count = integer(query, "count", 1, size) ?? COUNT;
    const interval = integer(query, "interval", 0, LARGEST);
    const heartbeat = integer(query, "heartbeat", 10, 600_000) ?? HEARTBEAT_MS;
    if (interval === undefined) {
      const page = this.#page(from, count, filter);
      return this.#xml(this.#streams(page.observations, page.next));
    }
    return this.#multipart(this.#sampleParts({ from, count, filter, interval, heartbeat }, gone), gone);
  }

  #page(from: number, count: number, filter: Filter): Page {
    const ring = this.#ring;
    const observations: Stored[] = [];
    let next = from;
    for (; next < ring.next_sequence && observations.length < count; next++) {
      const observation = ring.get(next);
      if (observation && filter(observation.item)) observations.push(observation);
    }
    return { observations, next, end_of_buffer: next >= ring.next_sequence };
  }

  /**
   * The stream, as 1.4's streamData does it: pages back to back until the ring's end; there it waits for a first
   * observation that passes the filter (going on from that one) or for the heartbeat, and keeps to the interval.
   */
  async *#sampleParts(
    ask: { from: number; count: number; filter: Filter; interval: number; heartbeat: number },
    gone: AbortSignal,
  ): AsyncGenerator<Part> {
    let from = ask.from;
    while (!gone.aborted) {
      const begun = performance.now();
      if (from < this.#ring.first_sequence) {
        // 2.x just ends; 1.4 says why, in a part whose Content-length leaves out the final line end.
        if (this.#dialect === "1.4") yield { document: this.#tooSlow(), counts_line_end: false };
        return;
      }
      const page = this.#page(from, ask.count, ask.filter);
      from = page.next;
      const observer: Observer = { filter: ask.filter, signaled: 0, wake: () => {} };
      if (page.end_of_buffer) this.#observers.add(observer);
      try {
        yield {
          document: this.#streams(page.observations, page.next),
          counts_line_end: this.#dialect === "1.4",
        };
        if (!page.end_of_buffer) continue;
        await wakened(observer, ask.heartbeat - (performance.now() - begun), gone, () => this.#tearing);
      } finally {
        this.#observers.delete(observer);
      }
      from = observer.signaled || this.#ring.next_sequence;
      const early_ms = ask.interval - (performance.now() - begun);
      if (early_ms > 0) await Bun.sleep(early_ms);
    }
  }

  #tooSlow(): string {
    const message = "Client can't keep up with event stream, disconnecting";
    return errorDocument(this.#header(), "OUT_OF_RANGE", message);
  }

  async *#currentParts(filter: Filter, interval: number): AsyncGenerator<Part> {
    for (;;) {
      yield { document: this.#currentDocument(filter), counts_line_end: this.#dialect === "1.4" };
      await Bun.sleep(interval);
    }
  }

  #multipart(parts: AsyncGenerator<Part>, gone: AbortSignal): Response {
    const boundary = crypto.randomUUID().replaceAll("-", "");
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const { value: part, done } = await parts.next();
        if (done || gone.aborted) return controller.close();
        const bytes = partBytes(boundary, part);
        controller.enqueue(this.#tearing ? bytes.subarray(0, bytes.length >> 1) : bytes);
        if (this.#tearing) await aborted(gone);
      },
      cancel: async () => {
        await parts.return(undefined);
      },
    });
    const headers = {
      ...COMMON_HEADERS,
      "Content-Type": `${DIALECTS[this.#dialect].multipart};boundary=${boundary}`,
    };
    return new Response(body, { headers });
  }

  /** Which items the device in the URL and `path` choose; none at all is an error, as in the real agent. */
  #filter(device: string | undefined, path: string | null): Filter {
    if (device === undefined && path === null) return () => true;
    const wanted = path === null ? undefined : compilePath(path);
    const known = device === undefined || this.devices.some((d) => d.name === device || d.uuid === device);
    if (!known && this.#dialect === "2.x")
      throw new RequestError("NO_DEVICE", `Could not find the device '${device}'`);
    const chosen = this.#rows.map(
      (row) =>
        (device === undefined || row.device.name === device || row.device.uuid === device) &&
        (path === null || wanted?.(row.chain, row.item) === true),
    );
    if (!chosen.includes(true)) {
      const prefix = device === undefined ? "" : `//Devices/Device[@name="${device}"]`;
      const message = `The path could not be parsed. Invalid syntax: ${prefix}${path ?? ""}`;
      throw new RequestError("INVALID_XPATH", message);
    }
    return (item) => chosen[item] === true;
  }

  #streams(observations: Stored[], next: number): string {
    const { first_sequence: first, next_sequence } = this.#ring;
    return streamsDocument(
      this.#header(),
      { first, last: next_sequence - 1, next },
      this.#rows,
      observations,
    );
  }

  #header(): Header {
    return {
      schema: this.#schema,
      version: DIALECTS[this.#dialect].version,
      instance_id: this.instance_id,
      buffer_size: this.#buffer_size,
      now_ms: this.#clock(),
      model_ms: this.#model_ms,
    };
  }

  #xml(document: string, status = 200): Response {
    return new Response(document, { status, headers: { ...COMMON_HEADERS, "Content-Type": "text/xml" } });
  }
}

const COMMON_HEADERS = {
  Server: "MTConnectAgent",
  Expires: "-1",
  "Cache-Control": "private, max-age=0",
};

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

/** Resolves when the observer was signaled, the time is over or the client has gone. */
function wakened(observer: Observer, wait_ms: number, gone: AbortSignal, now: () => boolean): Promise<void> {
  if (observer.signaled > 0 || gone.aborted || now()) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      gone.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, Math.max(0, wait_ms));
    gone.addEventListener("abort", done);
    observer.wake = done;
  });
}

/** UNAVAILABLE, but for items that can only have one value, and for the agent's own device. */
function initialValue({ device, item }: Row): string {
  if (device.element === "Agent" && item.type === "AVAILABILITY") return "AVAILABLE";
  return item.constraints?.length === 1 ? (item.constraints[0] ?? "") : "UNAVAILABLE";
}

const byItemId = (items: Map<string, Row> | undefined): Row[] =>
  [...(items ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);

/** The agent adds two events of its own to a device that lacks them. */
function withAssetItems(device: DeviceModel): DeviceModel {
  const types = new Set([...dataItems(device)].map(({ item }) => item.type));
  const missing = [
    { id: `${device.id}_asset_chg`, category: "EVENT" as const, type: "ASSET_CHANGED" },
    { id: `${device.id}_asset_rem`, category: "EVENT" as const, type: "ASSET_REMOVED" },
  ].filter(({ type }) => !types.has(type));
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
