// What the screens are given: plain data, on the API's rows (SPEC 10.8). Ratios are 0…1 and unrounded, null is "not known".
import type { ExplainPage, Explanation } from "../analytics-sql/queries/explain/explain.ts";
import type { StateAt } from "../analytics-sql/queries/explain/state-at.ts";
import type { LossRow } from "../analytics-sql/queries/losses.ts";
import type { ObservationRow } from "../analytics-sql/queries/observations.ts";
import type { OeeRow as FiguresRow } from "../analytics-sql/queries/oee.ts";
import type { Figure } from "../domain/figures.ts";
import type { Code, Told } from "../domain/problem.ts";
import type { RuleId, State } from "../domain/state-rules.ts";
import type { CalendarInput } from "../ingest/calendar.ts";
import type { GapCause, PolicyData } from "../ingest/event.ts";
import type { LiveMachine } from "../ingest/live/live.ts";
import type { Occurrence } from "../ingest/occurrences.ts";
import type { Role } from "../ingest/store/store.ts";
import type { FormState } from "./form.ts";
import type { Language } from "./text.ts";

/** What every page needs to know about the plant and who is looking. */
export type Shell = {
  /** The plant's name, for the header and the title. */
  plant: string;
  /** IANA zone; every time on the screens is in it. */
  timezone: string;
  /** The server's clock when the page was made, ms since 1970. */
  now_ms: number;
  /** Who is signed in, as shown beside "Sign out"; null where nobody is. */
  user: string | null;
  /** Tells one who signed in from another, "" where nobody has: what waits in the browser is theirs. */
  caller_id: string;
  /** What the page may offer; the API asks again. */
  may: { operate: boolean; admin: boolean };
  /** The language to render in. */
  language: Language;
  /** `http://plant-pc:3000`: this server as the browser sees it, for the commands of the greeting. */
  origin: string;
  /** On admin pages: how many events are set aside. */
  set_aside?: number;
};

/** A machine by id and name. */
export type MachineName = { machine_id: string; name: string };

/**
 * One row of `GET …/oee`. Times are ISO 8601 in UTC; `key` is the hour, shift, day, name or "total". Counts and ratios
 * are null where they are not known.
 */
export type OeeRow = Omit<FiguresRow, "machine_id" | Count | "flags"> &
  Record<Count, number | null> & { flags: readonly string[] };
type Count = "total_count" | "good_count" | "reject_count";

/** One row of `GET …/states`. */
export type StateRow = {
  state: State;
  from: string;
  to: string;
  seconds: number;
  /** The operator's reason; null or "" where none was given. */
  reason: string | null;
  /** Why the machine was in this state: the signal and word, or the gap's cause. */
  cause: string | null;
};

/** One row of `GET …/gaps`; `to` is null while the gap is open. */
export type GapRow = { from: string; to: string | null; cause: GapCause; detail: string };

export type Policy = PolicyData["policy"];

/** Good parts that there should be by now, unrounded; "possible" where no target is set. */
export type PartsTarget = { parts: number; kind: "target" | "possible" };

/** A machine's shift so far. */
export type ShiftFigures = {
  machine_id: string;
  /** The whole shift, its end may lie ahead; `name` "" where there is no calendar: the plant's day. */
  shift: { name: string; from: string; to: string };
  /** null: nothing computed yet. */
  oee: OeeRow | null;
  /** null: no ideal cycle is known. */
  target: PartsTarget | null;
  /** States and gaps of the shift, oldest first. May be empty. */
  states: readonly StateRow[];
  gaps: readonly GapRow[];
};

/** One machine on the wall. */
export type HmiTile = { name: string; live: LiveMachine; figures: ShiftFigures | null };

/** The plant's halls, lines or cells, and the one that the wall shows; null is all. */
export type WallGroups = { groups: readonly string[]; group: string | null };

/** `GET /hmi?group`. In any order: the page sorts by what needs a hand. No machines, and no groups: the greeting. */
export type HmiWallProps = WallGroups & { shell: Shell; machines: readonly HmiTile[] };

