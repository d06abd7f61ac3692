// A small plant for the preview and the tests: ten machines in a morning shift, each in a different spot.
import { figuresOver, SUM_NAMES, type Sums } from "../../domain/figures.ts";
import type { State } from "../../domain/state-rules.ts";
import type { LiveMachine, LiveValue } from "../../ingest/live/live.ts";
import type {
  Asked,
  DashboardBandsProps,
  DashboardFiltersProps,
  DashboardHeatProps,
  DashboardMachineProps,
  DashboardProps,
  ExplainProps,
  ExplainStateProps,
  GapRow,
  HmiEntryProps,
  HmiTile,
  LossRow,
  MachineOeeRow,
  OeeRow,
  Period,
  Policy,
  Shell,
  ShiftFigures,
  StateRow,
} from "../model.ts";
import { partsTarget } from "../target.ts";

const HOUR_MS = 3_600_000;

/** The fixture's clock: 10:42 in Berlin, in the early shift of 06:00–14:00. */
export const NOW_MS = Date.parse("2026-01-05T09:42:17Z");
export const SHIFT = { name: "Early", from: "2026-01-05T05:00:00Z", to: "2026-01-05T13:00:00Z" };

export const shell = (more: Partial<Shell> = {}): Shell => ({
  plant: "Plant Kirchheim",
  timezone: "Europe/Berlin",
  now_ms: NOW_MS,
  user: "admin",
  caller_id: "key-1",
  may: { operate: true, admin: true },
  language: "en",
  origin: "http://127.0.0.1:3000",
  ...more,
});

/** What the operator of Mill 3 may say. */
export const entry = (more: Partial<HmiEntryProps> = {}): HmiEntryProps => ({
  shell: shell(),
  machine_id: machineId("Mill 3"),
  stops: [
    { from: "2026-01-05T09:30:00Z", to: null, state: "DOWN", reason: "" },
    { from: "2026-01-05T08:10:00Z", to: "2026-01-05T08:22:00Z", state: "STOPPED", reason: "" },
  ],
  reasons: [
    { code: "tool", name: "Tool broken", group: "Repairs" },
    { code: "spindle", name: "Spindle", group: "Repairs" },
    { code: "material", name: "No material", group: "Logistics" },
    { code: "crane", name: "Waiting for the crane", group: "Logistics" },
    { code: "setup", name: "Setting up", group: "" },
    { code: "quality", name: "Measuring", group: "" },
    { code: "maintenance", name: "Overhaul", group: "" },
  ],
  counts_by_hand: false,
  lot: { lot: "L-2041-7", part: "GEHAEUSE-77", order: "A-1007", from: "2026-01-05T05:12:00Z" },
  lots: [
    { lot: "L-2041-7", part: "GEHAEUSE-77" },
    { lot: "L-2040-3", part: "GEHAEUSE-75" },
  ],
  parts: ["GEHAEUSE-77", "GEHAEUSE-75", "4720"],
  entered: [
    { kind: "reject", id: "1", ts: "2026-01-05T09:12:00.000000Z", what: "", count: 2 },
    { kind: "reason", id: "2", ts: "2026-01-05T07:00:00.000000Z", what: "Setting up" },
  ],
  ...more,
});

type Cast = { name: string; state: State; since_min: number; part: string; parts: number; cycle_s: number };

