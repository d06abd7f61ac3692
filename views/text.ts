// Every word on the screens. A second language is a second object of the type `Text`.
import type { GapCause } from "../ingest/event.ts";
import type { State } from "../ingest/signals.ts";

const states: Record<State, string> = {
  DOWN: "Down",
  STOPPED: "Stopped",
  SETUP: "Setup",
  UNKNOWN: "Unknown",
  IDLE: "Idle",
  RUNNING: "Running",
};

const gapCauses: Record<GapCause, string> = {
  unreachable: "Source unreachable",
  sequence_gap: "Observations missing",
  agent_restart: "Agent restarted",
  torn_record: "Record damaged",
  overload: "Overload",
};

const english = {
  language: "en",
  /** For numbers and times: 24-hour clock, day before month. */
  locale: "en-GB",
  /** Shown where a value is not known; never 0. */
  none: "–",
  states,
  gapCauses,
  source: {
    connecting: "Connecting",
    streaming: "Streaming",
    polling: "Polling",
    unreachable: "Unreachable",
    stopped: "Collector stopped",
  },
  signals: {
    spindle_speed: "Spindle speed",
    feedrate: "Feedrate",
    feedrate_override: "Feed override",
  } as Record<string, string>,
  units: { spindle_speed: "1/min", feedrate: "mm/s", feedrate_override: "%" } as Record<string, string>,

  nav: { wall: "Wall", dashboard: "Dashboard", signOut: "Sign out", skip: "Skip to content", main: "Main" },

  link: {
    connecting: "Connecting …",
    lost: (time: string) => `No connection since ${time} — data is old`,
    signedOut: "You are signed out.",
    signIn: "Sign in again",
    noScript: "This page needs JavaScript to show live data. What you see is as old as the page.",
  },

  wall: {
    title: "Wall",
    machines: "Machines",
    counts: "Machines by state",
    part: "Part",
    parts: "Parts",
    oee: "OEE",
    thisShift: "this shift",
    partsThisShift: (shift: string) => `Parts, ${shift}`,
    oeeOf: (shift: string) => `OEE, ${shift}`,
    today: "today",
    data: "Data",
    dataAge: (age: string) => `${age} old`,
    noData: "none yet",
    faults: (n: number) => (n === 1 ? "1 fault active" : `${n} faults active`),
    warnings: (n: number) => (n === 1 ? "1 warning active" : `${n} warnings active`),
    since: (time: string) => `since ${time}`,
  },

  machine: {
    back: "All machines",
    part: "Part",
    program: "Program",
    mode: "Mode",
    execution: "Execution",
    source: "Source",
    lastData: "Last data",
    partsTitle: (shift: string) => `Parts, ${shift}`,
    total: "Total",
    good: "Good",
    reject: "Reject",
    oeeTitle: (shift: string) => `OEE, ${shift}`,
    trends: "Last 15 minutes",
    noTrends: "No numeric signal yet. A trend starts with the first value.",
    historyFailed: "Earlier values could not be loaded; the trend starts now.",
    timeline: (shift: string) => `Timeline, ${shift}`,
    conditions: "Active conditions",
    noConditions: "None",
    fault: "Fault",
    warning: "Warning",
    gap: "Gap in the data",
    report: "Report",
  },

  oee: {
    oee: "OEE",
    availability: "Availability",
    performance: "Performance",
    quality: "Quality",
    coverage: "Coverage",
    teep: "TEEP",
    overOne: "over 100 %: check the ideal cycle time",
    noFigures: "No figures yet for this period.",
  },

  dashboard: {
    title: "Dashboard",
    plant: "all machines",
    period: "Period",
    periods: { today: "Today", yesterday: "Yesterday", "7d": "Last 7 days", custom: "Custom" },
    from: "From",
    to: "To",
    by: "By",
    bys: { hour: "Hour", shift: "Shift", day: "Day" },
    apply: "Show",
    trend: (by: string) => `OEE by ${by.toLowerCase()}`,
    trendTable: "The same as a table",
    machines: "Machines",
    machine: "Machine",
    good: "Good",
    total: "Total",
    reject: "Reject",
    runTime: "Run time",
    plannedTime: "Planned",
    downTime: "Down",
    csv: "CSV",
    flags: "Notes",
    loading: "Loading …",
    failed: "The report could not be loaded. What is shown is the last one.",
    policy: "Policy in force",
    policyUnknown: { loss: "time without signal is a loss", excluded: "time without signal is excluded" },
    policyExcluded: (reasons: string) => `excluded from planned time: ${reasons}`,
    policyNoneExcluded: "every stop is a loss",
    policyMinor: (seconds: number) => `stops up to ${seconds} s are minor`,
    policyDiffers: "differs between machines; see each machine's page",
    coverageNote: (percent: string) => `${percent} of the scheduled time is known`,
    timeline: "Timeline",
    losses: "Where the time went",
    state: "State",
    time: "Time",
    share: "Share of planned time",
    longest: "Longest stops",
    noStops: "No stops in this period.",
    start: "Start",
    duration: "Duration",
    reason: "Reason",
    cause: "Cause",
    wallLink: "Live",
    back: "All machines",
    planned: "Planned",
  },

  signIn: {
    title: "Sign in",
    lead: "Machine telemetry and OEE for this plant.",
    key: "API key",
    keyHint: "The first key is in the file that MTC named when it started.",
    submit: "Sign in",
    link: "Started MTC just now? Open the one-time link from its terminal: it signs you in without a key.",
    errors: {
      wrong_key: "That key is not known. Check that you copied all of it.",
      link_used: "That link was used already or has expired. Sign in with an API key.",
      signed_out: "You are signed out.",
    },
  },

  welcome: {
    title: "Welcome. No machine yet.",
    lead: "Three steps to the first figures:",
    steps: [
      {
        title: "Name a machine",
        body: "Tell MTC where its MTConnect agent is; it goes on reading by itself.",
        code: (origin: string) =>
          `curl ${origin}/api/v1/machines -H "X-API-Key: $KEY" \\\n  -H "Content-Type: application/json" \\\n  -d '{"name":"Mill 1","source":{"kind":"mtconnect","url":"http://agent:5000"}}'`,
      },
      {
        title: "Or send observations yourself",
        body: 'With "source":{"kind":"http"} a machine takes what you post.',
        code: (origin: string) =>
          `curl ${origin}/internal/machines/$ID/data -H "X-API-Key: $KEY" \\\n  -H "Content-Type: application/json" \\\n  -d '{"observations":[{"signal":"execution","value":"ACTIVE",\n       "ts":"'$(date -u +%FT%TZ)'"}]}'`,
      },
      {
        title: "Watch it here",
        body: "The machine appears on this page with its first signal. Give it an ideal cycle time and a calendar for its OEE.",
        code: null,
      },
    ],
  },

  problems: {
    404: { title: "Not found", body: "There is no such page or machine here." },
    403: { title: "Not allowed", body: "Your key does not cover this page." },
    503: { title: "Busy", body: "MTC is starting or overloaded. Try again in a moment." },
    other: { title: "Something went wrong", body: "MTC could not make this page. The log has the details." },
  },
  home: "To the wall",
  status: (status: number) => `Error ${status}`,
};

export type Text = typeof english;
export const text: Text = english;
