// The figures once more, from their definitions (SPEC 6 to 10), in plain TypeScript over plain arrays: no SQL, no sweep.
// Time is cut at every instant at which anything may change, and each piece is looked at on its own.
import type { Calendar, Plant, Seen, Shift } from "./plant.ts";

export type Span = { from_us: number; to_us: number; as_of_us: number };
export type Piece = {
  from_us: number;
  to_us: number;
  state: string;
  cause: string;
  reason: string;
  reason_from: "operator" | "condition" | "";
  excluded: boolean;
  scheduled: boolean;
  /** In a shift, breaks and all; or there is no calendar. */
  in_shift: boolean;
  shift: Occurrence | undefined;
  local_day: string;
  /** The full hour of the plant's clock before it, by the offset in force. */
  hour_us: number;
  /** Set by `marked`: a stop shorter than the policy's minor stop, and what starts with the piece. */
  minor?: boolean;
  failure?: boolean;
  stop?: boolean;
};
export type Occurrence = {
  day: string;
  name: string;
  from_us: number;
  to_us: number;
  breaks: [number, number][];
};
export type Counted = {
  ts_us: number;
  total: number;
  reject: number;
  spike: boolean;
  reset: boolean;
  part: string;
  lot: string;
  order: string;
  ideal_us: number;
  state: string;
};

const DAY_US = 86_400_000_000;
const text = (value: Seen["value"]): string => (value === null ? "" : String(value));
/** What two values of one time and sequence are ordered by: text, of alarms that of their native codes. */
function tie({ signal, value }: Seen): Buffer {
  const isList = signal.startsWith("alarms:") && text(value).startsWith("[");
  const codes = isList ? (JSON.parse(text(value)) as { code: string }[]).map(({ code }) => code) : [];
  return Buffer.from(isList ? `\n${codes.join("\n")}\n` : text(value));
}
const later = (a: Seen, b: Seen): number =>
  a.ts_us - b.ts_us || a.seq - b.seq || Buffer.compare(tie(a), tie(b));
const kindOf = (signal: string): string => signal.split(":")[0] ?? "";

/** The window until now; time ahead has not happened. */
export const endOf = ({ from_us, to_us, as_of_us }: Span): number =>
  Math.max(from_us, Math.min(to_us, as_of_us));

function stateAt(plant: Plant, t: number, end_us: number): { state: string; cause: string } {
  const latest = new Map<string, Seen>();
  for (const seen of plant.seen) {
    if (seen.ts_us > t) continue;
    const known = latest.get(seen.signal);
    if (!known || later(known, seen) <= 0) latest.set(seen.signal, seen);
  }
  // A signal whose value is empty tells nothing.
  const words = (kind: string) =>
    [...latest.values()]
      .filter(({ signal, value }) => kindOf(signal) === kind && text(value) !== "")
      .map(({ value }) => text(value));
  const is = (state: string, cause = "") => ({ state, cause });

  const causes = ["unreachable", "sequence_gap", "agent_restart", "torn_record", "overload", "clock_jump"];
  const open = (plant.gaps ?? []).filter(
    (gap) => gap.from_us <= t && t < (gap.to_us === 0 ? end_us : gap.to_us),
  );
  const [cause] = open.map((gap) => gap.cause).sort((a, b) => causes.indexOf(a) - causes.indexOf(b));
  if (cause) return is("UNKNOWN", cause);

  const execution = words("execution");
  const paths = execution.filter((word) => word !== "UNAVAILABLE");
  if (words("availability").includes("UNAVAILABLE")) return is("UNKNOWN", "unavailable");
  if (execution.length > 0 && paths.length === 0) return is("UNKNOWN", "unavailable");
  if (words("emergency_stop").includes("TRIGGERED")) return is("DOWN");
  if (paths.includes("ACTIVE")) {
    const manual = ["MANUAL", "MANUAL_DATA_INPUT", "EDIT"];
    return is(words("controller_mode").some((mode) => manual.includes(mode)) ? "SETUP" : "RUNNING");
  }
  if (words("condition").includes("FAULT")) return is("DOWN");
  const setup = ["SETUP", "TEARDOWN", "MAINTENANCE", "PROCESS_DEVELOPMENT"];
  if (words("functional_mode").some((mode) => setup.includes(mode))) return is("SETUP");
  if (paths.some((word) => word !== "READY" && word !== "PROGRAM_COMPLETED")) return is("STOPPED");
  return paths.length > 0 ? is("IDLE") : is("UNKNOWN", "no_data");
}

