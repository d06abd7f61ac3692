// For tests: clients that take their time, or all of it: half a body, an answer that is read in drops, a line without a word.
import { connect, type Socket } from "node:net";
import { pace } from "../../.ci/limits.ts";

export type SlowClient = Socket & {
  bytes: number;
  /** The first characters that came. */
  heard: string;
  /** The answer's last chunk came, where it is sent in chunks. */
  end_seen: boolean;
  /** The connection is over. */
  ended: boolean;
  /** Between two reads; Infinity: nothing further is read. */
  pause_ms: number;
};

const HEARD_CHARACTERS = 2_000;

function open(port: number, pause_ms: number): SlowClient {
  const socket = Object.assign(connect(port, "127.0.0.1"), {
    bytes: 0,
    heard: "",
    end_seen: false,
    ended: false,
    pause_ms,
  });
  socket.on("data", (chunk) => {
    const text = chunk.toString("latin1");
    socket.bytes += chunk.length;
    if (socket.heard.length < HEARD_CHARACTERS) socket.heard += text;
    socket.end_seen ||= text.endsWith("0\r\n\r\n");
    if (socket.pause_ms === 0) return;
    socket.pause();
    if (socket.pause_ms < Infinity) void pace(socket.pause_ms).then(() => socket.resume());
  });
  socket.on("close", () => (socket.ended = true));
  socket.on("error", () => {});
  return socket;
}

/** Opens a connection and says nothing. */
export const sayNothing = (port: number): SlowClient => open(port, 0);

/** Asks, and pauses after each piece of the answer. */
export function readSlowly(port: number, path: string, key: string, pause_ms: number): SlowClient {
  const socket = open(port, pause_ms);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${key}\r\n\r\n`);
  return socket;
}

const HALF_BYTES = 5;

/** Posts a body's first bytes, and nothing of the rest. */
export function sendHalf(
  port: number,
  path: string,
  { type, body, key = "" }: { type: string; body: string; key?: string },
): SlowClient {
  const socket = open(port, 0);
  const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n`;
  socket.write(`${head}${key && `X-API-Key: ${key}\r\n`}\r\n${body.slice(0, HALF_BYTES)}`);
  return socket;
}
