// A reader of the live stream: its snapshot and deltas, as a browser would get them.
import type { LiveDelta, LiveSnapshot } from "../../ingest/live/live.ts";
import { TEST_KEY, type TestServer } from "../../server/testing/server.ts";

export type LiveEvent = { event: "snapshot"; data: LiveSnapshot } | { event: "delta"; data: LiveDelta };

/** Follows the stream until `signal` ends it; heartbeats are passed over. */
export async function* liveEvents(server: TestServer, signal: AbortSignal): AsyncGenerator<LiveEvent> {
  const response = await fetch(`${server.origin}/api/v1/stream`, {
    headers: { "x-api-key": TEST_KEY },
    signal,
  });
  if (!response.ok || !response.body) throw new Error(`the stream was answered with ${response.status}`);
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const chunk of response.body) {
      text += decoder.decode(chunk, { stream: true });
      const frames = text.split("\n\n");
      text = frames.pop() ?? "";
      for (const frame of frames) {
        const event = /^event: (\w+)$/m.exec(frame)?.[1];
        if (event !== "snapshot" && event !== "delta") continue;
        yield { event, data: JSON.parse(frame.slice(frame.indexOf("\ndata: ") + 7)) } as LiveEvent;
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** The newest observation of any machine that the product knows of, µs. */
export async function newest_us(server: TestServer): Promise<number> {
  const ended = new AbortController();
  for await (const { event, data } of liveEvents(server, ended.signal)) {
    ended.abort();
    if (event !== "snapshot") break;
    return Math.max(
      ...data.machines.flatMap(({ signals }) => Object.values(signals).map(({ ts_us }) => ts_us)),
    );
  }
  throw new Error("the stream began without a snapshot");
}
