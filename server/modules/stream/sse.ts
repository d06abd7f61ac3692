// A live reader on server-sent events.
import { dropped, type Encode, type Line, type Message } from "./follow.ts";

/** How soon a browser comes back. */
const RETRY_MS = 1_000;

const encoder = new TextEncoder();
const frame = ({ event, id, data }: Message): string =>
  `${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`;
const encode: Encode<Uint8Array> = (messages) => {
  const body = encoder.encode(messages.map(frame).join(""));
  return { body, bytes: body.length };
};

/**
 * The answer that stays open.
 * @param start begins to tell the line what happens, and gives the way to stop
 * @param ended called when the last message was put on the line: from now on the reader may not linger
 */
export function eventStream(start: (line: Line<Uint8Array>) => () => void, ended: () => void): Response {
  let stop = (): void => {};
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        controller.enqueue(encoder.encode(`retry: ${RETRY_MS}\n\n`));
        stop = start({
          encode,
          behind_bytes: () => -(controller.desiredSize ?? 0),
          send: (bytes) => controller.enqueue(bytes),
          end(reason) {
            controller.enqueue(encode([dropped(reason)]).body);
            controller.close();
            ended();
          },
        });
      },
      cancel: () => stop(),
    },
    { highWaterMark: 0, size: (chunk) => chunk?.byteLength ?? 0 },
  );
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    },
  });
}
