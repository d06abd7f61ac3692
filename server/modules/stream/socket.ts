// A live reader on a WebSocket: each message is one text frame, `{"event", "id"?, "data"}`.
import type { ServerWebSocket } from "bun";
import type { Encode, Line, Message } from "./follow.ts";

/** "Try again later" (IANA's registry of close codes). */
const TRY_AGAIN_LATER = 1013;
/** A reader that was told to go and does not even read that is cut off. */
const LINGER_MS = 10_000;

const frame = ({ event, id, data }: Message): string =>
  `{"event":"${event}",${id === undefined ? "" : `"id":"${id}",`}"data":${data}}`;
const encode: Encode<string[]> = (messages) => {
  const body = messages.map(frame);
  return { body, bytes: body.reduce((sum, text) => sum + text.length, 0) };
};

/** The socket as a line; what the reader may send is not listened to. */
export function socketLine(socket: ServerWebSocket<unknown>): Line<string[]> {
  return {
    encode,
    behind_bytes: () => socket.getBufferedAmount(),
    send(texts) {
      socket.cork(() => {
        for (const text of texts) socket.sendText(text);
      });
    },
    end(reason) {
      socket.close(TRY_AGAIN_LATER, reason);
      setTimeout(() => socket.terminate(), LINGER_MS).unref();
    },
  };
}