/** Mill 3 broke down, Mill 5 waits for its operator, Lathe 2 is being set up, Lathe 4's agent is away. */
const CAST: readonly Cast[] = [
  { name: "Mill 1", state: "RUNNING", since_min: 34, part: "4711-A", parts: 412, cycle_s: 30 },
  { name: "Mill 2", state: "RUNNING", since_min: 3, part: "4711-B", parts: 388, cycle_s: 30 },
  { name: "Mill 3", state: "DOWN", since_min: 12, part: "GEHAEUSE-77", parts: 96, cycle_s: 95 },
  { name: "Mill 4", state: "RUNNING", since_min: 71, part: "4720", parts: 203, cycle_s: 60 },
  { name: "Mill 5", state: "STOPPED", since_min: 2, part: "4720", parts: 187, cycle_s: 62 },
  { name: "Lathe 1", state: "RUNNING", since_min: 18, part: "W-1030", parts: 640, cycle_s: 19 },
  { name: "Lathe 2", state: "SETUP", since_min: 26, part: "W-1044", parts: 305, cycle_s: 22 },
  { name: "Lathe 3", state: "IDLE", since_min: 8, part: "W-1044", parts: 411, cycle_s: 22 },
  { name: "Lathe 4", state: "UNKNOWN", since_min: 5, part: "", parts: 288, cycle_s: 25 },
  { name: "Washer", state: "RUNNING", since_min: 95, part: "", parts: 1204, cycle_s: 8 },
];

export const machineId = (name: string): string =>
  `0c5f1a00-0000-4000-8000-${name.toLowerCase().replace(/\W/g, "").padStart(12, "0")}`;

const iso = (at_ms: number): string => new Date(at_ms).toISOString();

/** The plant's machines as the wall gets them, at `now_ms`; over ten the same ones again under other names. */
export const tiles = (now_ms = NOW_MS, machines = CAST.length): HmiTile[] =>
  castOf(machines).map((cast) => ({
    name: cast.name,
    live: liveOf(cast, now_ms),
    figures: figuresOf(cast, now_ms),
  }));

const castOf = (machines: number): Cast[] =>
  Array.from({ length: machines }, (_, i) => {
    const cast = CAST[i % CAST.length] as Cast;
    return i < CAST.length ? cast : { ...cast, name: `${cast.name} of row ${Math.floor(i / CAST.length)}` };
  });

function liveOf(cast: Cast, now_ms: number): LiveMachine {
  const since_us = (now_ms - cast.since_min * 60_000 - 11_000) * 1000;
  const value = (v: LiveValue["value"], at_us = since_us): LiveValue => ({ ts_us: at_us, value: v });
  const running = cast.state === "RUNNING";
  const signals: Record<string, LiveValue> = {
    availability: value(cast.state === "UNKNOWN" ? "UNAVAILABLE" : "AVAILABLE"),
    execution: value(running ? "ACTIVE" : cast.state === "UNKNOWN" ? "UNAVAILABLE" : "READY"),
    controller_mode: value(cast.state === "SETUP" ? "MANUAL" : "AUTOMATIC"),
    program: value(cast.part ? `O${cast.part.replace(/\D/g, "")}` : null),
    part_number: value(cast.part || null),
    part_count: value(cast.parts),
    spindle_speed: value(running ? 3200 : 0),
    feedrate: value(running ? 24.5 : 0),
    feedrate_override: value(100),
  };
  if (cast.state === "DOWN") {
    signals["condition:spindle_lubrication"] = value("FAULT");
    signals["alarms:spindle_lubrication"] = value(
      '[{"level":"FAULT","code":"2041","text":"Spindle lubrication pressure low"},' +
        '{"level":"WARNING","code":"2040","text":"Lubrication tank below minimum"}]',
    );
  }
  if (cast.name === "Mill 3") signals["condition:coolant_level"] = value("WARNING");
  return {
    machine_id: machineId(cast.name),
    state: cast.state,
    since_us,
    heard_ms: now_ms - (cast.state === "UNKNOWN" ? 5 * 60_000 : cast.name === "Lathe 3" ? 21_000 : 800),
    source: cast.state === "UNKNOWN" ? "unreachable" : cast.name === "Washer" ? "polling" : "streaming",
    signals,
  };
}

/** A repeatable sequence in 0…1. */
function* chance(seed: number): Generator<number> {
  for (let x = seed * 7919 + 17; ; ) yield (x = (x * 16_807) % 2_147_483_647) / 2_147_483_647;
}

