// Every page and fragment of the screens, as HTML, with the test plant in it.
import {
  Account,
  AdminAccess,
  AdminAdd,
  AdminAddChoice,
  AdminCalendar,
  AdminCycleTimes,
  AdminEvents,
  AdminHealth,
  AdminHealthFigures,
  AdminMachine,
  AdminMachines,
  AdminPolicy,
  AdminReasons,
  AdminReasonsUse,
  Dashboard,
  DashboardBands,
  DashboardFilters,
  DashboardHeat,
  DashboardMachine,
  DashboardReport,
  Explain,
  ExplainState,
  HmiEntry,
  HmiMachine,
  HmiMachineFigures,
  HmiWall,
  HmiWallFigures,
  type Language,
  Offline,
  Problem,
  ProblemCode,
  ProblemCodes,
  renderFragment,
  renderPage,
  SignIn,
} from "../index.ts";
import {
  adminAddAgent,
  adminAddFailed,
  adminAddModule,
  adminEvents,
  adminHealth,
  adminMachine,
  adminMachines,
} from "./admin.ts";
import {
  dashboard,
  dashboardBands,
  dashboardFilters,
  dashboardHeat,
  dashboardMachine,
  entry,
  explained,
  explainedPlant,
  explainedState,
  NOW_MS,
  shell,
  tiles,
} from "./plant.ts";
import {
  account,
  adminAccess,
  adminCalendar,
  adminCycleTimes,
  adminPolicy,
  adminReasons,
  adminReasonsUse,
  noReasons,
} from "./settings.ts";

