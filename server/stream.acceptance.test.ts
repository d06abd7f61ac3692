// The live stream at the whole program (SPEC 12): SSE and WebSocket tell the same, to those who may know, and why they end.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { limit_ms, until } from "../.ci/limits.ts";
import { openStoreOf } from "./testing/kept.ts";
import { discard, metric, startServer, TEST_KEY, type TestServer, tempDir } from "./testing/server.ts";

const OTHER_KEY = "the-key-of-another-tenant";
let server: TestServer;
beforeAll(async () => {
  const data_dir = tempDir();
  await (await startServer({}, data_dir)).stop();
  const store = await openStoreOf(data_dir);
  const hash = new Bun.CryptoHasher("sha256").update(OTHER_KEY).digest("hex");
  await store.putKey({
    id: "other",
    tenant_id: "plant-2",
    name: "other",
    hash,
    scopes: ["admin"],
    created_ms: 1,
  });
  await store.close();
  server = await startServer({}, data_dir);
  await machine("mill-1");
});
afterAll(() => discard(server));

const as = (key: string) => ({ "x-api-key": key });
const machine = (id: string, key = TEST_KEY) =>
  server.call("POST", "/api/v1/machines", { id, name: id }, as(key));
const observe = async (
  id: string,
  value: number | string,
  signal = "load",
  key = TEST_KEY,
): Promise<void> => {
  const observations = [{ signal, ts: new Date().toISOString(), value }];
  const { status } = await server.call("POST", `/internal/machines/${id}/data`, { observations }, as(key));
  expect(status).toBe(202);
};

type Message = {
  event: string;
  id?: string;
  data: { machine_id?: string; machines?: unknown[]; reason?: string };
};
type Kind = "sse" | "websocket";

/** Readers of the test under way; none outlives it. */
let open: Reader[] = [];
afterEach(() => {
  for (const { socket } of open) socket.destroy();
  open = [];
});

/** A reader by hand, so that it can also not read. */
class Reader {
  readonly kind: Kind;
  readonly socket: Socket;
  #bytes = Buffer.alloc(0);