/** The calendar that holds at t: the one said last of those that are valid by then. */
function calendarAt(plant: Plant, t: number): Calendar | undefined {
  const valid = (plant.calendars ?? []).filter(({ valid_from_us }) => valid_from_us <= t);
  return valid.at(-1)?.calendar ?? plant.calendar;
}

/** A plant's shifts round the window: each of the calendar that holds when it starts, until the next one starts. */
export function shiftsOf(plant: Plant, span: Span): Occurrence[] {
  const all = [plant.calendar, ...(plant.calendars ?? []).map(({ calendar }) => calendar)];
  const found = [...new Set(all)].flatMap((calendar) =>
    calendar
      ? occurrences(calendar, span).filter(({ from_us }) => calendarAt(plant, from_us) === calendar)
      : [],
  );
  found.sort((a, b) => a.from_us - b.from_us);
  return found.map((one, i) => ({ ...one, to_us: Math.min(one.to_us, found[i + 1]?.from_us ?? one.to_us) }));
}

/** Shifts round the window by Temporal itself, not by the compiled calendar. */
function occurrences(calendar: Calendar, { from_us, to_us }: Span): Occurrence[] {
  const zone = calendar.timezone;
  const instant = (us: number) => Temporal.Instant.fromEpochMilliseconds(Math.floor(us / 1_000));
  let day = instant(from_us).toZonedDateTimeISO(zone).toPlainDate().subtract({ days: 2 });
  const last = instant(to_us).toZonedDateTimeISO(zone).toPlainDate().add({ days: 1 });
  const found: Occurrence[] = [];
  const at = (date: Temporal.PlainDate, time: string): number =>
    date.toPlainDateTime(Temporal.PlainTime.from(time)).toZonedDateTime(zone).epochMilliseconds * 1_000;
  while (Temporal.PlainDate.compare(day, last) <= 0) {
    const date = day;
    const exception = calendar.exceptions.find((one) => one.date === date.toString());
    const name = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][date.dayOfWeek - 1] ?? "";
    const shifts: Shift[] = exception?.shifts ?? calendar.shifts.filter(({ days }) => days.includes(name));
    for (const shift of shifts) {
      const onDay = (time: string, floor: string) => at(time < floor ? date.add({ days: 1 }) : date, time);
      const from = at(date, shift.start);
      const to = at(shift.end <= shift.start ? date.add({ days: 1 }) : date, shift.end);
      const breaks = shift.breaks.map(({ start, end }): [number, number] => [
        onDay(start, shift.start),
        onDay(end, shift.start),
      ]);
      if (from < to) found.push({ day: date.toString(), name: shift.name, from_us: from, to_us: to, breaks });
    }
    day = day.add({ days: 1 });
  }
  return found.sort((a, b) => a.from_us - b.from_us);
}

/** Annotations as they hold, the newest version of each, in the order in which those were said. */
function annotations(plant: Plant) {
  const said = plant.downtime ?? [];
  const newest = said.filter((one, i) => !one.id || !said.slice(i + 1).some(({ id }) => id === one.id));
  return newest.filter(({ deleted }) => !deleted);
}

/** The reason that conditions give by themselves: of the first rule that holds. */
function automaticAt(plant: Plant, t: number): string {
  const latest = (signal: string): string => {
    const seen = plant.seen.filter((one) => one.signal === signal && one.ts_us <= t).sort(later);
    return text(seen.at(-1)?.value ?? "");
  };
  const signals = [...new Set(plant.seen.map(({ signal }) => signal))];
  const holds = ({ condition, native }: { condition: string; native: string }): boolean =>
    signals.some((signal) => {
      const [kind, item] = signal.split(":");
      if (condition !== "" && item !== condition) return false;
      if (native === "") return kind === "condition" && latest(signal) === "FAULT";
      if (kind !== "alarms" || !latest(signal).startsWith("[")) return false;
      return (JSON.parse(latest(signal)) as { code: string }[]).some(({ code }) => code === native);
    });
  return (plant.rules ?? []).find(holds)?.code ?? "";
}