/** `GET /hmi/figures?group`: the fragment the wall asks for every 10 s. */
export type HmiWallFiguresProps = { shell: Shell; figures: readonly ShiftFigures[] };

/** A reason that an operator may give. */
export type ReasonChoice = {
  code: string;
  name: string;
  /** The name of the reason above it, "" where it is at the top. */
  group: string;
};

/** A stretch in which the machine did not run. */
export type Stop = {
  from: string;
  /** Null while it goes on. */
  to: string | null;
  /** The state that took most of it. */
  state: State;
  /** The code of the reason given for all of it; "" where there is none, or some of it has none. */
  reason: string;
};

/** What was entered in this shift, and can be taken back. */
export type Entered =
  | { kind: "reason"; id: string; ts: string; what: string }
  | { kind: "reject" | "count" | "lot"; id: string; ts: string; what: string; count: number };

/** `GET /hmi/{id}/entry`: what an operator may say of a machine. */
export type HmiEntryProps = {
  shell: Shell;
  machine_id: string;
  /** Of this shift, newest first: the one that goes on, and those without a reason. */
  stops: readonly Stop[];
  /** The likeliest first; all of them once. */
  reasons: readonly ReasonChoice[];
  /** People count the parts: no signal does. */
  counts_by_hand: boolean;
  /** What is being made; null where no lot was ever begun. */
  lot: { lot: string; part: string; order: string; from: string } | null;
  /** Lots of late, newest first, each once, and the parts there are. */
  lots: readonly { lot: string; part: string }[];
  parts: readonly string[];
  entered: readonly Entered[];
};

/** `GET /hmi/{id}`. */
export type HmiMachineProps = {
  shell: Shell;
  name: string;
  live: LiveMachine;
  figures: ShiftFigures | null;
  /** Null where whoever looks may not enter anything. */
  entry: Omit<HmiEntryProps, "shell" | "machine_id"> | null;
};

/** `GET /hmi/{id}/figures`: the fragment a machine's page asks for every 10 s. */
export type HmiMachineFiguresProps = { shell: Shell; machine_id: string; figures: ShiftFigures | null };

export const PERIODS = [
  "today",
  "yesterday",
  "shift",
  "last_shift",
  "7d",
  "week",
  "last_week",
  "month",
  "last_month",
  "custom",
] as const;
export type PeriodKind = (typeof PERIODS)[number];
/** What a report's figures are cut by: stretches of time, which are a chart, or what was made, which is a list. */
export const CUTS_OF_TIME = ["hour", "shift", "day", "week", "month"] as const;
export const CUTS_OF_WORK = ["part", "lot", "order"] as const;
export const CUTS = [...CUTS_OF_TIME, ...CUTS_OF_WORK] as const;
export type By = (typeof CUTS)[number];

/**
 * The period of a report, as the server understood the query `?period=…&from&to&by=…`; `from` and `to` of the query are
 * instants, or local times of the plant (`2026-01-05T06:00`), and belong to `custom` only.
 */
export type Period = {
  kind: PeriodKind;
  /** ISO 8601, UTC. */
  from: string;
  to: string;
  by: By;
  /** The shift's name where the period is one, else "". */
  shift: string;
  /** What it is compared with. */
  previous: { from: string; to: string };
  /** What was wrong with the query; null where nothing was. */
  problem: "order" | "long" | null;
};

export const ONLY = ["shift", "part", "lot", "order"] as const;
/** Only the time and the parts of these; undefined is all, "" is where there is none. */
export type Only = Readonly<Record<(typeof ONLY)[number], string | undefined>>;

/** What a report was asked for: all of it is in its URL (see components/asked.ts). */
export type Asked = {
  /** `/dashboard`, or `/dashboard/{id}`. */
  path: string;
  period: Period;
  only: Only;
  /** Machines by id, and a group; empty and undefined are all. On the plant's page only. */
  machines: readonly string[];
  group: string | undefined;
  /** Pareto's order. */
  pareto: "time" | "count";
  /** A column's name, `-` in front for the largest first; "" is by name. */
  sort: string;
};

