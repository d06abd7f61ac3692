// For tests: a small agent over real HTTP that can be made to restart, fall silent, forget, refuse and lie.
import { printJson } from "./json-printer.ts";
import { readXml } from "./scanner.ts";

type Item = { device: string; id: string; value: string; code: string; sequence: number; ts: string };

const DEVICES: Record<string, string> = {
  M1: `<Device id="m1" name="M1" uuid="uuid-1"><DataItems><DataItem id="m1-avail" category="EVENT" type="AVAILABILITY"/>
    <DataItem id="m1-sys" category="CONDITION" type="SYSTEM"/>
    <DataItem id="m1-asset-chg" category="EVENT" type="ASSET_CHANGED"/>
    <DataItem id="m1-asset-rem" category="EVENT" type="ASSET_REMOVED"/></DataItems><Components><Path id="p1"><DataItems>
    <DataItem id="m1-exec" name="mode" category="EVENT" type="EXECUTION"/>
    <DataItem id="m1-speed" name="S1" category="SAMPLE" type="SPINDLE_SPEED" subType="ACTUAL"/>
    </DataItems></Path></Components></Device>`,
  M2: `<Device id="m2" name="M2" uuid="uuid-2"><DataItems><DataItem id="m2-avail" category="EVENT" type="AVAILABILITY"/>
    </DataItems><Components><Path id="p2"><DataItems><DataItem id="m2-exec" category="EVENT" type="EXECUTION"/>
    </DataItems></Path></Components></Device>`,
};
const AGENT = `<Agent id="agent" name="Agent" uuid="uuid-0"><DataItems><DataItem id="a-avail" category="EVENT"
  type="AVAILABILITY"/></DataItems></Agent>`;
const ITEMS = ["m1-avail", "m1-sys", "m1-exec", "m1-speed", "m2-avail", "m2-exec", "a-avail"];

export class ScriptedAgent {
  instance = 100;
  capacity = 1_000;
  /** A 1.4 agent counts the CRLF after a part's document. */
  counts_crlf = true;
  refuses_interval = false;
  /** Streams go on without a word: a pulled cable. */
  silent = false;
  readonly requests: string[] = [];
  /** Parts of streams that told of nothing new. */
  heartbeats = 0;
  /** What it answers in: JSON agents print every document so, parts of a stream too. */
  format: "xml" | "json1" | "json2" = "xml";
  /** The shape of errors, and their HTTP status. */
  error_shape: "1.0" | "1.4" | "2.6" = "1.4";
  error_status = 200;
  /** Observations that come as broken XML, wherever they are told. */
  readonly broken = new Set<number>();
  /** Devices that are there. */
  readonly devices = new Set(Object.keys(DEVICES));
  /** What a part says of its length, given what is true; undefined: nothing. */
  part_length = (length: number): number | undefined => length;
  /** Every document's header, as it is told. */
  header = (header: string): string => header;
  /** Answers instead of the agent, where it gives an answer. */
  instead: (path: string) => Response | undefined | Promise<Response | undefined> = () => undefined;
  /** Assets as they stand, by id: a removed one is there until it is forgotten. */
  readonly assets = new Map<string, string>();
  #buffer: Item[] = [];
  #all: Item[] = [];
  #next = 1;
  #server: ReturnType<typeof Bun.serve> | undefined;
  #port = 0;
  #streams = new Set<ReadableStreamDefaultController>();