/** The window in pieces within which nothing changes. */
export function pieces(plant: Plant, span: Span): Piece[] {
  const end_us = endOf(span);
  const shifts = shiftsOf(plant, span);
  const cuts = new Set<number>([span.from_us, end_us]);
  for (const { ts_us } of plant.seen) cuts.add(ts_us);
  for (const { from_us, to_us } of [...(plant.gaps ?? []), ...(plant.downtime ?? [])])
    cuts.add(from_us).add(to_us);
  for (const { from_us, to_us = 0 } of plant.lots ?? []) cuts.add(from_us).add(to_us);
  for (const { valid_from_us } of plant.calendars ?? []) cuts.add(valid_from_us);
  for (const { from_us, to_us, breaks } of shifts) {
    cuts.add(from_us).add(to_us);
    for (const [a, b] of breaks) cuts.add(a).add(b);
  }
  // Quarter hours hold every full hour and midnight of every zone used.
  for (let t = Math.floor(span.from_us / DAY_US) * DAY_US; t < end_us; t += 900_000_000) cuts.add(t);
  const sorted = [...cuts].filter((t) => t >= span.from_us && t <= end_us).sort((a, b) => a - b);

  return sorted.slice(0, -1).map((from_us, i) => {
    const { state, cause } = stateAt(plant, from_us, end_us);
    const covering = annotations(plant).filter((one) => one.from_us <= from_us && from_us < one.to_us);
    const automatic = state === "UNKNOWN" ? "" : automaticAt(plant, from_us);
    const reason = state === "RUNNING" ? "" : (covering.at(-1)?.reason ?? automatic);
    const reason_from = reason === "" ? "" : covering.length > 0 ? "operator" : "condition";
    const calendar = calendarAt(plant, from_us);
    const zone = calendar?.timezone ?? "UTC";
    const shift = shifts.find((one) => one.from_us <= from_us && from_us < one.to_us);
    const paused = shift?.breaks.some(([a, b]) => a <= from_us && from_us < b) ?? false;
    const excluded =
      (state !== "RUNNING" && reason !== "" && plant.policy?.reasons[reason] === "excluded") ||
      (state === "UNKNOWN" && plant.policy?.unknown === "excluded");
    const clock = Temporal.Instant.fromEpochMilliseconds(Math.floor(from_us / 1_000)).toZonedDateTimeISO(
      zone,
    );
    return {
      from_us,
      to_us: sorted[i + 1] ?? end_us,
      state,
      cause,
      reason,
      reason_from,
      excluded,
      scheduled: calendar === undefined || (shift !== undefined && !paused),
      in_shift: calendar === undefined || shift !== undefined,
      shift,
      local_day: clock.toPlainDate().toString(),
      hour_us: from_us - ((from_us + clock.offsetNanoseconds / 1_000) % 3_600_000_000),
    };
  });
}

/** The pieces with what starts in them: a stop that a shift finds going on starts with the shift, if not before. */
export function marked(plant: Plant, span: Span): Piece[] {
  const minor_us = (plant.policy?.minor_stop_s ?? 0) * 1e6;
  const from_us = span.from_us - minor_us - 1;
  const cut = { ...plant, seen: [...plant.seen, ...[span.from_us, endOf(span)].map(nothingAt)] };
  const wide = pieces(cut, { ...span, from_us, to_us: span.to_us + minor_us });
  const stopped = ({ state }: Piece): boolean => ["DOWN", "STOPPED", "IDLE"].includes(state);
  let run: Piece[] = [];
  wide.forEach((piece, i) => {
    const before = wide[i - 1];
    if (!before || stopped(piece) !== stopped(before)) run = [];
    run.push(piece);
    if (stopped(piece)) {
      const length_us = piece.to_us - (run[0] as Piece).from_us;
      for (const one of run) one.minor = length_us < minor_us;
    }
    if (!before || !piece.in_shift) return;
    const entered = !before.in_shift;
    piece.failure = piece.state === "DOWN" && (entered || before.state !== "DOWN");
    piece.stop = stopped(piece) && (entered || !stopped(before));
  });
  return wide.filter((piece) => piece.from_us >= span.from_us && piece.to_us <= endOf(span));
}

