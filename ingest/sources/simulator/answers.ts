// What the agent answers: probe, current, sample and assets, in XML or JSON, and why not.
import type { Assets } from "./assets.ts";
import { errorStatus, formatFor } from "./dialect.ts";
import {
  assetsDocument,
  devicesDocument,
  errorDocument,
  type Fault,
  type Header,
  latestOf,
  type Row,
  streamsDocument,
} from "./documents.ts";
import { jsonDocument } from "./json.ts";
import type { DeviceModel } from "./model.ts";
import { compilePath } from "./path.ts";
import { integer, RequestError } from "./query.ts";
import {
  currentParts,
  type Filter,
  multipart,
  type Part,
  pageOf,
  type Streaming,
  sampleParts,
} from "./streaming.ts";

const COUNT = 100;
const HEARTBEAT_MS = 10_000;
const LARGEST = 2_147_483_647;

const COMMON_HEADERS = {
  Server: "MTConnectAgent",
  Expires: "-1",
  "Cache-Control": "private, max-age=0",
};

/** What of an agent its answers are made of. */
export type Answering = Streaming & {
  readonly devices: readonly DeviceModel[];
  readonly rows: Row[];
  readonly assets: Assets;
  readonly json_version: 1 | 2;
  header(): Header;
};

/** Answers one request; errors are answers too. */
export function answer(agent: Answering, request: Request): Response {
  return new Answer(agent, request).response();
}

class Answer {
  readonly #agent: Answering;
  readonly #request: Request;
  readonly #query: URLSearchParams;
  readonly #json: boolean;

  constructor(agent: Answering, request: Request) {
    this.#agent = agent;
    this.#request = request;
    this.#query = new URL(request.url).searchParams;
    this.#json = formatFor(agent.dialect, request.headers.get("accept")) === "json";
  }

  response(): Response {
    try {
      if (this.#request.method !== "GET")
        throw new RequestError("UNSUPPORTED", "Only the HTTP GET request is supported");
      return this.#route(new URL(this.#request.url).pathname);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      return this.#document(this.#error(error.fault), errorStatus(this.#agent.dialect, error.fault.code));
    }
  }

  #route(pathname: string): Response {
    const words = pathname.split("/").filter(Boolean).map(decodeURIComponent);
    const call = words.length === 0 ? "probe" : words.at(-1);
    const device = words.length === 2 ? words[0] : undefined;
    if (words[0] === "asset" || words[0] === "assets") return this.#assets(undefined, words.slice(1));
    if (words.length <= 2) {
      if (call === "probe") return this.#probe(device);
      if (call === "current") return this.#current(device);
      if (call === "sample") return this.#sample(device);
      if (call === "assets" || call === "asset") return this.#assets(device, []);
    }
    throw new RequestError("UNSUPPORTED", `The following path is invalid: ${pathname}`);
  }

  #deviceNamed(name: string): DeviceModel {
    const found = this.#agent.devices.find((device) => device.name === name || device.uuid === name);
    if (!found) throw new RequestError("NO_DEVICE", `Could not find the device '${name}'`);
    return found;
  }

  #probe(name: string | undefined): Response {
    const devices = name === undefined ? [...this.#agent.devices] : [this.#deviceNamed(name)];
    return this.#document(devicesDocument(this.#agent.header(), devices));
  }

  #assets(device: string | undefined, ids: string[]): Response {
    const { assets } = this.#agent;
    const wanted = ids.flatMap((id) => id.split(";")).filter(Boolean);
    const missing = wanted.filter((id) => assets.get(id) === undefined);
    if (missing.length > 0)
      throw new RequestError(
        "ASSET_NOT_FOUND",
        `Could not find asset: ${missing.join(";")}`,
        undefined,
        missing[0],
      );
    const named = device ?? this.#query.get("device") ?? undefined;
    const found =
      wanted.length > 0
        ? wanted.flatMap((id) => assets.get(id) ?? [])
        : assets.list({
            type: this.#query.get("type"),
            device_uuid: named === undefined ? undefined : this.#deviceNamed(named).uuid,
            removed: this.#query.get("removed") === "true",
            count: integer(this.#query, "count", 1, LARGEST),
          });
    return this.#document(assetsDocument(this.#agent.header(), found));
  }

  #current(device: string | undefined): Response {
    const filter = this.#filter(device);
    const { ring, rows } = this.#agent;
    const at = integer(this.#query, "at", ring.first_sequence, ring.next_sequence - 1);
    const interval = integer(this.#query, "interval", 0, LARGEST);
    if (at !== undefined && interval !== undefined)
      throw new RequestError(
        "INVALID_REQUEST",
        "You cannot specify both the at and frequency arguments to a current request",
      );
    const render = (): string => {
      const state = at === undefined ? ring.latest : ring.at(at);
      return this.#streams(latestOf(state, rows, filter), ring.next_sequence);
    };
    if (interval === undefined) return this.#document(render());
    return this.#multipart(currentParts(this.#agent, interval, () => this.#format(render())));
  }

  #sample(device: string | undefined): Response {
    const filter = this.#filter(device);
    const { ring } = this.#agent;
    const { first_sequence, next_sequence, size } = ring;
    const from = integer(this.#query, "from", first_sequence, next_sequence) ?? first_sequence;
    const count = integer(this.#query, "count", 1, size) ?? COUNT;
    const interval = integer(this.#query, "interval", 0, LARGEST);
    const heartbeat = integer(this.#query, "heartbeat", 10, 600_000) ?? HEARTBEAT_MS;
    if (interval === undefined) {
      const page = pageOf(ring, from, count, filter);
      return this.#document(this.#streams(page.observations, page.next));
    }
    const render = {
      page: (page: ReturnType<typeof pageOf>) => this.#format(this.#streams(page.observations, page.next)),
      tooSlow: () =>
        this.#format(
          this.#error({
            code: "OUT_OF_RANGE",
            message: "Client can't keep up with event stream, disconnecting",
          }),
        ),
    };
    const ask = { from, count, filter, interval, heartbeat };
    return this.#multipart(sampleParts(this.#agent, ask, render, this.#request.signal));
  }

  /** Which items the device in the URL and `path` choose; none at all is an error, as in the real agent. */
  #filter(device: string | undefined): Filter {
    const path = this.#query.get("path");
    if (device === undefined && path === null) return () => true;
    if (device !== undefined && this.#agent.dialect === "2.x") this.#deviceNamed(device);
    const wanted = path === null ? undefined : compilePath(path);
    const chosen = this.#agent.rows.map(
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

  #streams(observations: Parameters<typeof streamsDocument>[3], next: number): string {
    const { ring, rows } = this.#agent;
    const sequences = { first: ring.first_sequence, last: ring.next_sequence - 1, next };
    return streamsDocument(this.#agent.header(), sequences, rows, observations);
  }

  #error(fault: Fault): string {
    return errorDocument(this.#agent.header(), { ...fault, uri: this.#request.url });
  }

  #format(xml: string): string {
    return this.#json ? jsonDocument(xml, this.#agent.json_version, this.#agent.header().schema) : xml;
  }

  get #mime(): string {
    return this.#json ? "application/mtconnect+json" : "text/xml";
  }

  #document(xml: string, status = 200): Response {
    return new Response(this.#format(xml), {
      status,
      headers: { ...COMMON_HEADERS, "Content-Type": this.#mime },
    });
  }

  #multipart(parts: AsyncGenerator<Part>): Response {
    const { body, content_type } = multipart(this.#agent, parts, this.#request.signal, this.#mime);
    return new Response(body, { headers: { ...COMMON_HEADERS, "Content-Type": content_type } });
  }
}
