// The endless answers: pages of the ring as parts of a stream, as the agent paces them, and the frame round each.
import type { Ring, Stored } from "./buffer.ts";
import { DIALECTS, type Dialect } from "./dialect.ts";

export type Filter = (item: number) => boolean;
export type Page = { observations: Stored[]; next: number; end_of_buffer: boolean };

/** Waits for the first observation that passes its filter. */
export type Observer = { filter: Filter; signaled: number; wake: () => void };

/** One document of a stream. 1.4 counts the line end after it in Content-length, 2.x does not. */
export type Part = { document: string; counts_line_end: boolean };

/** What a stream needs of its agent. */
export type Streaming = {
  readonly dialect: Dialect;
  readonly ring: Ring;
  readonly observers: Set<Observer>;
  /** Parts are cut in half from now on. */
  readonly tearing: boolean;
};

/** Renders a page, or says why the stream ends. */
export type Render = { page(page: Page): string; tooSlow(): string };

export type SampleRequest = {
  from: number;
  count: number;
  filter: Filter;
  interval: number;
  heartbeat: number;
};

/** The next observations that pass the filter, at most `count`. */
export function pageOf(ring: Ring, from: number, count: number, filter: Filter): Page {
  const observations: Stored[] = [];
  let next = from;
  for (; next < ring.next_sequence && observations.length < count; next++) {
    const observation = ring.get(next);
    if (observation && filter(observation.item)) observations.push(observation);
  }
  return { observations, next, end_of_buffer: next >= ring.next_sequence };
}

/**
 * The stream, as 1.4's streamData does it: pages back to back until the ring's end; there it waits for a first
 * observation that passes the filter (going on from that one) or for the heartbeat, and keeps to the interval.
 */
export async function* sampleParts(
  agent: Streaming,
  ask: SampleRequest,
  render: Render,
  gone: AbortSignal,
): AsyncGenerator<Part> {
  const { ring } = agent;
  const counts_line_end = agent.dialect === "1.4";
  let { from } = ask;
  while (!gone.aborted) {
    const begun = performance.now();
    if (from < ring.first_sequence) {
      // 2.x just ends; 1.4 says why, in a part whose Content-length leaves out the final line end.
      if (agent.dialect === "1.4") yield { document: render.tooSlow(), counts_line_end: false };
      return;
    }
    const page = pageOf(ring, from, ask.count, ask.filter);
    from = page.next;
    const observer: Observer = { filter: ask.filter, signaled: 0, wake: () => {} };
    if (page.end_of_buffer) agent.observers.add(observer);
    try {
      yield { document: render.page(page), counts_line_end };
      if (!page.end_of_buffer) continue;
      await wakened(observer, ask.heartbeat - (performance.now() - begun), gone, () => agent.tearing);
    } finally {
      agent.observers.delete(observer);
    }
    from = observer.signaled || ring.next_sequence;
    const early_ms = ask.interval - (performance.now() - begun);
    if (early_ms > 0) await Bun.sleep(early_ms);
  }
}

/** `/current` again and again. */
export async function* currentParts(
  agent: Streaming,
  interval: number,
  render: () => string,
): AsyncGenerator<Part> {
  for (;;) {
    yield { document: render(), counts_line_end: agent.dialect === "1.4" };
    await Bun.sleep(interval);
  }
}

/** The parts as an HTTP body without end. */
export function multipart(
  agent: Streaming,
  parts: AsyncGenerator<Part>,
  gone: AbortSignal,
  mime: string,
): { body: ReadableStream<Uint8Array>; content_type: string } {
  const boundary = crypto.randomUUID().replaceAll("-", "");
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const { value: part, done } = await parts.next();
      if (done || gone.aborted) return controller.close();
      const bytes = partBytes(boundary, part, mime);
      controller.enqueue(agent.tearing ? bytes.subarray(0, bytes.length >> 1) : bytes);
      if (agent.tearing) await aborted(gone);
    },
    cancel: async () => {
      await parts.return(undefined);
    },
  });
  return { body, content_type: `${DIALECTS[agent.dialect].multipart};boundary=${boundary}` };
}

const encoder = new TextEncoder();

/** Boundary, part headers, the document and the line end after it. */
function partBytes(boundary: string, { document, counts_line_end }: Part, mime: string): Uint8Array {
  const body = encoder.encode(document);
  const length = body.length + (counts_line_end ? 2 : 0);
  const head = encoder.encode(`--${boundary}\r\nContent-type: ${mime}\r\nContent-length: ${length}\r\n\r\n`);
  const bytes = new Uint8Array(head.length + body.length + 2);
  bytes.set(head);
  bytes.set(body, head.length);
  bytes.set([13, 10], head.length + body.length);
  return bytes;
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

/** Resolves when the observer was signaled, the time is over or the client has gone. */
function wakened(observer: Observer, wait_ms: number, gone: AbortSignal, now: () => boolean): Promise<void> {
  if (observer.signaled > 0 || gone.aborted || now()) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      gone.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, Math.max(0, wait_ms));
    gone.addEventListener("abort", done);
    observer.wake = done;
  });
}