/** An observation that says nothing: it only cuts the time. */
const nothingAt = (ts_us: number): Seen => ({ signal: "nothing", ts_us, seq: 0, value: null });

type Step = { ts_us: number; n: number; spike: boolean; reset: boolean };

/** A signal's number at each instant: the last of the numbers that were told for it, whatever words were told as well. */
function numbersOf(plant: Plant, signal: string): { ts_us: number; value: number }[] {
  const last = new Map<number, Seen>();
  for (const seen of plant.seen.filter((one) => one.signal === signal && typeof one.value === "number")) {
    const known = last.get(seen.ts_us);
    if (!known || later(known, seen) <= 0) last.set(seen.ts_us, seen);
  }
  const sorted = [...last.values()].sort((a, b) => a.ts_us - b.ts_us);
  return sorted.map(({ ts_us, value }) => ({ ts_us, value: Number(value) }));
}

/** What a kind of parts adds, and when: a rising counter, a level that rises, events that tell their number. */
function stepsOf(plant: Plant, signal: string): Step[] {
  if (signal.startsWith("part_count")) return counterSteps(plant, signal);
  const told = numbersOf(plant, signal);
  const plain = { spike: false, reset: false };
  if (signal.startsWith("part_event")) return told.map(({ ts_us, value }) => ({ ts_us, n: value, ...plain }));
  return told.map(({ ts_us, value }, i) => {
    const before = told[i - 1]?.value;
    return { ts_us, n: value !== 0 && before === 0 ? 1 : 0, ...plain };
  });
}

/** One counter's steps over all time: spikes left out but for accepted ones, resets counted from 0. */
function counterSteps(plant: Plant, signal: string): Step[] {
  const numbers: { ts_us: number; value: number }[] = [];
  for (const one of numbersOf(plant, signal)) {
    if (numbers.at(-1)?.value !== one.value) numbers.push(one);
  }
  const decided = (ts_us: number): string | undefined =>
    (plant.spikes ?? []).findLast((one) => one.signal === signal && one.ts_us === ts_us)?.decision;
  let before: number | undefined;
  return numbers.map(({ ts_us, value }, i) => {
    const previous = numbers[i - 1]?.value;
    const next = numbers[i + 1]?.value;
    const returns = previous !== undefined && next !== undefined && previous <= next && next < value;
    if (returns && value > previous + 1 && decided(ts_us) !== "accepted") {
      return { ts_us, n: 0, spike: decided(ts_us) !== "refused", reset: false };
    }
    const around =
      before !== undefined && before < 2 ** 32 && before >= 2 ** 32 - 2 ** 24 && value < 2 ** 24
        ? 2 ** 32
        : 0;
    const reset = before !== undefined && value < before && !around;
    const n = before === undefined ? 0 : reset ? value : value + around - before;
    before = value;
    return { ts_us, n, spike: false, reset };
  });
}

/** The part, the lot and the order in force. */
export function makingAt(plant: Plant, t: number): { part: string; lot: string; order: string } {
  const known = (signal: string) =>
    plant.seen
      .filter(
        (one) => one.signal === signal && one.ts_us <= t && !["", "UNAVAILABLE"].includes(text(one.value)),
      )
      .sort(later)
      .at(-1);
  const lotSeen = known("lot");
  const lots = (plant.lots ?? []).filter(({ from_us }) => from_us <= t);
  // Of one start the newest holds; one that ends as it begins takes it back.
  const newest = lots.filter((one, i) => !lots.slice(i + 1).some(({ from_us }) => from_us === one.from_us));
  const held = newest.filter(({ from_us, to_us }) => from_us !== to_us);
  const said = held.toSorted((a, b) => a.from_us - b.from_us).at(-1);
  const bySignal = lotSeen !== undefined && (!said || said.from_us <= lotSeen.ts_us);
  const ended = !bySignal && said?.to_us !== undefined && said.to_us > 0 && said.to_us <= t;
  const lot = ended ? "" : bySignal ? text(lotSeen.value) : (said?.lot ?? "");
  const mine = said !== undefined && said.lot === lot && lot !== "" ? said : undefined;
  const part =
    mine && mine.part !== "" ? mine.part : text(known("part_number")?.value ?? known("program")?.value ?? "");
  return { part, lot, order: mine?.order_id ?? "" };
}

