// Runs the real program against the simulator for a while, faults and all, and compares the two at the end.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { pace, until } from "../../.ci/limits.ts";
import { formatTimestamp_us, parseTimestamp_us } from "../../ingest/time.ts";
import { type Comparison, compare, type MachineTruth, readTruth } from "./drift.ts";
import { discard, startServer, type TestServer, tempDir } from "./server.ts";

const MAIN = new URL("../../ingest/sources/simulator/main.ts", import.meta.url).pathname;

export type DriftRun = {
  /** Wall clock. */
  duration_s: number;
  speed: number;
  faults_per_minute: number;
  seed: string;
  /** The plant's time at the start, ISO 8601. */
  start: string;
  /** Further options of the simulator. */
  simulate?: string[];
  data_dir?: string;
  /** Starts what is asked, where it is not one program on that directory. */
  serve?: () => Promise<TestServer>;
  /** Called now and then while it runs. */
  watch?: (server: TestServer, simulator_pid: number) => Promise<void>;
  watch_every_ms?: number;
};

export type DriftResult = { comparisons: Comparison[]; faults: Record<string, number>; output: string };

/** A poll of the module and what scheduling adds to it. */
const POLL_US = 500_000;
const MARGIN_S = 2;
const DAY_US = 86_400e6;

export async function driftRun(run: DriftRun): Promise<DriftResult> {
  const dir = mkdtempSync(`${tmpdir()}/mtc-drift-`);
  const server = await (run.serve?.() ?? startServer({}, run.data_dir ?? tempDir()));
  let simulator: Simulator | undefined;
  try {
    simulator = await startSimulator(run, `${dir}/truth.ndjson`);
    const registered = readTruth(simulator.truth).machines;
    await register(server, registered);
    if (run.faults_per_minute > 0) {
      // An agent's clock is not ours: only from its first answer on can MTC say what of the agent's time it missed.
      await unreachable(server, registered);
      simulator.plugIn();
      await heard(simulator.truth);
    }
    const end_ms = Date.now() + run.duration_s * 1000;
    while (Date.now() < end_ms) {
      await pace(Math.min(run.watch_every_ms ?? 60_000, end_ms - Date.now()));
      await run.watch?.(server, simulator.pid);
    }
    // What the plant does after that, and what becomes of it, is none of the comparison's.
    const elapsed_s = (Date.now() - simulator.begun_ms) / 1_000;
    const begun_us = parseTimestamp_us(run.start) ?? 0;
    const to_us = Math.round(begun_us + (elapsed_s - MARGIN_S) * 1e6 * run.speed);
    await caughtUp(server, readTruth(simulator.truth).machines, to_us);
    await simulator.stop();
    await server.settled();
    const { machines, faults } = readTruth(simulator.truth);
    const comparisons: Comparison[] = [];
    for (const truth of machines) {
      const wired = truth.machine.source.kind === "modbus";
      const window = wired ? readTime(truth) : { from_us: truth.heard_us || begun_us, to_us };
      comparisons.push(await compare(server, truth, window, wired ? POLL_US : 0));
    }
    const counts: Record<string, number> = {};
    for (const { fault } of faults) counts[fault] = (counts[fault] ?? 0) + 1;
    return { comparisons, faults: counts, output: server.output() };
  } finally {
    await simulator?.stop();
    if (run.data_dir === undefined) await discard(server);
    else await server.stop();
    if (run.data_dir === undefined) rmSync(dir, { recursive: true, force: true });
    else console.log(`truth: ${dir}/truth.ndjson`);
  }
}

type Simulator = { begun_ms: number; truth: string; pid: number; plugIn(): void; stop(): Promise<void> };