/** States from `from_ms` to `to_ms`, ending in the machine's present state. */
function statesOf(cast: Cast, from_ms: number, to_ms: number): StateRow[] {
  const next = chance(CAST.indexOf(cast) + 3);
  const draw = () => next.next().value as number;
  const rows: StateRow[] = [];
  const push = (state: State, start: number, end: number) => {
    const [reason, cause] = WHY[state];
    rows.push({ state, from: iso(start), to: iso(end), seconds: (end - start) / 1000, reason, cause });
  };
  const last = to_ms - cast.since_min * 60_000 - 11_000;
  let at = from_ms;
  while (at < last) {
    const end = Math.min(last, at + (12 + draw() * 50) * 60_000);
    push("RUNNING", at, end);
    at = end;
    if (at >= last) break;
    const pick = draw();
    const state: State =
      pick < 0.12
        ? "DOWN"
        : pick < 0.45
          ? "STOPPED"
          : pick < 0.6
            ? "SETUP"
            : pick < 0.94
              ? "IDLE"
              : "UNKNOWN";
    const stopEnd = Math.min(last, at + (2 + draw() * 14) * 60_000);
    push(state, at, stopEnd);
    at = stopEnd;
  }
  push(cast.state, last, to_ms);
  return rows;
}

const WHY: Record<State, [reason: string | null, cause: string | null]> = {
  RUNNING: [null, null],
  DOWN: ["Spindle lubrication", "condition:spindle_lubrication FAULT"],
  STOPPED: [null, "execution FEED_HOLD"],
  SETUP: ["Change of part", "controller_mode MANUAL"],
  IDLE: [null, "execution READY"],
  UNKNOWN: [null, "unreachable"],
};

const gapsOf = (states: readonly StateRow[], to_ms: number): GapRow[] =>
  states
    .filter(({ state }) => state === "UNKNOWN")
    .map(({ from, to }) => ({
      from,
      to: Date.parse(to) === to_ms ? null : to,
      cause: "unreachable",
      detail: "connect ECONNREFUSED",
    }));

/** For figures that no screen looks at. */
const OF_NOTHING = figuresOver(Object.fromEntries(SUM_NAMES.map((name) => [name, 0])) as Sums);

/** A row as the SQL would give it for these states and parts. */
function rowOf(
  key: string,
  from_ms: number,
  to_ms: number,
  states: readonly StateRow[],
  parts: number,
  cycle_s: number,
): OeeRow {
  const seconds = (state: State) =>
    states.reduce((sum, row) => {
      if (row.state !== state) return sum;
      return (
        sum +
        Math.max(0, Math.min(to_ms, Date.parse(row.to)) - Math.max(from_ms, Date.parse(row.from))) / 1000
      );
    }, 0);
  const planned = (to_ms - from_ms) / 1000;
  const [run, unknown] = [seconds("RUNNING"), seconds("UNKNOWN")];
  const reject = Math.floor(parts * 0.017);
  const availability = planned > 0 ? run / planned : null;
  const performance = run > 0 ? (parts * cycle_s) / run : null;
  const quality = parts > 0 ? (parts - reject) / parts : null;
  const oee = planned > 0 ? ((parts - reject) * cycle_s) / planned : null;
  const [down, setup, ideal_s] = [seconds("DOWN"), seconds("SETUP"), parts * cycle_s];
  return {
    key,
    from: iso(from_ms),
    to: iso(to_ms),
    ...OF_NOTHING,
    calendar_time_s: planned,
    scheduled_time_s: planned,
    planned_time_s: planned,
    run_time_s: run,
    down_time_s: seconds("DOWN"),
    setup_time_s: seconds("SETUP"),
    stopped_time_s: seconds("STOPPED"),
    idle_time_s: seconds("IDLE"),
    unknown_time_s: unknown,
    total_count: parts,
    good_count: parts - reject,
    reject_count: reject,
    availability,
    performance,
    quality,
    oee,
    ooe: oee,
    teep: oee,
    utilisation: 1,
    coverage: planned > 0 ? 1 - unknown / planned : null,
    failure_count: 1,
    mtbf_s: run,
    mttr_s: down,
    stop_count: 4,
    minor_stop_count: 1,
    breakdown_loss_s: down,
    setup_loss_s: setup,
    minor_stop_loss_s: 0,
    other_stop_loss_s: seconds("STOPPED") + seconds("IDLE"),
    unknown_loss_s: unknown,
    speed_loss_s: run - ideal_s,
    startup_reject_loss_s: 0,
    reject_loss_s: reject * cycle_s,
    flags: [],
  };
}