function idealAt(plant: Plant, part: string, t: number): number {
  const listed = (name: string) =>
    (plant.cycle_times ?? [])
      .filter((row) => row.part === name && row.valid_from_us <= t)
      .toSorted((a, b) => a.valid_from_us - b.valid_from_us)
      .at(-1);
  return Math.round(((listed(part) ?? listed(""))?.ideal_cycle_s ?? 0) * 1e6);
}

const CLASSES = ["", "_good", "_bad"] as const;
const KINDS = ["part_count", "part_pulse", "part_event"] as const;

/** What was counted in the window. */
export function counted(plant: Plant, span: Span): Counted[] {
  // An event counts when it is first told, a counter and a pulse after that.
  const tells = (signal: string, t: number): boolean =>
    plant.seen.some(
      (one) =>
        one.signal === signal &&
        typeof one.value === "number" &&
        (signal.startsWith("part_event") ? one.ts_us <= t : one.ts_us < t),
    );
  const has = (of_class: string, t: number) => KINDS.some((kind) => tells(kind + of_class, t));
  const found: Omit<Counted, "part" | "lot" | "order" | "ideal_us" | "state">[] = [];
  for (const of_class of CLASSES) {
    KINDS.forEach((kind, i) => {
      for (const { n, ...step } of stepsOf(plant, kind + of_class)) {
        const { ts_us } = step;
        if (KINDS.slice(0, i).some((better) => tells(better + of_class, ts_us))) continue;
        const [all, good, bad] = [has("", ts_us), has("_good", ts_us), has("_bad", ts_us)];
        const total = of_class === "" || !all ? n : 0;
        const byDifference = all && good && !bad;
        const reject = of_class === "_bad" ? n : byDifference ? (of_class === "_good" ? -n : n) : 0;
        found.push({ ...step, total, reject });
      }
    });
  }
  for (const { ts_us, count } of plant.rejects ?? []) {
    found.push({ ts_us, total: 0, reject: count, spike: false, reset: false });
  }
  return found
    .filter(({ ts_us }) => ts_us >= span.from_us && ts_us < endOf(span))
    .map((one) => {
      const making = makingAt(plant, one.ts_us);
      const { state } = stateAt(plant, one.ts_us, endOf(span));
      return { ...one, ...making, ideal_us: idealAt(plant, making.part, one.ts_us), state };
    });
}

export type Sums = {
  calendar_time_s: number;
  scheduled_time_s: number;
  planned_time_s: number;
  run_time_s: number;
  down_time_s: number;
  setup_time_s: number;
  stopped_time_s: number;
  idle_time_s: number;
  unknown_time_s: number;
  total_count: number;
  good_count: number;
  reject_count: number;
};
type Ratio =
  | "availability"
  | "performance"
  | "quality"
  | "oee"
  | "ooe"
  | "teep"
  | "utilisation"
  | "coverage"
  | "mtbf_s"
  | "mttr_s"
  | "speed_loss_s"
  | "startup_reject_loss_s"
  | "reject_loss_s";
export type Figures = Sums &
  Record<Ratio, number | null> &
  Record<"failure_count" | "stop_count" | "minor_stop_count", number> &
  Record<`${"breakdown" | "setup" | "minor_stop" | "other_stop" | "unknown"}_loss_s`, number> & {
    flags: string[];
  };

const over = (a: number, b: number): number | null => (b === 0 ? null : a / b);

