// What the plant's admin pages show, for the preview and the tests.
import { inputError } from "../../domain/problem.ts";
import { errorsByPath } from "../form.ts";
import type {
  AccountProps,
  AdminAccessProps,
  AdminCalendarProps,
  AdminCycleTimesProps,
  AdminPolicyProps,
  AdminReasonsProps,
  AdminReasonsUseProps,
} from "../model.ts";
import { machineId, NOW_MS, shell } from "./plant.ts";

const CREATED = "2025-11-20T08:00:00Z";

export const account = (): AccountProps => ({
  shell: shell(),
  kind: "user",
  role: "operator",
  form: { values: {}, errors: errorsByPath([inputError("/current", "wrong_password")]) },
  changed: false,
});

/** @param name stands for every name in it */
export const adminAccess = (name?: string): AdminAccessProps => ({
  shell: shell(),
  users: [
    { id: "u1", name: name ?? "anna", role: "admin", disabled: false, created: CREATED },
    { id: "u2", name: name ?? "boris", role: "operator", disabled: true, created: CREATED },
  ],
  keys: [{ id: "k1", name: name ?? "grafana", scopes: ["read", "ingest"], created: CREATED, used_ms: null }],
  forms: {
    user: {
      values: { "/user/name": [name ?? "anna"], "/user/role": ["operator"] },
      errors: errorsByPath([inputError("/user/name", "name_taken", { name: name ?? "anna" })]),
    },
  },
  done: "changed",
  new_key: { name: name ?? "wall", key: "mtc_0123456789" },
});

const mill = (name?: string) => ({ machine_id: name ?? machineId("Mill 1"), name: name ?? "Mill 1" });
const HOUR_MS = 3_600_000;

/** @param name stands for every name in it */
export function adminCalendar(name?: string): AdminCalendarProps {
  const midnight_ms = NOW_MS - (NOW_MS % (24 * HOUR_MS)) - HOUR_MS;
  const shift = name ?? "early";
  const from_ms = midnight_ms + 6 * HOUR_MS;
  const breaks = [{ from_ms: from_ms + 4 * HOUR_MS, to_ms: from_ms + 4.5 * HOUR_MS }];
  const shifts = [{ name: shift, from_ms, to_ms: from_ms + 8 * HOUR_MS, breaks }];
  return {
    shell: shell(),
    machine: mill(name),
    group: name ?? "hall 1",
    form: {
      values: {
        "/timezone": [name ?? "Europe/Berlin"],
        "/valid_from": [name ?? "2026-01-05"],
        "/shifts/0/name": [shift],
        "/shifts/0/start": ["06:00"],
        "/shifts/0/end": ["14:00"],
        "/shifts/0/days": ["mon", "tue"],
        "/shifts/0/breaks/0/start": [name ?? "10:00"],
        "/shifts/0/breaks/0/end": ["15:00"],
        "/exceptions/0/date": [name ?? "2026-01-06"],
        "/exceptions/0/shifts/0/name": [shift],
      },
      errors: errorsByPath([
        inputError("/shifts/0/breaks/0", "break_outside", {
          pause: "10:00–15:00",
          shift: name ?? "06:00–14:00",
        }),
        inputError("/exceptions/0/shifts/0/start", "required"),
        ...(name === undefined ? [] : [inputError("/timezone", "unknown_zone", { timezone: name })]),
      ]),
    },
    preview: {
      timezone: "Europe/Berlin",
      days: [
        { from_ms: midnight_ms, to_ms: midnight_ms + 24 * HOUR_MS, shifts, scheduled_s: 27_000 },
        {
          from_ms: midnight_ms + 24 * HOUR_MS,
          to_ms: midnight_ms + 48 * HOUR_MS,
          shifts: [],
          scheduled_s: 0,
        },
      ],
    },
    history: [
      {
        timezone: name ?? "Europe/Berlin",
        shifts: [{ name: shift, days: ["mon"], start: "06:00", end: "14:00" }],
      },
    ],
    saved: 3,
  };
}

/** @param name stands for every name in it */
export const adminCycleTimes = (name?: string): AdminCycleTimesProps => ({
  shell: shell(),
  machine: mill(name),
  group: name ?? "hall 1",
  form: {
    values: {
      "/rows/0/part": [name ?? "4711-A"],
      "/rows/0/valid_from": [name ?? "2026-01-01T00:00"],
      "/rows/0/seconds": [name ?? "0"],
      "/csv": [name ?? "4711-B;30"],
    },
    errors: errorsByPath([inputError("/rows/0/seconds", "number_over", { expected: "number", min: 0 })]),
  },
  as_text: name !== undefined,
  saved: null,
});

/** @param name stands for every name in it */
export const adminPolicy = (name?: string): AdminPolicyProps => ({
  shell: shell(),
  machine: mill(name),
  group: "",
  form: {
    values: {
      "/unknown": ["loss"],
      "/minor_stop_s": [name ?? "120"],
      "/target_percent": ["85"],
      "/reasons/0/code": [name ?? "cleaning"],
      "/reasons/0/treatment": ["excluded"],
    },
    errors: {},
  },
  tree: [{ code: name ?? "pause", name: name ?? "Pause" }],
  saved: 1,
});

/** @param name stands for every name in it */
export const adminReasons = (name?: string): AdminReasonsProps => ({
  shell: shell(),
  machines: [mill(name)],
  form: {
    values: {
      "/tree/0/code": [name ?? "spindle"],
      "/tree/0/name": [name ?? "Spindle"],
      "/tree/0/category": ["breakdown"],
      "/tree/1/code": [name === undefined ? "bearing" : `${name}2`],
      "/tree/1/name": [name ?? "Bearing"],
      "/tree/1/parent": [name ?? "spindle"],
      "/tree/1/automatic/0/condition": [name ?? "spindle_temperature"],
      "/tree/1/automatic/0/machines": [name ?? machineId("Mill 1"), name ?? "gone-1"],
    },
    errors: errorsByPath([inputError("/tree/1/code", "reason_twice", { reason: name ?? "bearing" })]),
  },
  saved: true,
});

export const noReasons = (): AdminReasonsProps => ({
  ...adminReasons(),
  form: { values: {}, errors: {} },
  saved: false,
});

/** @param name stands for every name in it */
export const adminReasonsUse = (name?: string): AdminReasonsUseProps => ({
  shell: shell(),
  rows: [{ code: "spindle", name: name ?? "4711", count: 12, seconds: 8_040 }],
});