const SHIFT_MS = Date.parse(SHIFT.from);

function figuresOf(cast: Cast, now_ms: number): ShiftFigures {
  const from_ms = now_ms - (NOW_MS - SHIFT_MS);
  const states = statesOf(cast, from_ms, now_ms);
  const run = states
    .filter(({ state }) => state === "RUNNING")
    .reduce((sum, { seconds }) => sum + seconds, 0);
  const parts = Math.floor((run * 0.93) / cast.cycle_s);
  const oee = rowOf(SHIFT.name, from_ms, now_ms, states, parts, cast.cycle_s);
  // Mills have a target, lathes have not; of the washer no ideal cycle is known.
  const target_oee = cast.name.startsWith("Mill") ? 0.7 : null;
  const isKnown = cast.name !== "Washer";
  return {
    machine_id: machineId(cast.name),
    shift: { name: SHIFT.name, from: iso(from_ms), to: iso(from_ms + 8 * HOUR_MS) },
    oee: isKnown ? oee : { ...oee, performance: null, oee: null, teep: null, flags: ["no_ideal_cycle"] },
    target: isKnown ? partsTarget(oee, { target_oee, ideal_cycle_s: cast.cycle_s }) : null,
    states,
    gaps: gapsOf(states, now_ms),
  };
}

export const POLICY: Policy = { unknown: "loss", reasons: { maintenance: "excluded" }, minor_stop_s: 5 };

export const period = (more: Partial<Period> = {}): Period => ({
  kind: "today",
  from: "2026-01-04T23:00:00.000Z",
  to: iso(NOW_MS),
  by: "hour",
  shift: "",
  previous: { from: "2025-12-28T23:00:00.000Z", to: iso(NOW_MS - 7 * 24 * HOUR_MS) },
  problem: null,
  ...more,
});

/** What a report was asked for, of the plant or, by its path, of a machine. */
export const asked = (more: Partial<Asked> = {}): Asked => ({
  path: "/dashboard",
  period: period(),
  only: { shift: undefined, part: undefined, lot: undefined, order: undefined },
  machines: [],
  group: undefined,
  pareto: "time",
  sort: "",
  ...more,
});

const REASONS = { maintenance: "Maintenance", tool: "Tool broken" };

/** Pareto's list of these stops; the tool broke, the rest has no reason. */
function lossesOf(states: readonly StateRow[]): LossRow[] {
  const KIND = {
    DOWN: "breakdown",
    SETUP: "setup",
    STOPPED: "other",
    IDLE: "other",
    UNKNOWN: "unknown",
  } as const;
  const found = (Object.keys(KIND) as (keyof typeof KIND)[]).flatMap(
    (state): Omit<LossRow, "share" | "share_of_count">[] => {
      const rows = states.filter((row) => row.state === state);
      const seconds = rows.reduce((sum, row) => sum + row.seconds, 0);
      const reason = state === "DOWN" ? "tool" : "";
      const cause = state === "UNKNOWN" ? "unreachable" : "";
      const line = { state, reason, cause, loss: KIND[state], excluded: false, seconds, count: rows.length };
      return rows.length > 0 ? [line] : [];
    },
  );
  const [all_s, all] = [
    found.reduce((sum, { seconds }) => sum + seconds, 0),
    found.reduce((sum, { count }) => sum + count, 0),
  ];
  const excluded: LossRow = {
    state: "IDLE",
    reason: "maintenance",
    cause: "",
    loss: "",
    excluded: true,
    seconds: 600,
    count: 1,
    share: 0,
    share_of_count: 0,
  };
  const shared = found.map((row) => ({
    ...row,
    share: row.seconds / all_s,
    share_of_count: row.count / all,
  }));
  return [...shared.sort((a, b) => b.seconds - a.seconds), excluded];
}