async function startSimulator(
  { speed, seed, start, faults_per_minute, simulate = [] }: DriftRun,
  truth: string,
): Promise<Simulator> {
  const ask = {
    speed,
    seed,
    start,
    faults: faults_per_minute,
    truth,
    days: 0,
    "agent-port": 0,
    "modbus-port": 0,
  };
  const args = Object.entries(ask).flatMap(([name, value]) => [`--${name}`, String(value)]);
  if (faults_per_minute > 0) args.push("--unplugged");
  const child = Bun.spawn([process.execPath, MAIN, ...args, ...simulate], {
    stdout: "pipe",
    stderr: "inherit",
  });
  let output = "";
  void (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of child.stdout) output += decoder.decode(chunk);
  })();
  await until(() => output.includes("ADAM-6050") || undefined);
  return {
    begun_ms: Date.now(),
    truth,
    pid: child.pid,
    plugIn: () => child.kill("SIGUSR2"),
    stop: async () => {
      child.kill("SIGTERM");
      await child.exited;
    },
  };
}

/** As a customer does it. */
async function register(server: TestServer, machines: MachineTruth[]): Promise<void> {
  for (const { machine } of machines) {
    const { uuid: id, name, source } = machine;
    const { status, body } = await server.call("POST", "/api/v1/machines", { id, name, source });
    if (status !== 201) throw new Error(`${id}: ${status} ${JSON.stringify(body)}`);
  }
}

/**
 * MTC misses the machines behind agents since they were registered, and says so. Once it does of an agent's last one it has
 * them all, and its first contact is of all.
 */
async function unreachable(server: TestServer, machines: MachineTruth[]): Promise<void> {
  const last = new Map<string, string>();
  for (const { machine } of machines)
    if (machine.source.kind === "mtconnect") last.set(machine.source.url, machine.uuid);
  for (const id of last.values()) {
    await until(async () => {
      const path = `/api/v1/machines/${id}/gaps?from=2000-01-01T00:00:00Z`;
      const { body } = await server.call<{ rows: { to: string | null; cause: string }[] }>("GET", path);
      return body.rows.some(({ to, cause }) => to === null && cause === "unreachable") || undefined;
    });
  }
}

/** Every agent has been heard: the comparison begins there. */
async function heard(truth: string): Promise<void> {
  const isHeard = ({ machine, heard_us }: MachineTruth): boolean =>
    machine.source.kind !== "mtconnect" || heard_us > 0;
  await until(() => readTruth(truth).machines.every(isHeard) || undefined);
}

/** MTC has heard every agent tell of the time after `to_us`; a fault that lasts may keep it from that for a while. */
async function caughtUp(server: TestServer, machines: MachineTruth[], to_us: number): Promise<void> {
  const agents = Map.groupBy(machines, ({ machine: { source } }) =>
    source.kind === "mtconnect" ? source.url : "",
  );
  agents.delete("");
  for (const [url, served] of agents) {
    console.log(`waiting until ${url} has told of ${formatTimestamp_us(to_us)}`);
    await until(async () => {
      for (const { machine } of served) {
        const path = `/api/v1/machines/${machine.uuid}/observations`;
        const span = `from=${formatTimestamp_us(to_us)}&to=${formatTimestamp_us(to_us + DAY_US)}`;
        const { status, body } = await server.call<{ rows: unknown[] }>("GET", `${path}?${span}&limit=1`);
        if (status !== 200) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
        if (body.rows.length > 0) return true;
      }
      return undefined;
    }, 120);
  }
  // The gap of the last loss closes right after.
  for (const { machine } of [...agents.values()].flat())
    await until(async () => {
      const path = `/api/v1/machines/${machine.uuid}/gaps`;
      const span = `from=${formatTimestamp_us(0)}&to=${formatTimestamp_us(to_us + DAY_US)}`;
      const { body } = await server.call<{ rows: { to: string | null }[] }>("GET", `${path}?${span}`);
      return body.rows.every(({ to }) => to !== null);
    });
}

/** From the first read of a module to the last. */
function readTime({ states, counters }: MachineTruth): { from_us: number; to_us: number } {
  const from_us = states[0]?.from_us ?? 0;
  const to_us = Math.max(states.at(-1)?.from_us ?? 0, counters.at(-1)?.ts_us ?? 0);
  return { from_us: from_us + 4 * POLL_US, to_us: to_us - 4 * POLL_US };
}