  constructor() {
    this.#begin();
    this.start();
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get next_sequence(): number {
    return this.#next;
  }

  start(): void {
    this.#server = Bun.serve({
      hostname: "127.0.0.1",
      port: this.#port,
      idleTimeout: 0,
      fetch: async (request) => {
        const url = new URL(request.url);
        this.requests.push(url.pathname + url.search);
        return (await this.instead(url.pathname + url.search)) ?? this.#answer(url);
      },
    });
    this.#port = this.#server.port ?? 0;
  }

  async stop(): Promise<void> {
    this.breakStreams();
    await this.#server?.stop(true);
  }

  breakStreams(): void {
    for (const stream of this.#streams) stream.close();
    this.#streams.clear();
  }

  /** A new process: new instance, sequence from 1, everything UNAVAILABLE. */
  restart(): void {
    this.instance += 1;
    this.breakStreams();
    this.#begin();
  }

  add(id: string, value: string, { code = "", ts = new Date().toISOString() } = {}): void {
    const device = id.startsWith("m1") ? "M1" : id.startsWith("m2") ? "M2" : "Agent";
    const item = { device, id, value, code, sequence: this.#next++, ts };
    this.#all.push(item);
    this.#buffer.push(item);
    if (this.#buffer.length > this.capacity) this.#buffer.shift();
  }

  /** Sets an asset's document and tells of it. */
  putAsset(id: string, document: string): void {
    this.assets.set(id, document);
    this.add("m1-asset-chg", id);
  }

  #begin(): void {
    this.#buffer = [];
    this.#all = [];
    this.#next = 1;
    for (const id of ITEMS) this.add(id, "UNAVAILABLE");
  }

  #answer(url: URL): Response {
    const [, first = "", second] = url.pathname.split("/");
    if (first === "assets" || first === "asset") return this.#answerAssets(second);
    const device = second === undefined ? "" : first;
    const what = second ?? first;
    const number = (name: string): number | undefined => {
      const text = url.searchParams.get(name);
      return text === null ? undefined : Number(text);
    };
    if (device !== "" && !this.devices.has(device)) return this.#refuse("NO_DEVICE");
    if (what === "probe") return this.#respond(this.#probe());
    const first_sequence = this.#buffer[0]?.sequence ?? this.#next;
    const from = number("from") ?? first_sequence;
    const at = number("at") ?? first_sequence;
    if (from < first_sequence || from > this.#next || at < first_sequence || at >= this.#next)
      return this.#refuse("OUT_OF_RANGE");
    if (what === "current") return this.#respond(this.#current(device, number("at") ?? this.#next));
    const count = number("count") ?? 100;
    if (count > this.capacity) return this.#refuse("OUT_OF_RANGE");
    const interval_ms = number("interval");
    if (interval_ms === undefined) return this.#respond(this.#page(device, from, count).document);
    if (this.refuses_interval) return this.#refuse("INVALID_REQUEST");
    return this.#stream(device, from, count, interval_ms, number("heartbeat") ?? 10_000);
  }

  #answerAssets(id: string | undefined): Response {
    const found = id === undefined ? [...this.assets.values()] : [this.assets.get(decodeURIComponent(id))];
    if (found.includes(undefined)) return this.#refuse("ASSET_NOT_FOUND");
    return this.#respond(
      `<MTConnectAssets>${this.#header()}<Assets>${found.join("")}</Assets></MTConnectAssets>`,
    );
  }

  #probe(): string {
    const devices = [...this.devices].map((name) => DEVICES[name]);
    return `<MTConnectDevices>${this.#header()}<Devices>${AGENT}${devices.join("")}</Devices></MTConnectDevices>`;
  }

  /** A document in the agent's format; what is broken stays so. */
  #print(document: string): string {
    if (this.format === "xml" || document.includes(BROKEN)) return document;
    return printJson(readXml(Buffer.from(document)), this.format === "json1" ? 1 : 2);
  }

  #respond(document: string, status = 200): Response {
    const content_type = this.format === "xml" ? "text/xml" : "application/mtconnect+json";
    return new Response(this.#print(document), { status, headers: { "content-type": content_type } });
  }

  #refuse(code: string): Response {
    return this.#respond(this.#error(code), this.error_status);
  }

  #stream(device: string, start: number, count: number, interval_ms: number, heartbeat_ms: number): Response {
    let from = start;
    let timer: Timer;
    let sent_ms = 0;
    let self: ReadableStreamDefaultController;
    const body = new ReadableStream({
      start: (controller) => {
        self = controller;
        this.#streams.add(controller);
        timer = setInterval(() => {
          if (!this.#streams.has(controller)) return clearInterval(timer);
          if (this.silent || (from === this.#next && Date.now() - sent_ms < heartbeat_ms)) return;
          const late = from < (this.#buffer[0]?.sequence ?? this.#next);
          const { document, next } = late
            ? { document: this.#error("OUT_OF_RANGE"), next: from }
            : this.#page(device, from, count);
          if (from === next) this.heartbeats += 1;
          from = next;
          sent_ms = Date.now();
          controller.enqueue(this.#part(document));
          if (late) {
            this.#streams.delete(controller);
            controller.close();
          }
        }, interval_ms);
      },
      cancel: () => {
        this.#streams.delete(self);
        clearInterval(timer);
      },
    });
    return new Response(body, { headers: { "content-type": "multipart/x-mixed-replace;boundary=cut" } });
  }

  #part(document: string): Uint8Array {
    const bytes = Buffer.from(this.#print(document));
    const length = this.part_length(bytes.length + (this.counts_crlf ? 2 : 0));
    const said = length === undefined ? "" : `Content-length: ${length}\r\n`;
    return Buffer.concat([
      Buffer.from(`--cut\r\nContent-type: text/xml\r\n${said}\r\n`),
      bytes,
      Buffer.from("\r\n"),
    ]);
  }

  #page(device: string, from: number, count: number): { document: string; next: number } {
    const page = this.#buffer
      .filter((item) => item.sequence >= from && (device === "" || item.device === device))
      .slice(0, count);
    const next = page.length < count ? this.#next : (page.at(-1)?.sequence ?? 0) + 1;
    return { document: this.#streamsDocument(page, next), next };
  }

  /** Latest value of each item; of a condition every code active. */
  #current(device: string, at: number): string {
    const latest = new Map<string, Item>();
    for (const item of this.#all) {
      if (item.sequence > at || (device !== "" && item.device !== device)) continue;
      if (item.code === "")
        for (const key of latest.keys()) if (key.startsWith(`${item.id}/`)) latest.delete(key);
      if (item.code !== "") latest.delete(`${item.id}/`);
      if (item.code !== "" && item.value === "Normal") latest.delete(`${item.id}/${item.code}`);
      else latest.set(`${item.id}/${item.code}`, item);
    }
    return this.#streamsDocument([...latest.values()], this.#next);
  }

  #streamsDocument(items: Item[], next: number): string {
    const devices = [...new Set(items.map((item) => item.device))].map((device) => {
      // Grouped by component, not in the order of their sequence.
      const own = items.filter((item) => item.device === device).sort((a, b) => a.id.localeCompare(b.id));
      const uuid = { M1: "uuid-1", M2: "uuid-2" }[device] ?? "uuid-0";
      return `<DeviceStream name="${device}" uuid="${uuid}"><ComponentStream>${own.map((item) => (this.broken.has(item.sequence) ? BROKEN : element(item))).join("")}</ComponentStream></DeviceStream>`;
    });
    return `<MTConnectStreams>${this.#header(next)}<Streams>${devices.join("")}</Streams></MTConnectStreams>`;
  }

  #header(next = this.#next): string {
    const creation = new Date().toISOString().replace(/\.\d+/, "");
    return this.header(
      `<Header creationTime="${creation}" instanceId="${this.instance}" bufferSize="${this.capacity}" version="1.4" firstSequence="${this.#buffer[0]?.sequence ?? this.#next}" lastSequence="${this.#next - 1}" nextSequence="${next}"/>`,
    );
  }

  #error(code: string): string {
    const shapes = {
      "1.0": `<Error errorCode="${code}">no</Error>`,
      "1.4": `<Errors><Error errorCode="${code}">no</Error></Errors>`,
      "2.6": `<Errors><OutOfRange errorCode="${code}"><ErrorMessage>no</ErrorMessage></OutOfRange></Errors>`,
    };
    return `<MTConnectError>${this.#header()}${shapes[this.error_shape]}</MTConnectError>`;
  }
}

/** An observation nobody can read. */
const BROKEN = '<Events><Value dataItemId="m1-exec" sequence="1<</Value></Events>';

function element({ id, value, code, sequence, ts }: Item): string {
  const attributes = `dataItemId="${id}" sequence="${sequence}" timestamp="${ts}"`;
  if (!id.endsWith("-sys")) {
    const group = id.endsWith("-speed") ? "Samples" : "Events";
    return `<${group}><Value ${attributes}>${value}</Value></${group}>`;
  }
  const level = value === "UNAVAILABLE" ? "Unavailable" : value;
  return `<Condition><${level} ${attributes}${code === "" ? "" : ` nativeCode="${code}"`} type="SYSTEM"/></Condition>`;
}
