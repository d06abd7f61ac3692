// What the admin pages for machines and events show, for the preview and the tests.
import { inputError } from "../../domain/problem.ts";
import type { TriedDevice } from "../../ingest/sources/mtconnect/trial.ts";
import type {
  AdminAddProps,
  AdminEventsProps,
  AdminHealthProps,
  AdminMachineProps,
  AdminMachinesProps,
} from "../admin-model.ts";
import { errorsByPath } from "../form.ts";
import { machineId, NOW_MS, shell } from "./plant.ts";

const streaming = { state: "streaming", heard_ms: NOW_MS - 2_000, error: "", read_by: "" } as const;
const lost = {
  state: "unreachable",
  heard_ms: NOW_MS - 600_000,
  error: "connect ECONNREFUSED",
  read_by: "collect-1/12",
} as const;

const lostAs = (name?: string) => ({ ...lost, error: name ?? lost.error, read_by: name ?? lost.read_by });

/** @param name stands for every name in it */
export const adminMachines = (name?: string): AdminMachinesProps => ({
  shell: shell({ set_aside: 3 }),
  machines: (["Mill 1", "Lathe 1", "Press 1"] as const).map((own, i) => ({
    machine_id: name ?? machineId(own),
    name: name ?? own,
    group: name ?? (i === 0 ? "hall 1" : ""),
    kind: (["mtconnect", "modbus", "http"] as const)[i] ?? "http",
    address: name ?? ["http://192.168.1.20:5000", "192.168.1.30:502/1", ""][i] ?? "",
    contact: i === 1 ? lostAs(name) : streaming,
    demo: i === 0,
    calendar: name ?? (i === 0 ? "early, late" : ""),
    cycle_times: i * 3,
  })),
  demo: "running",
  done: "added",
});

const device = (name?: string): TriedDevice => ({
  device: name ?? "vmc-7",
  uuid: name ?? "vmc-7",
  name: name ?? "VMC-7",
  manufacturer: name ?? "Okuma",
  model: name ?? "MB-4000H",
  data_items: 42,
  signals: [
    {
      signal: "execution",
      canonical: true,
      data_item: name ?? "exec",
      type: "EXECUTION",
      value: name ?? "ACTIVE",
    },
    { signal: name ?? "Xload", canonical: false, data_item: "xl", type: name ?? "LOAD", value: 12.5 },
    { signal: "Ycom", canonical: false, data_item: "yc", type: "POSITION", value: null },
  ],
  lacks: ["parts"],
});

/** An agent was tried, and nothing chosen of what it has. @param name stands for every name in it */
export const adminAddAgent = (name?: string): AdminAddProps => ({
  shell: shell({ set_aside: 0 }),
  kind: "mtconnect",
  form: {
    values: {
      "/source/url": [name ?? "http://192.168.1.20:5000"],
      "/machines/0/name": [name ?? "VMC-7"],
      "/machines/0/take": ["1"],
    },
    errors: errorsByPath([inputError("/machines/0/name", "too_short", { min: 1 })]),
  },
  tried: { devices: [device(name), { ...device(name), device: name ?? "vmc-8", lacks: [] }] },
  taken: [name ?? "vmc-8"],
  groups: [name ?? "hall 1"],
});

/** A module was tried. @param name stands for every name in it */
export const adminAddModule = (name?: string): AdminAddProps => ({
  shell: shell({ set_aside: 0 }),
  kind: "modbus",
  form: { values: { "/source/host": [name ?? "192.168.1.30"], "/wires/run": ["di1"] }, errors: {} },
  tried: {
    points: [
      { signal: name ?? "di0", value: 0 },
      { signal: "di1", value: 1 },
      { signal: "counter0", value: 123_456 },
      { signal: "counter1", value: null },
    ],
  },
  taken: [],
  groups: [name ?? "hall 1"],
});

/** What is sent over HTTP, or an agent that refused. @param name stands for every name in it */
export const adminAddFailed = (name?: string): AdminAddProps => ({
  ...adminAddAgent(name),
  form: {
    values: { "/source/url": [name ?? "http://192.168.1.20"] },
    errors: errorsByPath([
      inputError("/source/url", "trial_failed", { failure: "status", told: name ?? "HTTP 404" }),
    ]),
  },
  tried: null,
});