/** Every page and fragment by name. @param name stands for every name in them: what a machine, a part, a reason is called */
export function everyPage({
  language = "en",
  name,
}: {
  language?: Language;
  name?: string;
} = {}): Record<string, string> {
  const wall = tiles().map((tile) => (name === undefined ? tile : spoiled(tile, name)));
  const machine = wall[2] as (typeof wall)[number];
  const figures = wall.flatMap((tile) => tile.figures ?? []);
  const plant = dashboard();
  const one = dashboardMachine();
  const bands = dashboardBands();
  const choices = dashboardFilters();
  const why = explained();
  const whyPlant = explainedPlant();
  const whyState = explainedState();
  const groups = { groups: [name ?? "Hall 1", "Hall 2"], group: name ?? null };
  const user = shell({ language, ...(name === undefined ? {} : { user: name, plant: name }) });
  if (name !== undefined) {
    plant.machines = plant.machines.map((row) => ({ ...row, name, machine_id: name, flags: [name] }));
    plant.policy = { unknown: "loss", reasons: { [name]: "excluded" }, minor_stop_s: 5 };
    const only = { shift: name, part: name, lot: name, order: name };
    plant.asked = { ...plant.asked, only, group: name, machines: [name], sort: name };
    plant.groups = plant.groups.map((row) => ({ ...row, key: name }));
    plant.losses = plant.losses.map((row) => ({ ...row, reason: name, cause: name }));
    plant.reasons = { [name]: name };
    bands.machines = bands.machines.map((row) => ({ ...row, name, machine_id: name }));
    choices.asked = { ...choices.asked, only, group: name, machines: [name] };
    choices.groups = [name, ""];
    choices.machines = choices.machines.map(() => ({ machine_id: name, name }));
    choices.filters = { shifts: [name], parts: [name], lots: [name], orders: [name], truncated: true };
    one.machine = { machine_id: name, name, group: name };
    one.asked = { ...one.asked, path: `/dashboard/${encodeURIComponent(name)}`, only };
    one.rows = one.rows.map((row) => ({ ...row, key: name }));
    one.asked.period = { ...one.asked.period, by: "part" };
    one.states = one.states.map((row) => ({ ...row, reason: name, cause: name }));
    why.machine = { machine_id: name, name, group: name };
    why.only = only;
    why.explained = { ...why.explained, key: name, by: "part", flags: [name] };
    why.explained.sums = why.explained.sums.map((row) => ({ ...row, reason: name }));
    why.listed.intervals = why.listed.intervals.map((row) => ({ ...row, reason: name, shift: name }));
    why.listed.counts = why.listed.counts.map((row) => ({ ...row, part: name }));
    why.links = { ...why.links, observations: [{ signal: name, href: `/x?${name}` }] };
    whyPlant.machines = whyPlant.machines.map((row) => ({ ...row, name, machine_id: name }));
    whyState.signal = name;
    whyState.signals = [name];
    whyState.observations = whyState.observations.map((row) => ({ ...row, value: name }));
    whyState.state.values = whyState.state.values.map((row) => ({ ...row, value: name, signal: name }));
    whyState.state.reason = name;
  }
  const said = entry({
    shell: user,
    ...(name === undefined
      ? {}
      : {
          reasons: [{ code: name, name, group: name }],
          lot: { lot: name, part: name, order: name, from: "2026-01-05T05:12:00Z" },
          lots: [{ lot: name, part: name }],
          parts: [name],
          entered: [{ kind: "lot", id: name, ts: "2026-01-05T09:12:00Z", what: name, count: 0 }],
        }),
  });
  return {
    entry: renderFragment(HmiEntry, { ...said, counts_by_hand: true }),
    entryNone: renderFragment(HmiEntry, { ...said, reasons: [], stops: [], entered: [], lot: null }),
    wall: renderPage(HmiWall, { shell: user, machines: wall, ...groups }),
    wallFigures: renderFragment(HmiWallFigures, { shell: user, figures }),
    machine: renderPage(HmiMachine, { shell: user, ...machine, entry: said }),
    machineFigures: renderFragment(HmiMachineFigures, {
      shell: user,
      machine_id: machine.live.machine_id,
      figures: machine.figures,
    }),
    dashboard: renderPage(Dashboard, { ...plant, shell: user }),
    dashboardReport: renderFragment(DashboardReport, { ...plant, shell: user }),
    dashboardBands: renderFragment(DashboardBands, { ...bands, shell: user }),
    dashboardFilters: renderFragment(DashboardFilters, { ...choices, shell: user }),
    dashboardHeat: renderFragment(DashboardHeat, { ...dashboardHeat(), shell: user }),
    dashboardMachine: renderPage(DashboardMachine, { ...one, shell: user }),
    explain: renderPage(Explain, { ...why, shell: user }),
    explainPlant: renderPage(Explain, { ...whyPlant, shell: user }),
    explainState: renderPage(ExplainState, { ...whyState, shell: user }),
    empty: renderPage(HmiWall, { shell: user, machines: [], groups: [], group: null }),
    emptyForAll: renderPage(HmiWall, {
      shell: { ...user, may: { operate: true, admin: false } },
      machines: [],
      groups: [],
      group: null,
    }),
    account: renderPage(Account, { ...account(), shell: user }),
    adminMachines: renderPage(AdminMachines, { ...adminMachines(name), shell: user }),
    adminNoMachines: renderPage(AdminMachines, {
      ...adminMachines(name),
      shell: user,
      machines: [],
      demo: "none",
    }),
    adminMachine: renderPage(AdminMachine, { ...adminMachine(name), shell: user }),
    adminMachineHttp: renderPage(AdminMachine, {
      ...adminMachine(name),
      kind: "http",
      tried: null,
      shell: user,
    }),
    adminAdd: renderPage(AdminAddChoice, { shell: user }),
    adminAddAgent: renderPage(AdminAdd, { ...adminAddAgent(name), shell: user }),
    adminAddModule: renderPage(AdminAdd, { ...adminAddModule(name), shell: user }),
    adminAddFailed: renderPage(AdminAdd, { ...adminAddFailed(name), shell: user }),
    adminEvents: renderPage(AdminEvents, { ...adminEvents(name), shell: user }),
    adminHealth: renderPage(AdminHealth, { ...adminHealth(name), shell: user }),
    adminHealthFigures: renderFragment(AdminHealthFigures, { ...adminHealth(name), shell: user }),
    adminNoEvents: renderPage(AdminEvents, {
      ...adminEvents(name),
      shell: user,
      events: [],
      full: false,
      done: null,
    }),
    adminAccess: renderPage(AdminAccess, { ...adminAccess(name), shell: user }),
    adminCalendar: renderPage(AdminCalendar, { ...adminCalendar(name), shell: user }),
    adminCycleTimes: renderPage(AdminCycleTimes, { ...adminCycleTimes(name), shell: user }),
    adminPolicy: renderPage(AdminPolicy, { ...adminPolicy(name), shell: user }),
    adminReasons: renderPage(AdminReasons, { ...adminReasons(name), shell: user }),
    adminNoReasons: renderPage(AdminReasons, { ...noReasons(), shell: user }),
    adminReasonsUse: renderFragment(AdminReasonsUse, { ...adminReasonsUse(name), shell: user }),
    signIn: renderPage(SignIn, {
      shell: user,
      error: "wrong_key",
      name: name ?? "",
      next: name ?? "/hmi",
      token: "",
    }),
    offline: renderPage(Offline, { shell: { ...user, user: null } }),
    problem: renderPage(Problem, {
      shell: user,
      problem: "name_taken",
      told: { code: "name_taken", params: { name: name ?? "Anna" } },
    }),
    problemCode: renderPage(ProblemCode, { shell: user, code: "unknown_row" }),
    problemCodes: renderPage(ProblemCodes, { shell: user }),
  };
}

function spoiled(tile: ReturnType<typeof tiles>[number], name: string): ReturnType<typeof tiles>[number] {
  const at = { ts_us: NOW_MS * 1000, value: name };
  const signals = {
    ...tile.live.signals,
    part_number: at,
    program: at,
    [`condition:${name}`]: { ...at, value: "FAULT" },
  };
  const figures = tile.figures && {
    ...tile.figures,
    machine_id: name,
    shift: { ...tile.figures.shift, name },
    states: tile.figures.states.map((row) => ({ ...row, reason: name, cause: name })),
  };
  return { name, live: { ...tile.live, machine_id: name, signals }, figures };
}
