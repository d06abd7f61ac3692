// For tests: a small agent over real HTTP that can be made to restart, fall silent, forget and refuse.

type Item = { device: string; id: string; value: string; code: string; sequence: number; ts: string };

const DEVICES: Record<string, string> = {
  M1: `<Device id="m1" name="M1" uuid="uuid-1"><DataItems><DataItem id="m1-avail" category="EVENT" type="AVAILABILITY"/>
    <DataItem id="m1-sys" category="CONDITION" type="SYSTEM"/></DataItems><Components><Path id="p1"><DataItems>
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
      fetch: (request) => this.#answer(new URL(request.url)),
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

  #begin(): void {
    this.#buffer = [];
    this.#all = [];
    this.#next = 1;
    for (const id of ITEMS) this.add(id, "UNAVAILABLE");
  }

  #answer(url: URL): Response {
    const [, first = "", second] = url.pathname.split("/");
    const device = second === undefined ? "" : first;
    this.requests.push(url.pathname + url.search);
    const what = second ?? first;
    const number = (name: string): number | undefined => {
      const text = url.searchParams.get(name);
      return text === null ? undefined : Number(text);
    };
    if (what === "probe")
      return xml(
        `<MTConnectDevices>${this.#header()}<Devices>${AGENT}${Object.values(DEVICES).join("")}</Devices></MTConnectDevices>`,
      );
    const first_sequence = this.#buffer[0]?.sequence ?? this.#next;
    const from = number("from") ?? first_sequence;
    const at = number("at") ?? first_sequence;
    if (from < first_sequence || from > this.#next || at < first_sequence || at >= this.#next)
      return xml(this.#error("OUT_OF_RANGE"));
    if (what === "current") return xml(this.#current(device, number("at") ?? this.#next));
    const count = number("count") ?? 100;
    if (count > this.capacity) return xml(this.#error("OUT_OF_RANGE"));
    const interval_ms = number("interval");
    if (interval_ms === undefined) return xml(this.#page(device, from, count).document);
    if (this.refuses_interval) return xml(this.#error("INVALID_REQUEST"));
    return this.#stream(device, from, count, interval_ms, number("heartbeat") ?? 10_000);
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
    const bytes = Buffer.from(document);
    const length = bytes.length + (this.counts_crlf ? 2 : 0);
    return Buffer.concat([
      Buffer.from(`--cut\r\nContent-type: text/xml\r\nContent-length: ${length}\r\n\r\n`),
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
      return `<DeviceStream name="${device}" uuid="${uuid}"><ComponentStream>${own.map(element).join("")}</ComponentStream></DeviceStream>`;
    });
    return `<MTConnectStreams>${this.#header(next)}<Streams>${devices.join("")}</Streams></MTConnectStreams>`;
  }

  #header(next = this.#next): string {
    const creation = new Date().toISOString().replace(/\.\d+/, "");
    return `<Header creationTime="${creation}" instanceId="${this.instance}" bufferSize="${this.capacity}" version="1.4" firstSequence="${this.#buffer[0]?.sequence ?? this.#next}" lastSequence="${this.#next - 1}" nextSequence="${next}"/>`;
  }

  #error(code: string): string {
    return `<MTConnectError>${this.#header()}<Errors><Error errorCode="${code}">no</Error></Errors></MTConnectError>`;
  }
}

const xml = (text: string): Response => new Response(text, { headers: { "content-type": "text/xml" } });

function element({ id, value, code, sequence, ts }: Item): string {
  const attributes = `dataItemId="${id}" sequence="${sequence}" timestamp="${ts}"`;
  if (!id.endsWith("-sys")) {
    const group = id.endsWith("-speed") ? "Samples" : "Events";
    return `<${group}><Value ${attributes}>${value}</Value></${group}>`;
  }
  const level = value === "UNAVAILABLE" ? "Unavailable" : value;
  return `<Condition><${level} ${attributes}${code === "" ? "" : ` nativeCode="${code}"`} type="SYSTEM"/></Condition>`;
}
