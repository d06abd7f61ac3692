// The page's one live connection: keeps every machine's values, and knows when they are no longer live.
import { Backoff, type BackoffOptions } from "../../domain/lib/backoff.ts";
import type { LiveDelta, LiveHeartbeat, LiveMachine, LiveSnapshot } from "../../ingest/live/live.ts";
import { keepLastSeen, lastSeen } from "./last-seen.ts";

/** Heartbeats come every 5 s; after this long without any event the connection is taken for dead. */
const SILENCE_MS = 12_000;
/** How long a page may wait for its first event before it says that there is no connection. */
const FIRST_MS = 3_000;
const RETRY: BackoffOptions = { first_ms: 500, max_ms: 10_000 };

export type LiveHandlers = {
  /** The machines that changed; after a snapshot all of them, with `all` set. */
  changed: (machines: LiveMachine[], all: boolean) => void;
  /** Of a delta that this says no to the page is not told: its values are kept. Without it the page is told of all. */
  concerns?: ((delta: LiveDelta) => boolean) | undefined;
  /** The connection is back: what is shown is live. */
  live: () => void;
  /** The connection is gone; nothing newer than `heard_ms` (server's clock) is known. */
  lost: (heard_ms: number, signedOut: boolean) => void;
  /** The server's screens are another version than this page. */
  updated: () => void;
};

export type Live = {
  /** The server's clock, ms: ours may be wrong. */
  now_ms: () => number;
  /** When the server was heard last, ms of its clock. */
  heard_ms: () => number;
  machines: ReadonlyMap<string, LiveMachine>;
};

const { dataset } = document.documentElement;
/** The page comes from the service worker, as it was kept: nothing in it is live. */
export const isKept = dataset.kept !== undefined;
const here = location.pathname + location.search;
/** What was seen last is written down at most this often. */
const KEEP_MS = 5_000;
/** What a wall shows of a machine's signals. */
const SHOWN = /^(part_number$|program$|condition:|alarms:)/;

/** Whether a wall shows it: of two thousand deltas a second nearly all are of spindles and feeds, and of age, which the clock shows. */
export function isOnWall({ state, since_us, source, signals = {} }: LiveDelta): boolean {
  if (state !== undefined || since_us !== undefined || source !== undefined) return true;
  for (const signal in signals) if (SHOWN.test(signal)) return true;
  return false;
}

/**
 * Follows a stream (`/api/v1/stream?…`). EventSource reconnects by itself and resumes by Last-Event-ID;
 * where it gives up, or the line stays open but silent, we connect anew and get a fresh snapshot.
 */
export function follow(url: string, handlers: LiveHandlers): Live {
  const machines = new Map<string, LiveMachine>();
  let offset_ms = isKept ? 0 : Number(dataset.now) - Date.now();
  const now_ms = () => Date.now() + offset_ms;

  let source: EventSource | undefined;
  let isLive = false;
  let isSignedOut = false;
  let heard_ms = Number(dataset.now);
  let quietSince = performance.now() - SILENCE_MS + FIRST_MS;
  const backoff = new Backoff(RETRY);

  const heard = (server_ms?: number) => {
    if (server_ms !== undefined) offset_ms = server_ms - Date.now();
    quietSince = performance.now();
    heard_ms = now_ms();
    backoff.reset();
    if (isLive) return;
    isLive = true;
    isSignedOut = false;
    handlers.live();
  };
  const lose = () => {
    if (isLive) keep();
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
      keep();
    });
    opened.addEventListener("delta", (event) => {
      const delta = JSON.parse(event.data) as LiveDelta;
      heard();
      const known = machines.get(delta.machine_id);
      if (known && !delta.deleted) {
        const { signals, ...rest } = delta;
        Object.assign(known.signals, signals);
        Object.assign(known, rest);
        if (handlers.concerns?.(delta) ?? true) handlers.changed([known], false);
        return;
      }
      if (known) machines.delete(delta.machine_id);
      else if (isWhole(delta)) machines.set(delta.machine_id, delta);
      else return; // the next snapshot brings it
      handlers.changed([...machines.values()], true);
    });
    opened.addEventListener("heartbeat", (event) => {
      const heartbeat = JSON.parse(event.data) as LiveHeartbeat;
      heard(heartbeat.now_ms);
      if (heartbeat.version !== dataset.version) handlers.updated();
    });
    opened.addEventListener("error", () => {
      lose();
      if (opened.readyState === EventSource.CLOSED) void reconnect();
    });
  };

  const reconnect = async () => {
    source?.close();
    const retry_ms = backoff.next_ms();
    quietSince = performance.now() + retry_ms;
    await new Promise((resolve) => setTimeout(resolve, retry_ms));
    isSignedOut = await refused();
    if (isSignedOut) lose();
    connect();
  };

  setInterval(() => {
    if (performance.now() - quietSince < SILENCE_MS) return;
    lose();
    void reconnect();
  }, 1000);

  const user = dataset.user ?? "";
  let kept_ms = heard_ms;
  const keep = () => {
    if (machines.size === 0 || heard_ms === kept_ms) return;
    kept_ms = heard_ms;
    const seen = { page: here, user, heard_ms, offset_ms, machines: seenOf(machines) };
    // Where the browser keeps nothing (a private window) the page works as ever.
    keepLastSeen(seen).catch(() => {});
  };
  setInterval(keep, KEEP_MS);
  const recall = async () => {
    const seen = await lastSeen(here, user).catch(() => undefined);
    if (isLive) return;
    if (seen && seen.heard_ms > heard_ms) {
      ({ heard_ms, offset_ms } = seen);
      for (const machine of seen.machines) machines.set(machine.machine_id, machine);
      handlers.changed(seen.machines, false);
    }
    lose();
  };
  if (isKept) void recall();

  addEventListener("pagehide", () => {
    keep();
    source?.close();
  });
  addEventListener("pageshow", (event) => {
    if (event instanceof PageTransitionEvent && event.persisted) connect();
  });
  connect();
  return { now_ms, heard_ms: () => heard_ms, machines };
}

/** Of a single machine everything; of many what a wall shows. */
function seenOf(machines: ReadonlyMap<string, LiveMachine>): LiveMachine[] {
  const all = [...machines.values()];
  if (all.length === 1) return all;
  return all.map((machine) => {
    const shown = Object.entries(machine.signals).filter(([signal]) => SHOWN.test(signal));
    return { ...machine, signals: Object.fromEntries(shown) };
  });
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