/** Figures over pieces and counts, whoever's they are: sums first, ratios last. */
export function figures(time: Piece[], counts: Counted[], anyIdeal: boolean): Figures {
  const seconds = (keep: (piece: Piece) => boolean): number =>
    time.filter(keep).reduce((sum, { from_us, to_us }) => sum + (to_us - from_us), 0) / 1e6;
  const inState = (state: string) => seconds((piece) => piece.scheduled && piece.state === state);
  const sum = (of: (one: Counted) => number): number => counts.reduce((all, one) => all + of(one), 0);

  const calendar_time_s = seconds(() => true);
  const scheduled_time_s = seconds(({ scheduled }) => scheduled);
  const planned_time_s = seconds(({ scheduled, excluded }) => scheduled && !excluded);
  const run_time_s = inState("RUNNING");
  const unknown_time_s = inState("UNKNOWN");
  const total_count = sum(({ total }) => total);
  const reject_count = sum(({ reject }) => reject);
  const good_count = total_count - reject_count;
  const ideal_s = sum(({ total, ideal_us }) => total * ideal_us) / 1e6;
  const good_s = sum(({ total, reject, ideal_us }) => (total - reject) * ideal_us) / 1e6;
  const noIdeal =
    !anyIdeal ||
    counts.some(({ total, reject, ideal_us }) => ideal_us === 0 && (total !== 0 || reject !== 0));
  const performance = noIdeal ? null : over(ideal_s, run_time_s);
  const lost = (state: string[], minor: boolean): number =>
    seconds(
      (piece) =>
        piece.scheduled &&
        !piece.excluded &&
        state.includes(piece.state) &&
        (piece.minor === true && piece.state !== "SETUP") === minor,
    );
  const repair_s = seconds((piece) => piece.scheduled && !piece.excluded && piece.state === "DOWN");
  const count = (kind: "failure" | "stop", minor = false): number =>
    time.filter((piece) => piece[kind] && !piece.excluded && (!minor || piece.minor === true)).length;
  const failure_count = count("failure");
  const rejected_s = (inSetup: boolean): number =>
    counts
      .filter(({ state }) => (state === "SETUP") === inSetup)
      .reduce((all, one) => all + one.reject * one.ideal_us, 0) / 1e6;
  const coverage = over(unknown_time_s, scheduled_time_s);
  const flags: [boolean, string][] = [
    [performance !== null && performance > 1, "performance_over_1"],
    [noIdeal, "no_ideal_cycle"],
    [counts.some(({ reset }) => reset), "counter_reset"],
    [counts.some(({ spike }) => spike), "spike_quarantined"],
    [reject_count > total_count, "rejects_exceed_total"],
  ];
  return {
    calendar_time_s,
    scheduled_time_s,
    planned_time_s,
    run_time_s,
    down_time_s: inState("DOWN"),
    setup_time_s: inState("SETUP"),
    stopped_time_s: inState("STOPPED"),
    idle_time_s: inState("IDLE"),
    unknown_time_s,
    total_count,
    good_count,
    reject_count,
    availability: over(run_time_s, planned_time_s),
    performance,
    quality: over(good_count, total_count),
    oee: noIdeal ? null : over(good_s, planned_time_s),
    ooe: noIdeal ? null : over(good_s, scheduled_time_s),
    teep: noIdeal ? null : over(good_s, calendar_time_s),
    utilisation: over(planned_time_s, calendar_time_s),
    coverage: coverage === null ? null : 1 - coverage,
    failure_count,
    mtbf_s: over(run_time_s, failure_count),
    mttr_s: over(repair_s, failure_count),
    stop_count: count("stop"),
    minor_stop_count: count("stop", true),
    breakdown_loss_s: lost(["DOWN"], false),
    setup_loss_s: lost(["SETUP"], false),
    minor_stop_loss_s: lost(["DOWN", "STOPPED", "IDLE"], true),
    other_stop_loss_s: lost(["STOPPED", "IDLE"], false),
    unknown_loss_s: lost(["UNKNOWN"], false),
    speed_loss_s: noIdeal ? null : run_time_s - ideal_s,
    startup_reject_loss_s: noIdeal ? null : rejected_s(true),
    reject_loss_s: noIdeal ? null : rejected_s(false),
    flags: flags.filter(([raised]) => raised).map(([, flag]) => flag),
  };
}