/** A row of `by=machine` with the machine's name and group. */
export type MachineOeeRow = OeeRow & MachineName & { group: string };

/** One row of `GET …/losses`. */
export type { LossRow };

/** What the reports of the plant and of a machine share. */
type Report = {
  shell: Shell;
  asked: Asked;
  /** The server's sum, never an average; null where there are no machines. */
  total: OeeRow | null;
  /** The same of the period it is compared with. */
  before: OeeRow | null;
  /** The OEE that is aimed at, 0…1; null where none is set, or machines differ. */
  target: number | null;
  /** By `asked.period.by`, oldest first. */
  rows: readonly OeeRow[];
  losses: readonly LossRow[];
  /** The names of reasons, by code. */
  reasons: Readonly<Record<string, string>>;
};

/** `GET /dashboard`. Without machines in the plant: the greeting. */
export type DashboardProps = Report & {
  machines: readonly MachineOeeRow[];
  /** By group; empty where there are not two. */
  groups: readonly OeeRow[];
  /** Machines of the report whose figures cannot be calculated now: they are in none of its sums. */
  without: readonly MachineName[];
  /** The policy all machines share; null where they differ. */
  policy: Policy | null;
};

/** `GET /dashboard/{id}`. */
export type DashboardMachineProps = Report & {
  machine: MachineName & { group: string };
  /** Of the end of the period, see `states_from`. */
  states: readonly StateRow[];
  gaps: readonly GapRow[];
  /** From when on the states are shown: a band of weeks shows nothing. */
  states_from: string;
  policy: Policy;
};

/** `GET /dashboard/filters`, `GET /dashboard/{id}/filters`: what there is to filter by in the period. */
export type DashboardFiltersProps = {
  shell: Shell;
  asked: Asked;
  filters: Readonly<Record<"shifts" | "parts" | "lots" | "orders", readonly string[]>> & {
    truncated: boolean;
  };
  /** All of the plant's; empty on a machine's page. */
  machines: readonly MachineName[];
  groups: readonly string[];
};

/** `GET /dashboard/heat`, `GET /dashboard/{id}/heat`: OEE of each hour, oldest first. */
export type DashboardHeatProps = {
  shell: Shell;
  asked: Asked;
  from: string;
  to: string;
  rows: readonly OeeRow[];
};

/** `GET /dashboard/bands`: the states of machines side by side. */
export type DashboardBandsProps = {
  shell: Shell;
  asked: Asked;
  from: string;
  to: string;
  machines: readonly (MachineName & { states: readonly StateRow[]; gaps: readonly GapRow[] })[];
  /** How many machines more there are. */
  more: number;
};

/** A figure that can be explained. */
export type ExplainedFigure = Figure;

type Explained = Explanation & {
  from: string;
  to: string;
  by: string;
  key: string;
  flags: readonly string[];
};

/** `GET /dashboard/{id}/explain` and, without a machine, `GET /dashboard/explain`. */
export type ExplainProps = {
  shell: Shell;
  /** The window that was asked for, of which the figure's row may be a part. */
  window: { from: string; to: string };
  only: Only;
  /** Which of the plant's machines, where it is the plant's figure; none and undefined are all. */
  of: { machines: readonly string[]; group: string | undefined };
  /** Null is the plant; then `machines` are its parts, and there are no intervals, counts, gaps and calendars. */
  machine: (MachineName & { group: string }) | null;
  explained: Explained;
  machines: readonly (Explanation["machines"][number] & { name: string })[];
  listed: Pick<ExplainPage, "intervals" | "counts"> & { truncated: boolean };
  gaps: readonly GapRow[];
  calendars: readonly CalendarInput[];
  links: { json: string; csv: string; observations: readonly { signal: string; href: string }[] };
};