/** @param name stands for every name in it */
export const adminMachine = (name?: string): AdminMachineProps => ({
  shell: shell({ set_aside: 120 }),
  machine: { machine_id: name ?? machineId("Mill 1"), name: name ?? "Mill 1" },
  kind: "mtconnect",
  demo: false,
  contact: lostAs(name),
  form: {
    values: {
      "/name": [name ?? "Mill 1"],
      "/group": [name ?? "hall 1"],
      "/source/url": [name ?? "http://192.168.1.20:5000"],
      "/source/device": [name ?? "vmc-7"],
      "/rules/0/signal": [name ?? "di0"],
      "/rules/0/is": [name ?? "execution"],
      "/rules/0/words": [name ?? "0=READY, 1=ACTIVE"],
    },
    errors: {},
  },
  tried: { devices: [device(name)] },
  signals: [name ?? "di0"],
  groups: [name ?? "hall 1"],
  done: "changed",
});

/** @param name stands for every name in it */
export const adminEvents = (name?: string): AdminEventsProps => ({
  shell: shell({ set_aside: 2 }),
  events: [17, 23].map((position) => ({
    position,
    id: `01J${position}`,
    machine_id: name ?? "mill-1",
    machine: name ?? "Mill 1",
    type: "mtc.observations.v1",
    size_bytes: position * 1_000,
    error: name ?? "Code: 27. DB::Exception: Cannot parse input",
    time_ms: NOW_MS - 3_600_000,
  })),
  full: true,
  open: { position: 17, text: name ?? '{\n "specversion": "1.0"\n}', cut: true },
  done: { what: "retried", count: 1 },
});

/** Everything is near its bound, or beyond it. @param name stands for every name in it */
export const adminHealth = (name?: string): AdminHealthProps => ({
  shell: shell({ set_aside: 2 }),
  health: {
    state: "degraded",
    parts: [
      { part: "store", up: true, error: "", since_ms: 0, seen_ms: NOW_MS - 400 },
      {
        part: "analytics",
        up: false,
        error: name ?? "no answer within 0.5 s",
        since_ms: NOW_MS - 2_820_000,
        seen_ms: NOW_MS - 2_821_000,
      },
      { part: "roll-up", up: true, error: "", since_ms: 0, seen_ms: NOW_MS },
    ],
    version: "0.1.0",
    started_ms: NOW_MS - 90_000_000,
    outbox: {
      level: "bad",
      events: 12_345,
      bytes: 3_900_000_000,
      max_bytes: 4_294_967_296,
      lag_s: 720,
      error: name ?? "connect ECONNREFUSED",
      seen_ms: NOW_MS - 12_000,
    },
    set_aside: 2,
    rollup: {
      level: "bad",
      age_s: 400,
      set_aside: [
        {
          machine_id: name ?? "mill-2",
          name: name ?? "Mill 2",
          error: name ?? "Code: 457. DB::Exception: Value 333333.3 cannot be parsed as Int64",
          since_ms: NOW_MS - 3_600_000,
          again_ms: NOW_MS + 120_000,
        },
      ],
    },
    disk: {
      level: "near",
      full: true,
      data_bytes: 3_200_000_000,
      free_bytes: 9_000_000_000,
      total_bytes: 64_000_000_000,
    },
    memory: { level: "good", resident_bytes: 820_000_000, total_bytes: 24_000_000_000 },
    engine: {
      level: "good",
      restarts: 2,
      set_aside: [name ?? "2026-11-03T06-00-00-000Z/mtc.entries_in.sql"],
    },
    readers: { level: "good", open: 12, max: 1_000 },
    sources: [
      {
        level: "bad",
        name: name ?? "http://192.168.1.20:5000",
        machines: [{ machine_id: name ?? "mill-1", name: name ?? "Mill 1" }],
        state: "unreachable",
        since_ms: NOW_MS - 600_000,
        heard_ms: NOW_MS - 600_000,
        lost: { gaps: 3, gap_s: 1_260 },
        error: name ?? "connect ECONNREFUSED",
        read_by: name ?? "collect-1/12",
      },
      {
        level: "good",
        name: name ?? "modbus://192.168.1.30:502/1",
        machines: [{ machine_id: name ?? "press-1", name: name ?? "Press 1" }],
        state: "polling",
        since_ms: NOW_MS - 86_000_000,
        heard_ms: NOW_MS - 300,
        lost: { gaps: 0, gap_s: 0 },
        error: "",
        read_by: "",
      },
    ],
    requests: { served: 123_456, refused: 12, failed: 1 },
    raw_retention_days: 30,
    lake: { level: "near", days: 12, last_success_ms: NOW_MS - 200_000_000, error: name ?? "403" },
  },
});