/** A week before all went a little better. */
const betterBefore = (row: OeeRow): OeeRow => ({
  ...row,
  oee: (row.oee ?? 0) + 0.032,
  availability: (row.availability ?? 0) + 0.05,
  performance: (row.performance ?? 0) - 0.01,
});

/** Rows added up: sums first, ratios of the sums; one ideal cycle stands for all. */
function sum(key: string, from_ms: number, to_ms: number, rows: readonly OeeRow[]): OeeRow {
  const total = { ...rowOf(key, from_ms, to_ms, [], 0, 1), flags: [] as string[] };
  const add = (name: keyof OeeRow) => rows.reduce((all, row) => all + ((row[name] as number | null) ?? 0), 0);
  for (const name of [
    "calendar_time_s",
    "scheduled_time_s",
    "planned_time_s",
    "run_time_s",
    "down_time_s",
    "setup_time_s",
    "stopped_time_s",
    "idle_time_s",
    "unknown_time_s",
    "total_count",
    "good_count",
    "reject_count",
    "failure_count",
    "stop_count",
    "minor_stop_count",
    "breakdown_loss_s",
    "setup_loss_s",
    "other_stop_loss_s",
    "unknown_loss_s",
    "speed_loss_s",
    "reject_loss_s",
  ] as const)
    total[name] = add(name);
  const weigh = (ratio: (row: OeeRow) => number) => rows.reduce((all, row) => all + ratio(row), 0);
  const ideal = weigh((row) => (row.performance ?? 0) * row.run_time_s);
  const idealGood = weigh((row) => (row.oee ?? 0) * row.planned_time_s);
  const over = (a: number, b: number) => (b > 0 ? a / b : null);
  total.availability = over(total.run_time_s, total.planned_time_s);
  total.performance = over(ideal, total.run_time_s);
  total.quality = over(total.good_count ?? 0, total.total_count ?? 0);
  total.oee = total.teep = over(idealGood, total.planned_time_s);
  total.coverage = total.scheduled_time_s > 0 ? 1 - total.unknown_time_s / total.scheduled_time_s : null;
  return total;
}

/** `cast` from 06:00 to now by hour; before the shift there is nothing to know. */
function hours(cast: Cast): OeeRow[] {
  const states = statesOf(cast, SHIFT_MS, NOW_MS);
  const midnight = Date.parse(period().from);
  const rows: OeeRow[] = [];
  for (let from = midnight; from < NOW_MS; from += HOUR_MS) {
    const to = Math.min(from + HOUR_MS, NOW_MS);
    const run = states.reduce((all, row) => {
      if (row.state !== "RUNNING") return all;
      return (
        all + Math.max(0, Math.min(to, Date.parse(row.to)) - Math.max(from, Date.parse(row.from))) / 1000
      );
    }, 0);
    const row = rowOf(iso(from), from, to, states, Math.floor((run * 0.93) / cast.cycle_s), cast.cycle_s);
    rows.push(
      from < SHIFT_MS
        ? {
            ...row,
            planned_time_s: 0,
            scheduled_time_s: 0,
            availability: null,
            performance: null,
            quality: null,
            oee: null,
            teep: 0,
            coverage: null,
          }
        : row,
    );
  }
  return rows;
}

const groupOf = ({ name }: Cast): string => name.replace(/ \d$/, "s");

