// The page's one live connection: keeps every machine's values, and knows when they are no longer live.
import type { LiveDelta, LiveHeartbeat, LiveMachine, LiveSnapshot } from "../../ingest/live/live.ts";

/** Heartbeats come every 5 s; after this long without any event the connection is taken for dead. */
const SILENCE_MS = 12_000;
/** How long a page may wait for its first event before it says that there is no connection. */
const FIRST_MS = 3_000;
const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 10_000;

export type LiveHandlers = {
  /** The machines that changed; after a snapshot all of them, with `all` set. */
  changed: (machines: LiveMachine[], all: boolean) => void;
  /** The connection is back: what is shown is live. */
  live: () => void;
  /** The connection is gone; nothing newer than `heard_ms` (server's clock) is known. */
  lost: (heard_ms: number, signedOut: boolean) => void;
};

export type Live = {
  /** The server's clock, ms: ours may be wrong. */
  now_ms: () => number;
  machines: ReadonlyMap<string, LiveMachine>;
};

/**
 * Follows a stream (`/api/v1/stream?…`). EventSource reconnects by itself and resumes by Last-Event-ID;
 * where it gives up, or the line stays open but silent, we connect anew and get a fresh snapshot.
 */
export function follow(url: string, handlers: LiveHandlers): Live {
  const machines = new Map<string, LiveMachine>();
  let offset_ms = Number(document.documentElement.dataset.now) - Date.now();
  const now_ms = () => Date.now() + offset_ms;

  let source: EventSource | undefined;
  let isLive = false;
  let isSignedOut = false;
  let heard_ms = now_ms();
  let quietSince = performance.now() - SILENCE_MS + FIRST_MS;
  let retry_ms = RETRY_FIRST_MS;

  const heard = (server_ms?: number) => {
    if (server_ms !== undefined) offset_ms = server_ms - Date.now();
    quietSince = performance.now();
    heard_ms = now_ms();
    retry_ms = RETRY_FIRST_MS;
    if (isLive) return;
    isLive = true;
    isSignedOut = false;
    handlers.live();
  };
  const lose = () => {
    isLive = false;
    handlers.lost(heard_ms, isSignedOut);
  };

  const connect = () => {
    source?.close();
    const opened = new EventSource(url);
    source = opened;
    opened.addEventListener("snapshot", (event) => {
      const snapshot = JSON.parse(event.data) as LiveSnapshot;
      machines.clear();
      for (const machine of snapshot.machines) machines.set(machine.machine_id, machine);
      heard(snapshot.now_ms);
      handlers.changed(snapshot.machines, true);
    });
    opened.addEventListener("delta", (event) => {
      const delta = JSON.parse(event.data) as LiveDelta;
      heard();
      const known = machines.get(delta.machine_id);
      if (known && !delta.deleted) {
        const { signals, ...rest } = delta;
        Object.assign(known.signals, signals);
        Object.assign(known, rest);
        return handlers.changed([known], false);
      }
      if (known) machines.delete(delta.machine_id);
      else if (isWhole(delta)) machines.set(delta.machine_id, delta);
      else return; // the next snapshot brings it
      handlers.changed([...machines.values()], true);
    });
    opened.addEventListener("heartbeat", (event) => heard((JSON.parse(event.data) as LiveHeartbeat).now_ms));
    opened.addEventListener("error", () => {
      lose();
      if (opened.readyState === EventSource.CLOSED) void reconnect();
    });
  };

  const reconnect = async () => {
    source?.close();
    quietSince = performance.now() + retry_ms;
    await new Promise((resolve) => setTimeout(resolve, retry_ms));
    retry_ms = Math.min(retry_ms * 2, RETRY_MAX_MS);
    isSignedOut = await refused();
    if (isSignedOut) lose();
    connect();
  };

  setInterval(() => {
    if (performance.now() - quietSince < SILENCE_MS) return;
    lose();
    void reconnect();
  }, 1000);
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => {
    if (event instanceof PageTransitionEvent && event.persisted) connect();
  });
  connect();
  return { now_ms, machines };
}

/** Of a machine that is new a delta says everything. */
const isWhole = (delta: LiveDelta): delta is LiveMachine =>
  !delta.deleted && delta.source !== undefined && delta.signals !== undefined && delta.state !== undefined;

/** EventSource does not tell why it was refused; a plain request does. */
async function refused(): Promise<boolean> {
  try {
    const response = await fetch("/api/v1/machines", { cache: "no-store" });
    return response.status === 401;
  } catch {
    return false;
  }
}
