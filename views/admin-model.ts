// What the admin pages for machines, events set aside and health are given: plain data.
import type { TriedPoint } from "../ingest/sources/modbus/trial.ts";
import type { TriedDevice } from "../ingest/sources/mtconnect/trial.ts";
import type { SourceStatus } from "../ingest/sources/source.ts";
import type { Poison } from "../ingest/store/store.ts";
import type { FormState } from "./form.ts";
import type { MachineName, Shell } from "./model.ts";

export type SourceKind = "mtconnect" | "modbus" | "http";

/**
 * How a machine's source is doing; `error` "" where nothing is wrong, in the source's own words. `read_by`: which process
 * reads it, "" where there is only one.
 */
export type Contact = { state: SourceStatus["state"]; heard_ms: number; error: string; read_by: string };

/** `GET /admin/machines`. */
export type AdminMachinesProps = {
  shell: Shell;
  machines: readonly (MachineName & {
    group: string;
    kind: SourceKind;
    /** The agent's address or the module's; "" of HTTP. */
    address: string;
    contact: Contact;
    /** Made by the demo. */
    demo: boolean;
    /** The names of the shifts that hold now; "" where there is no calendar. */
    calendar: string;
    cycle_times: number;
  })[];
  /** `stopped`: its machines are there, its simulators are not. */
  demo: "none" | "running" | "stopped";
  done: MachinesDone | null;
};

export const MACHINES_DONE = ["added", "changed", "deleted", "demo_started", "demo_removed"] as const;
export type MachinesDone = (typeof MACHINES_DONE)[number];

/** What a try of a source told, with its error at the field that holds the address. */
export type Tried = { devices: readonly TriedDevice[] } | { points: readonly TriedPoint[] } | null;

/** `GET /admin/add/{kind}`, and the answer to its form: a trial, or what is wrong. */
export type AdminAddProps = {
  shell: Shell;
  kind: SourceKind;
  form: FormState;
  tried: Tried;
  /** Devices of the agent that are machines already, by the name in the machine's source. */
  taken: readonly string[];
  groups: readonly string[];
};

/** `GET /admin/machines/{id}`, and the answer to its form. */
export type AdminMachineProps = {
  shell: Shell;
  machine: MachineName;
  kind: SourceKind;
  demo: boolean;
  contact: Contact;
  form: FormState;
  tried: Tried;
  /** Signals that rules may be about, as far as they are known. */
  signals: readonly string[];
  groups: readonly string[];
  done: MachinesDone | null;
};

/** `GET /admin/events`. */
export type AdminEventsProps = {
  shell: Shell;
  /** The oldest ones; there are more where it is `full`. */
  events: readonly (Poison & { machine: string })[];
  full: boolean;
  /** The one that is looked at; `text` is its JSON, indented, or its bytes as they are, cut at the bound. */
  open: { position: number; text: string; cut: boolean } | null;
  done: { what: "retried" | "discarded"; count: number } | null;
};

/** A figure of health: fine, near its bound, or beyond it. */
export type Level = "good" | "near" | "bad";

/** `GET /admin/health`. What is not known here is null. */
export type AdminHealthProps = { shell: Shell; health: Health };

/** What the program stands on, and does in the background. */
export type PartName =
  | "store"
  | "analytics"
  | "kafka"
  | "relay"
  | "roll-up"
  | "sources"
  | "clock"
  | "redis"
  | "lake"
  | "disk";

export type Health = {
  state: "ready" | "degraded" | "not ready" | "stopping";
  parts: readonly {
    part: PartName;
    up: boolean;
    /** Why it is down, in its own words; "" while it is up. */
    error: string;
    since_ms: number;
    /** When it answered last; 0: never yet. */
    seen_ms: number;
  }[];
  version: string;
  started_ms: number;
  outbox: {
    level: Level;
    events: number;
    bytes: number;
    max_bytes: number;
    lag_s: number;
    /** Why analytics takes nothing; "" while it does. */
    error: string;
    /** When it was counted; 0: not yet. */
    seen_ms: number;
  };
  set_aside: number | null;
  rollup: {
    level: Level;
    age_s: number | null;
    /** Machines whose figures cannot be calculated, with the engine's words; they are tried again. */
    set_aside: readonly (MachineName & { error: string; since_ms: number; again_ms: number })[];
  };
  /** `full`: nothing is taken. */
  disk: { level: Level; full: boolean; data_bytes: number | null; free_bytes: number; total_bytes: number };
  memory: { level: Level; resident_bytes: number; total_bytes: number };
  /**
   * The embedded engine's process, how often it was started again, and what was damaged and set aside; null where analytics
   * is a server.
   */
  engine: { level: Level; restarts: number; set_aside: readonly string[] } | null;
  readers: { level: Level; open: number; max: number };
  sources: readonly {
    level: Level;
    name: string;
    machines: readonly MachineName[];
    state: SourceStatus["state"];
    since_ms: number;
    heard_ms: number;
    /** How often contact was lost in the last 24 h, and how long it was missing. */
    lost: { gaps: number; gap_s: number } | null;
    error: string;
    /** Which process reads it, "" where there is only one. */
    read_by: string;
  }[];
  /** Requests since the start by what became of them. */
  requests: { served: number; refused: number; failed: number };
  raw_retention_days: number;
  lake: { level: Level; days: number; last_success_ms: number; error: string } | null;
};
