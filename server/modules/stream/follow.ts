// What a live reader is told, whatever line it is on: a snapshot or what it missed, deltas, heartbeats, why it ends.
import type { LiveHub } from "../../../ingest/live/hub.ts";
import type { LiveDropped, LiveHeartbeat } from "../../../ingest/live/live.ts";
import type { Numbered } from "../../../ingest/live/recent.ts";
import { VERSION } from "../../../views/index.ts";

const HEARTBEAT_MS = 5_000;
/** A reader this far behind its first message is let go; it comes back with its last id (invariant 7). */
const MAX_BEHIND_BYTES = 1024 * 1024;

/** Snapshots of one moment are one. */
const SNAPSHOT_MS = 100;

/** `data` is JSON; `id` is what a reader comes back with. */
export type Message = { event: "snapshot" | "delta" | "heartbeat" | "dropped"; id?: string; data: string };

/** Messages as one line takes them, and how many bytes they are. */
export type Encoded<T> = { body: T; bytes: number };
export type Encode<T> = (messages: readonly Message[]) => Encoded<T>;

/** Whose machines a reader sees; equal keys see the same. */
export type Audience = {
  key: string;
  sees(delta: Numbered): boolean;
  machineIds(): Iterable<string>;
  /** The id of the key or user. */
  owner: string;
  /** False once the reader's key holds no more. */
  admitted(): boolean;
};

export type Line<T> = {
  encode: Encode<T>;
  /** What was sent and has not left yet. */
  behind_bytes(): number;
  send(body: T): void;
  /** Ends the line; the reason is the last that is put on it, however far behind the reader is. */
  end(reason: string): void;
};

export const dropped = (reason: string): Message => ({
  event: "dropped",
  data: JSON.stringify({ reason } satisfies LiveDropped),
});
const heartbeat = (): Message => ({
  event: "heartbeat",
  data: JSON.stringify({ now_ms: Date.now(), version: VERSION } satisfies LiveHeartbeat),
});
const delta = ({ id, json }: Numbered): Message => ({ event: "delta", id, data: json });

/**
 * Tells the line what happens until it ends.
 * @param last the id of the last message the reader saw, if it was here before
 * @returns the way to stop, for a reader that went by itself
 */
export function follow<T>(
  hub: LiveHub,
  audience: Audience,
  last: string | undefined,
  line: Line<T>,
): () => void {
  let open = true;
  const stop = (): void => {
    open = false;
    clearInterval(beat);
    unwatch();
  };
  const end = (reason: string): void => {
    if (!open) return;
    stop();
    line.end(reason);
  };
  const missed = last === undefined ? undefined : missedSince(last, hub, audience);
  const first = missed ? line.encode(missed.map(delta)) : snapshot(hub, audience, line.encode);
  const max_behind_bytes = first.bytes + MAX_BEHIND_BYTES;
  const put = (encoded: Encoded<T> | undefined): void => {
    if (!open || !encoded?.bytes) return;
    if (line.behind_bytes() + encoded.bytes > max_behind_bytes) {
      end("you read too slowly; come back with the id of the last message");
    } else line.send(encoded.body);
  };
  const beat = setInterval(() => {
    if (!audience.admitted()) end("the API key holds no more");
    put(line.encode([heartbeat()]));
  }, HEARTBEAT_MS);
  const unwatch = hub.watch({
    tick: (tick) => put(news(tick, audience, line.encode)),
    end,
    owner: audience.owner,
  });
  put(first);
  return stop;
}

/** Undefined where that is no longer known, or more than a snapshot is worth. */
function missedSince(last: string, hub: LiveHub, audience: Audience): Numbered[] | undefined {
  const missed = hub.since(last)?.filter(audience.sees);
  const size = missed?.reduce((sum, { json }) => sum + json.length, 0) ?? 0;
  return size <= MAX_BEHIND_BYTES ? missed : undefined;
}

/** The last moment a snapshot was made. */
let moment = { id: "", made_ms: 0 };

/** After a hiccup of the network a thousand readers come back at once, and what they see is the same. */
function snapshot<T>(hub: LiveHub, audience: Audience, encode: Encode<T>): Encoded<T> {
  const now_ms = Date.now();
  const id = hub.lastId;
  // What changed since then leaves with the next tick, under a later id.
  if (moment.id !== id || now_ms - moment.made_ms > SNAPSHOT_MS) moment = { id, made_ms: now_ms };
  return shared(moment, audience, encode, () => {
    const data = JSON.stringify(hub.snapshot(audience.machineIds()));
    return encode([{ event: "snapshot", id, data }]);
  });
}

/** A tick as one audience sees it; undefined where that is nothing. */
const news = <T>(tick: readonly Numbered[], audience: Audience, encode: Encode<T>): Encoded<T> | undefined =>
  shared(tick, audience, encode, () => {
    const seen = tick.filter(audience.sees);
    return seen.length === 0 ? undefined : encode(seen.map(delta));
  });

/** By what is told, then by way of encoding and audience. */
const made = new WeakMap<object, Map<unknown, Map<string, unknown>>>();

/** Made once for all who see the same of it on the same kind of line. */
function shared<R>(what: object, audience: Audience, encode: unknown, make: () => R): R {
  const by_encode = made.getOrInsertComputed(what, () => new Map());
  const by_audience = by_encode.getOrInsertComputed(encode, () => new Map());
  return by_audience.getOrInsertComputed(audience.key, make) as R;
}