  constructor(kind: Kind, query = "", headers: Record<string, string> = as(TEST_KEY)) {
    this.kind = kind;
    open.push(this);
    this.socket = connect(Number(new URL(server.origin).port), "127.0.0.1");
    this.socket.on("data", (chunk: Buffer) => (this.#bytes = Buffer.concat([this.#bytes, chunk])));
    this.socket.on("error", () => {});
    const all: Record<string, string> = { Host: new URL(server.origin).host, ...headers };
    if (kind === "websocket") {
      Object.assign(all, {
        Connection: "Upgrade",
        Upgrade: "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      });
    }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    this.socket.write(`GET /api/v1/stream${query} HTTP/1.1\r\n${lines.join("")}\r\n`);
  }

  /** The status it was answered with. */
  status(): Promise<number> {
    return until(() => Number(/^HTTP\/1.1 (\d+)/.exec(this.#bytes.toString("latin1"))?.[1]) || undefined);
  }

  /** What a WebSocket's close frame says. */
  #close: { code: number; reason: string } | undefined;

  /** Why it ended: the last event, or the close frame. */
  async end(): Promise<{ code?: number; reason?: string | undefined }> {
    if (this.kind === "websocket") {
      await until(() => (this.messages() && this.#close) || undefined);
      return this.#close ?? {};
    }
    await until(() => this.#bytes.subarray(-7).toString() === "\r\n0\r\n\r\n" || undefined);
    const last = this.messages().at(-1);
    return last?.event === "dropped" ? { reason: last.data.reason } : {};
  }

  messages(): Message[] {
    const head = this.#bytes.indexOf("\r\n\r\n");
    if (head < 0) return [];
    const body = this.#bytes.subarray(head + 4);
    return this.kind === "sse" ? readEvents(unchunked(body)) : this.#frames(body);
  }

  /** The first message of this event whose data holds the text. */
  async next(event: string, text = ""): Promise<Message> {
    return until(() =>
      this.messages().find((one) => one.event === event && JSON.stringify(one.data).includes(text)),
    );
  }

  #frames(bytes: Buffer): Message[] {
    const messages: Message[] = [];
    for (let at = 0; at + 2 <= bytes.length; ) {
      const opcode = (bytes[at] as number) & 15;
      let length = (bytes[at + 1] as number) & 127;
      let start = at + 2;
      if (length === 126) [length, start] = [bytes.readUInt16BE(at + 2), at + 4];
      else if (length === 127) [length, start] = [Number(bytes.readBigUInt64BE(at + 2)), at + 10];
      if (start + length > bytes.length) break;
      const payload = bytes.subarray(start, start + length);
      if (opcode === 1) messages.push(JSON.parse(payload.toString()));
      if (opcode === 8)
        this.#close = { code: payload.readUInt16BE(0), reason: payload.subarray(2).toString() };
      at = start + length;
    }
    return messages;
  }
}

function unchunked(bytes: Buffer): string {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const line = bytes.indexOf("\r\n", at);
    const size = line < 0 ? 0 : Number.parseInt(bytes.subarray(at, line).toString(), 16);
    if (!size || line + 2 + size > bytes.length) return Buffer.concat(parts).toString();
    parts.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 4 + size;
  }
}

function readEvents(text: string): Message[] {
  return [...text.matchAll(/^(?:id: (.*)\n)?event: (.*)\ndata: (.*)\n\n/gm)].map(
    ([, id, event = "", data = ""]) => ({
      event,
      ...(id === undefined ? {} : { id }),
      data: JSON.parse(data),
    }),
  );
}

const readers = (): Promise<number> => metric(server, "mtc_live_readers");

test("SSE and WebSocket tell the same under the same ids, and both resume", async () => {
  const [sse, socket] = [new Reader("sse"), new Reader("websocket")];
  const before = await Promise.all([sse.next("snapshot"), socket.next("snapshot")]);
  expect(before.map(({ data }) => data.machines)).toEqual([
    expect.any(Array),
    before[0].data.machines as unknown[],
  ]);
  await observe("mill-1", 41);
  const [one, same] = await Promise.all([sse.next("delta", '"load"'), socket.next("delta", '"load"')]);
  expect(one).toEqual(same);
  expect(one).toMatchObject({
    data: { machine_id: "mill-1", signals: { load: { value: 41 } } },
  });
  const resumed = [
    new Reader("sse", "", { ...as(TEST_KEY), "Last-Event-ID": before[0].id ?? "" }),
    new Reader("sse", `?last_event_id=${before[0].id}`),
    new Reader("websocket", `?last_event_id=${before[0].id}`),
  ];
  for (const reader of resumed) {
    expect(await reader.next("delta", '"load"')).toEqual(one);
    expect(reader.messages().map(({ event }) => event)).not.toContain("snapshot");
  }
  // One that missed nothing is told nothing, until something happens.
  const upToDate = [
    new Reader("sse", `?last_event_id=${one.id}`),
    new Reader("websocket", `?last_event_id=${one.id}`),
  ];
  await Promise.all(upToDate.map((reader) => reader.status()));
  await observe("mill-1", 42);
  for (const reader of upToDate) {
    await reader.next("delta", '"value":42');
    expect(reader.messages()).toHaveLength(1);
  }
  const elsewhere = new Reader("websocket", "?last_event_id=another-7");
  await elsewhere.next("snapshot");
  for (const { socket: line } of [sse, socket, elsewhere, ...resumed, ...upToDate]) line.destroy();
  await until(async () => (await readers()) === 0 || undefined);
});

describe.each(["sse", "websocket"] as const)("%s", (kind) => {
  test("a machine made later appears, a deleted one tells so; invariant 10: neither to another tenant", async () => {
    const own = new Reader(kind);
    const other = new Reader(kind, "", as(OTHER_KEY));
    await Promise.all([own.next("snapshot"), other.next("snapshot")]);
    const [ours, theirs] = [`ours-${kind}`, `theirs-${kind}`];
    await machine(ours);
    await machine(theirs, OTHER_KEY);
    expect(await own.next("delta", ours)).toMatchObject({ data: { state: "UNKNOWN", signals: {} } });
    await observe(ours, 1);
    await observe(theirs, 2, "load", OTHER_KEY);
    await until(
      () => own.messages().some(({ data }) => JSON.stringify(data).includes('"load"')) || undefined,
    );
    await server.call("DELETE", `/api/v1/machines/${ours}`);
    await until(() => own.messages().find(({ data }) => "deleted" in data && data.machine_id === ours));
    await until(
      () => other.messages().some(({ data }) => JSON.stringify(data).includes('"load"')) || undefined,
    );
    expect(JSON.stringify(own.messages())).not.toContain(theirs);
    expect(JSON.stringify(other.messages())).not.toMatch(/ours|mill/);
    const foreign = new Reader(kind, `?machine=${theirs}`);
    expect(await foreign.status()).toBe(404);
    const chosen = new Reader(kind, "?machine=mill-1");
    expect((await chosen.next("snapshot")).data.machines).toMatchObject([{ machine_id: "mill-1" }]);
    for (const { socket } of [own, other, foreign, chosen]) socket.destroy();
  });

  test("no key is 401, a lacking scope 403, a deleted key ends the stream with a reason", async () => {
    const statusOf = async (headers: Record<string, string>): Promise<number> => {
      const reader = new Reader(kind, "", headers);
      const status = await reader.status();
      reader.socket.destroy();
      return status;
    };
    expect(await statusOf({})).toBe(401);
    expect(await statusOf({ Authorization: "Bearer nonsense" })).toBe(401);
    const key = async (scopes: string[]) =>
      (await server.call<{ key: string; id: string }>("POST", "/api/v1/keys", { name: "k", scopes })).body;
    expect(await statusOf(as((await key(["ingest"])).key))).toBe(403);
    const viewer = await key(["read"]);
    const reader = new Reader(kind, "", { Authorization: `Bearer ${viewer.key}` });
    await reader.next("snapshot");
    await server.call("DELETE", `/api/v1/keys/${viewer.id}`);
    expect((await reader.end()).reason).toContain("key");
  });

  test(
    "invariant 7: a reader that does not read is told why it was let go, behind what it missed",
    async () => {
      const reader = new Reader(kind, "?machine=mill-1");
      const idle = new Reader(kind, "?machine=mill-1");
      await Promise.all([reader.next("snapshot"), idle.next("snapshot")]);
      reader.socket.pause();
      idle.socket.pause();
      const signals = Array.from({ length: 500 }, (_, i) => `s${i}`);
      let n = 0;
      await until(async () => {
        const value = `${n++}`.padEnd(450, "x");
        const observations = signals.map((signal) => ({ signal, ts: new Date().toISOString(), value }));
        await server.call("POST", "/internal/machines/mill-1/data", { observations });
        return (await readers()) === 0 || undefined;
      });
      reader.socket.resume();
      const end = await reader.end();
      expect(end.reason).toContain("slowly");
      if (kind === "websocket") expect(end.code).toBe(1013);
      const messages = reader.messages();
      expect(messages.filter(({ event }) => event === "delta").length).toBeGreaterThan(1);
      // It comes back where it was.
      const last = messages.findLast(({ id }) => id !== undefined)?.id;
      const back = new Reader(kind, `?machine=mill-1&last_event_id=${last}`);
      expect(await back.status()).toBe(kind === "sse" ? 200 : 101);
      back.socket.destroy();
      // One that does not even read that is cut off.
      if (process.platform === "linux") await until(() => !held(idle) || undefined);
      idle.socket.destroy();
    },
    limit_ms(90),
  );
});

/** Does the server still hold its end of the reader's connection? */
function held(reader: Reader): boolean {
  const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, "0");
  const ours = hex(Number(new URL(server.origin).port));
  const row = new RegExp(`:${ours} 0100007F:${hex(reader.socket.localPort ?? 0)} 01 `);
  return row.test(readFileSync("/proc/net/tcp", "utf8"));
}

test(
  "invariant 7: a thousand readers and no more; gone, they leave nothing behind",
  async () => {
    const resident_bytes: number[] = [];
    // None has more than a tenth (SPEC 16.3).
    const keys = await Promise.all(
      Array.from({ length: 10 }, async (_, i) => {
        const asked = { name: `wall ${i}`, scopes: ["read"] };
        return (await server.call<{ key: string }>("POST", "/api/v1/keys", asked)).body.key;
      }),
    );
    for (let round = 0; round < 3; round++) {
      const crowd = Array.from(
        { length: 1_000 },
        (_, i) => new Reader(i % 2 ? "sse" : "websocket", "", as(keys[i % 10] ?? "")),
      );
      await until(async () => (await readers()) === 1_000 || undefined);
      for (const kind of ["sse", "websocket"] as const) {
        const late = new Reader(kind);
        expect(await late.status()).toBe(503);
        late.socket.destroy();
      }
      for (const { socket } of crowd) socket.destroy();
      await until(async () => (await readers()) === 0 || undefined);
      resident_bytes.push(await metric(server, "mtc_resident_memory_bytes"));
    }
    console.log(`resident after each thousand: ${resident_bytes.map((bytes) => bytes >> 20).join(", ")} MiB`);
    expect((resident_bytes[2] ?? 0) - (resident_bytes[0] ?? 0)).toBeLessThan(128 * 1024 * 1024);
  },
  limit_ms(120),
);

test("a session opens a WebSocket from MTC's own pages only", async () => {
  const form = new URLSearchParams({ key: TEST_KEY });
  const signedIn = await fetch(`${server.origin}/sign-in`, {
    method: "POST",
    body: form,
    redirect: "manual",
  });
  const cookie = signedIn.headers.get("set-cookie")?.split(";")[0] ?? "";
  const statusOf = async (headers: Record<string, string>): Promise<number> => {
    const reader = new Reader("websocket", "", { Cookie: cookie, ...headers });
    const status = await reader.status();
    reader.socket.destroy();
    return status;
  };
  expect(await statusOf({})).toBe(403);
  expect(await statusOf({ Origin: "https://elsewhere.example" })).toBe(403);
  expect(await statusOf({ Origin: server.origin, "Sec-Fetch-Site": "cross-site" })).toBe(403);
  expect(await statusOf({ Origin: server.origin })).toBe(101);
  expect(await statusOf({ Origin: server.origin, "Sec-Fetch-Site": "same-origin" })).toBe(101);
});

test("the server's stop ends streams with a reason, and waits for none", async () => {
  const all = [new Reader("sse"), new Reader("websocket")];
  await Promise.all(all.map((reader) => reader.next("snapshot")));
  expect(await server.stop()).toBe(0);
  for (const reader of all) expect((await reader.end()).reason).toBe("the server stops");
});