export function dashboard(more: Partial<DashboardProps> = {}): DashboardProps {
  const [from_ms, to_ms] = [Date.parse(period().from), NOW_MS];
  const machines: MachineOeeRow[] = CAST.map((cast) => ({
    ...sum(cast.name, from_ms, to_ms, hours(cast)),
    machine_id: machineId(cast.name),
    name: cast.name,
    group: groupOf(cast),
  }));
  const byHour = CAST.map(hours);
  const rows = (byHour[0] ?? []).map((row, i) =>
    sum(
      row.key,
      Date.parse(row.from),
      Date.parse(row.to),
      byHour.map((all) => all[i] as OeeRow),
    ),
  );
  const total = sum("total", from_ms, to_ms, machines);
  const byGroup = Map.groupBy(machines, ({ group }) => group);
  return {
    shell: shell(),
    asked: asked(),
    total,
    before: betterBefore(total),
    target: 0.7,
    rows,
    machines,
    groups: [...byGroup].map(([key, own]) => sum(key, from_ms, to_ms, own)),
    without: [],
    losses: lossesOf(CAST.flatMap((cast) => statesOf(cast, SHIFT_MS, NOW_MS))),
    reasons: REASONS,
    policy: POLICY,
    ...more,
  };
}

export function dashboardMachine(
  name = "Mill 3",
  more: Partial<DashboardMachineProps> = {},
): DashboardMachineProps {
  const cast = CAST.find((candidate) => candidate.name === name) ?? (CAST[0] as Cast);
  const rows = hours(cast);
  const states = statesOf(cast, SHIFT_MS, NOW_MS);
  const total = sum("total", Date.parse(period().from), NOW_MS, rows);
  return {
    shell: shell(),
    asked: asked({ path: `/dashboard/${machineId(cast.name)}` }),
    machine: { machine_id: machineId(cast.name), name: cast.name, group: groupOf(cast) },
    total,
    before: betterBefore(total),
    target: null,
    rows,
    losses: lossesOf(states),
    reasons: REASONS,
    states,
    states_from: period().from,
    gaps: gapsOf(states, NOW_MS),
    policy: POLICY,
    ...more,
  };
}

export const dashboardFilters = (): DashboardFiltersProps => ({
  shell: shell(),
  asked: asked({ only: { shift: "Early", part: "", lot: undefined, order: undefined } }),
  filters: {
    shifts: ["Early", ""],
    parts: ["4711-A", "4720"],
    lots: ["L-17", ""],
    orders: [""],
    truncated: true,
  },
  machines: CAST.map(({ name }) => ({ machine_id: machineId(name), name })),
  groups: [...new Set(CAST.map(groupOf))],
});

/** A week of hours, each day as this one. */
export function dashboardHeat(): DashboardHeatProps {
  const { rows, asked: of } = dashboard();
  const days = [6, 5, 4, 3, 2, 1, 0].flatMap((ago) =>
    rows.map((row) => {
      const [from, to] = [row.from, row.to].map((time) => iso(Date.parse(time) - ago * 24 * HOUR_MS));
      return { ...row, from: from as string, to: to as string, key: from as string };
    }),
  );
  return { shell: shell(), asked: of, from: days[0]?.from ?? "", to: of.period.to, rows: days };
}

export const dashboardBands = (): DashboardBandsProps => ({
  shell: shell(),
  asked: asked(),
  from: period().from,
  to: period().to,
  machines: CAST.map((cast) => {
    const states = statesOf(cast, SHIFT_MS, NOW_MS);
    return { machine_id: machineId(cast.name), name: cast.name, states, gaps: gapsOf(states, NOW_MS) };
  }),
  more: 2,
});

