// The way to an agent: many at once, nothing read far ahead, nothing lost that came before the connection broke.
import { afterEach, expect, test } from "bun:test";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { until } from "../../../.ci/limits.ts";
import { ContactError, DEFAULT_PATIENCE, Exchange } from "./exchange.ts";

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.stop();
});

/** A server on a raw socket; `answer` is called once for each request. */
async function serve(answer: (socket: Socket, head: string) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("data", (head) => answer(socket, head.toString()));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  running.push({
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const open = (url: string, stop = new AbortController().signal): Promise<Exchange> =>
  Exchange.open(url, DEFAULT_PATIENCE, stop);
const bodyOf = async (url: string): Promise<string> => {
  const exchange = await open(url);
  const { bytes } = await exchange.body();
  exchange.close();
  return new TextDecoder().decode(bytes);
};
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "no failure",
    (error) => error,
  );

test("more streams at once than fetch serves: 400 agents are heard", async () => {
  const host = await serve((socket) =>
    socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
  );
  const heard = await Promise.all(
    Array.from({ length: 400 }, async () => {
      const exchange = await open(`http://${host}/`);
      const { value } = await exchange.chunks().next();
      return { exchange, value };
    }),
  );
  expect(heard.every(({ value }) => new TextDecoder().decode(value as Uint8Array) === "hello")).toBe(true);
  for (const { exchange } of heard) exchange.close();
});

test("what came before the connection broke is given out, however late it is asked for", async () => {
  let is_closed = false;
  const host = await serve((socket) => {
    socket.on("close", () => (is_closed = true));
    socket.end("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nwor");
  });
  const exchange = await open(`http://${host}/`);
  await until(() => is_closed);
  let text = "";
  const read = async (): Promise<void> => {
    for await (const chunk of exchange.chunks()) text += new TextDecoder().decode(chunk);
  };
  expect(await failure(read())).toBeInstanceOf(ContactError);
  expect(text).toBe("hellowor");
});

test("invariant 7: a consumer that waits stops the reading", async () => {
  const written_bytes: Record<string, number> = {};
  const host = await serve((socket, head) => {
    const path = /^GET (\S+)/.exec(head)?.[1] ?? "";
    const chunk = Buffer.alloc(64 * 1024, "a");
    const more = (): void => {
      while (socket.writable) {
        written_bytes[path] = (written_bytes[path] ?? 0) + chunk.length;
        if (!socket.write(chunk)) return;
      }
    };
    socket.on("drain", more);
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 900000000\r\n\r\n");
    more();
  });
  const exchange = await open(`http://${host}/waiting`);
  await exchange.chunks().next();
  /** Reads 100 MB of another answer: as much would have come of the one that waits. */
  const readBeside = async (path: string): Promise<void> => {
    const beside = await open(`http://${host}${path}`);
    let bytes = 0;
    for await (const chunk of beside.chunks()) if ((bytes += chunk.length) > 100e6) break;
    beside.close();
  };
  await readBeside("/first");
  const before_bytes = written_bytes["/waiting"] ?? 0;
  expect(before_bytes).toBeLessThan(40e6);
  await readBeside("/second");
  expect(written_bytes["/waiting"]).toBe(before_bytes);
  exchange.close();
});

test("lengths told, chunked, or by the end of the connection; too short an answer is none", async () => {
  const answers = {
    "/length": "HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\n<a/>",
    "/close": "HTTP/1.0 200 OK\r\n\r\n<a/>",
    "/chunked": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n<a/>\r\n0\r\n\r\n",
    "/short": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<a/>",
    "/torn": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n<a/>\r\n",
    "/garbage": "no HTTP at all\r\n\r\n",
    "/nothing": "",
  };
  const host = await serve((socket, head) => {
    const path = /^GET (\S+)/.exec(head)?.[1] as keyof typeof answers;
    socket.end(answers[path]);
  });
  for (const path of ["length", "close", "chunked"])
    expect(await bodyOf(`http://${host}/${path}`)).toBe("<a/>");
  for (const path of ["short", "torn", "garbage", "nothing"])
    expect(await failure(bodyOf(`http://${host}/${path}`))).toBeInstanceOf(ContactError);
});

test("a redirect is not followed; credentials of the address are sent; a stop ends the waiting", async () => {
  const heads: string[] = [];
  const host = await serve((socket, head) => {
    heads.push(head);
    if (head.includes("/silent")) return;
    socket.end("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
  });
  const exchange = await open(`http://user:pa%20ss@${host}/`);
  expect(exchange.refusal).toBe("HTTP 302");
  exchange.close();
  expect(heads[0]).toContain(`Basic ${btoa("user:pa ss")}`);
  expect(heads[0]?.toLowerCase()).toContain("accept: application/xml, ");
  const stop = new AbortController();
  const waiting = failure(open(`http://${host}/silent`, stop.signal));
  await until(() => heads.some((head) => head.includes("/silent")));
  stop.abort();
  expect(await waiting).toBeInstanceOf(ContactError);
  expect(await failure(open(`http://${host}/`, stop.signal))).toBeInstanceOf(ContactError);
  expect(await failure(open("http://127.0.0.1:1/"))).toBeInstanceOf(ContactError);
});
