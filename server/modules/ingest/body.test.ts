// Bodies against a server of their own: slow clients, clients that vanish, more at once than there is room for.
import { afterAll, beforeEach, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { until } from "../../../.ci/limits.ts";
import { problemResponse, toProblem } from "../../plugins/errors.ts";
import { BodyBudget, withBody } from "./body.ts";

const MAX_BYTES = 1 << 20;
const TIME_MS = 500;
let budget = new BodyBudget(MAX_BYTES);
/** What `use` waits for: an answer that takes its time. */
let busy: Promise<void> = Promise.resolve();
beforeEach(() => {
  budget = new BodyBudget(MAX_BYTES);
  busy = Promise.resolve();
});

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: (request) =>
    withBody(request, budget, (body) => busy.then(() => Response.json(body.length)), TIME_MS).catch(
      (error: unknown) => problemResponse(toProblem(error, console.error)),
    ),
});
afterAll(() => server.stop(true));

const send = (body: BodyInit, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(server.url, { method: "POST", body, headers });

/** A client by hand; `heard` is what it was answered. */
function client(head: string): Socket & { heard: string } {
  const socket = Object.assign(connect(server.port ?? 0, "127.0.0.1"), { heard: "" });
  socket.on("data", (chunk) => (socket.heard += chunk.toString()));
  socket.on("error", () => {});
  socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n`);
  return socket;
}

test.each([10, 200_000])("invariant 7: a body of %d bytes that comes drop by drop is 408", async (length) => {
  const socket = client(`Content-Length: ${length}`);
  const drops = setInterval(() => socket.write("x"), 100);
  await until(() => socket.heard.startsWith("HTTP/1.1 408") || undefined);
  clearInterval(drops);
  socket.destroy();
  await until(() => budget.held_bytes === 0 || undefined);
});

test("invariant 7: what was held for a client that vanished is given back", async () => {
  for (const length of [10, 200_000]) {
    const socket = client(`Content-Length: ${length}`);
    socket.write("x");
    await until(() => budget.held_bytes > 0 || undefined);
    socket.destroy();
    await until(() => budget.held_bytes === 0 || undefined);
  }
});

test("invariant 7: only what came is counted, not what was promised", async () => {
  const sockets = Array.from({ length: 20 }, () => client("Content-Length: 500000"));
  for (const socket of sockets) socket.write("x".repeat(1_000));
  await until(() => budget.held_bytes > 0 || undefined);
  expect((await send(new Uint8Array(300_000))).status).toBe(200);
  for (const socket of sockets) socket.destroy();
});

test("invariant 7: over the bound of all bodies 503 with Retry-After, and room again afterwards", async () => {
  const answer = Promise.withResolvers<void>();
  busy = answer.promise;
  const first = send(new Uint8Array(900_000));
  await until(() => budget.held_bytes === 900_000 || undefined);
  for (const body of [new Uint8Array(200_000), gzipSync(new Uint8Array(200_000))]) {
    const headers: Record<string, string> = body[0] === 0x1f ? { "content-encoding": "gzip" } : {};
    const refused = await send(body, headers);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
  }
  answer.resolve();
  expect((await first).status).toBe(200);
  expect(budget.held_bytes).toBe(0);
  expect((await send(new Uint8Array(200_000))).status).toBe(200);
});

test("a body is packed once, with gzip or zstd", async () => {
  const packed = gzipSync(new Uint8Array(1_000));
  for (const encoding of ["gzip", "x-gzip", "GZIP"]) {
    expect(await (await send(packed, { "content-encoding": encoding })).json()).toBe(1_000);
  }
  for (const encoding of ["gzip, gzip", "zstd, gzip", "br", "deflate", "identity, gzip", "nonsense"]) {
    const refused = await send(packed, { "content-encoding": encoding });
    expect([refused.status, refused.headers.get("accept-encoding")]).toEqual([415, "gzip, zstd"]);
  }
});