/** A figure of one machine explained, from the numbers of its report. */
export function explained(name = "Mill 3", more: Partial<ExplainProps> = {}): ExplainProps {
  const { machine, total, states, gaps, asked: of } = dashboardMachine(name);
  const over = of.period;
  if (!total) throw new Error("no total");
  const planned_s = total.planned_time_s;
  const good_s = (total.oee ?? 0) * planned_s;
  const row = {
    ...total,
    total_count: total.total_count ?? 0,
    good_count: total.good_count ?? 0,
    reject_count: total.reject_count ?? 0,
    flags: [],
  };
  const countsAs = (state: StateRow["state"]) => (state === "RUNNING" ? "run" : "other");
  return {
    shell: shell(),
    window: { from: over.from, to: over.to },
    only: of.only,
    of: { machines: [], group: undefined },
    machine,
    explained: {
      figure: "oee",
      name: "OEE",
      value: total.oee,
      unit: "ratio",
      formula: {
        text: "ideal time of good parts ÷ planned time",
        source: "ISO 22400-2",
        terms: [
          { name: "ideal time of good parts", value: good_s, unit: "s", from: "ideal cycle × good" },
          { name: "planned time", value: planned_s, unit: "s", from: "scheduled, not excluded" },
        ],
      },
      policy: POLICY,
      row,
      sums: [...new Set(states.map(({ state }) => state))].map((state) => ({
        state,
        reason: "",
        cause: "",
        counts_as: countsAs(state),
        scheduled_s: 3_600,
        seconds: 3_600,
        total_count: 12,
        reject_count: 1,
      })),
      machines: [],
      from: over.from,
      to: over.to,
      by: "total",
      key: "",
      flags: ["counter_reset"],
    },
    machines: [],
    listed: {
      intervals: states.map(({ state, from, to, seconds, reason, cause }) => ({
        state,
        from,
        to,
        seconds,
        reason: reason ?? "",
        cause: cause ?? "",
        shift: "2026-01-05 Early",
        scheduled: true,
        excluded: false,
        loss: countsAs(state) === "run" ? "" : "other",
        counts_as: countsAs(state),
        failures: 0,
        stops: 0,
      })),
      counts: [
        {
          ts: over.from,
          total: 12,
          reject: 1,
          part: "4711",
          lot: "",
          order: "",
          state: "RUNNING",
          ideal_cycle_s: 95,
          spike: false,
          reset: true,
        },
      ],
      truncated: true,
    },
    gaps,
    calendars: [
      {
        timezone: "Europe/Berlin",
        shifts: [{ name: "Early", days: ["mon", "tue"], start: "06:00", end: "14:00" }],
      },
    ],
    links: {
      json: "/api/v1/machines/x/explain?figure=oee",
      csv: "/api/v1/machines/x/explain?figure=oee&format=csv",
      observations: [{ signal: "execution", href: "/api/v1/machines/x/observations?signal=execution" }],
    },
    ...more,
  };
}

/** The plant's, with each machine's part. */
export function explainedPlant(): ExplainProps {
  const one = explained();
  const machines = CAST.map(({ name }) => {
    const { machine, explained: of } = explained(name);
    const { value, formula } = of;
    return {
      machine_id: machine?.machine_id ?? "",
      name,
      value,
      terms: formula.terms,
      share: 1 / CAST.length,
    };
  });
  return { ...one, machine: null, machines, listed: { intervals: [], counts: [], truncated: false } };
}

export function explainedState(name = "Mill 3", more: Partial<ExplainStateProps> = {}): ExplainStateProps {
  const { machine, states, gaps } = dashboardMachine(name);
  const row = states.find(({ state }) => state === "STOPPED") ?? (states[0] as StateRow);
  const ts = row.from;
  return {
    shell: shell(),
    machine,
    state: {
      at: row.from,
      state: row.state,
      rule: 6,
      rule_id: "stopped",
      cause: "",
      reason: "tool",
      reason_from: "operator",
      shift: "Early",
      scheduled: true,
      part: "4711",
      lot: "",
      from: row.from,
      to: row.to,
      values: [{ signal: "execution", value: "STOPPED", ts, seq: 71 }],
      gaps,
    },
    to: row.to,
    signal: "execution",
    signals: ["execution", "part_count"],
    observations: [{ signal: "execution", ts, seq: 71, value: "STOPPED" }],
    truncated: false,
    links: { json: "/api/v1/machines/x/explain/state?at=x", observations: "/api/v1/machines/x/observations" },
    ...more,
  };
}