/** `GET /dashboard/{id}/explain/state?at&to&signal`: a state, its rule, and the raw rows of one signal. */
export type ExplainStateProps = {
  shell: Shell;
  machine: MachineName & { group: string };
  state: StateAt & { at: string; rule: number; rule_id: RuleId; gaps: readonly GapRow[] };
  /** Until when raw rows are shown. */
  to: string;
  signal: string;
  signals: readonly string[];
  observations: readonly ObservationRow[];
  truncated: boolean;
  links: { json: string; observations: string };
};

/** `GET /sign-in`, and the answer to a `POST /sign-in` (`name` and `password`, or `key`; `next`) that failed. */
export type SignInProps = {
  shell: Shell;
  /** The name that was typed. */
  name: string;
  error: "wrong_key" | "wrong_password" | "link_used" | "signed_out" | null;
  /** Where to go afterwards: a path on this site. */
  next: string;
  /** Of the one-time link that was followed; "" where there was none. */
  token: string;
};

/** `GET /offline`: what a kiosk shows instead of a page it does not know, kept beforehand by its service worker. */
export type OfflineProps = { shell: Shell };

/** Any page that could not be shown: why, and of an input's errors the first. */
export type ProblemProps = { shell: Shell; problem: Code; told: Told };

/** `GET /problems`. */
export type ProblemCodesProps = { shell: Shell };
/** `GET /problems/{code}`. */
export type ProblemCodeProps = { shell: Shell; code: Code };

/** `GET /account`, and the answer to a `POST` that failed. */
export type AccountProps = {
  shell: Shell;
  /** Keys have no password. */
  kind: "user" | "key";
  role: Role | null;
  form: FormState;
  changed: boolean;
};

export type ShownUser = { id: string; name: string; role: Role; disabled: boolean; created: string };
/** `used_ms` is null where it was not used since the start. */
export type ShownKey = {
  id: string;
  name: string;
  scopes: readonly string[];
  created: string;
  used_ms: number | null;
};

/** `GET /admin/access`, and the answer to a form of it that failed. */
export type AdminAccessProps = {
  shell: Shell;
  users: readonly ShownUser[];
  keys: readonly ShownKey[];
  /** Forms that failed: `user` and `key` are the new ones, else by id. */
  forms: Readonly<Record<string, FormState>>;
  done: "added" | "changed" | "deleted" | "revoked" | null;
  /** Just made: its only showing. */
  new_key: { name: string; key: string } | null;
};

/** The days to come by a calendar that may not be set yet, in its zone. */
export type CalendarPreview = {
  timezone: string;
  days: readonly { from_ms: number; to_ms: number; shifts: readonly Occurrence[]; scheduled_s: number }[];
};

/** `GET /admin/machines/{id}/calendar`, and the answer to a form of it that was not saved. */
export type AdminCalendarProps = {
  shell: Shell;
  machine: MachineName;
  group: string;
  form: FormState;
  preview: CalendarPreview | null;
  /** In the order in which they hold. */
  history: readonly CalendarInput[];
  /** For how many machines it was just saved. */
  saved: number | null;
};

/** `GET /admin/machines/{id}/cycle-times`, and the answer to a form of it that was not saved. */
export type AdminCycleTimesProps = {
  shell: Shell;
  machine: MachineName;
  group: string;
  form: FormState;
  /** Too many for fields: all of them in one text. */
  as_text: boolean;
  saved: number | null;
};

/** `GET /admin/machines/{id}/policy`, and the answer to a form of it that was not saved. */
export type AdminPolicyProps = {
  shell: Shell;
  machine: MachineName;
  group: string;
  form: FormState;
  /** The reasons there are, in the tree's order. */
  tree: readonly { code: string; name: string }[];
  saved: number | null;
};

/** `GET /admin/reasons`, and the answer to a form of it that was not saved. */
export type AdminReasonsProps = {
  shell: Shell;
  form: FormState;
  machines: readonly MachineName[];
  saved: boolean;
};

/** `GET /admin/reasons/use`: how often reasons were given in the last 30 days. */
export type AdminReasonsUseProps = {
  shell: Shell;
  rows: readonly { code: string; name: string; count: number; seconds: number }[];
};
