// The cluster without Docker: starts and stops the services of compose.yaml on loopback, and knows what it started.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { freePorts } from "../ingest/free-ports.ts";
import { ROLES, type Role } from "../server/config.ts";
import { backing, type Part, type Ports } from "./stack-parts.ts";

const HELP = `deploy/stack.sh up [--backing] [--port 3000]   starts it; --backing: without MTC itself
deploy/stack.sh status                         what runs, and whether it serves
deploy/stack.sh down [--remove]                stops what was started; --remove: its data as well

STACK_DIR says where its data, logs and pids are (${tmpdir()}/mtc-stack).`;

const ROOT = new URL("..", import.meta.url).pathname;
const DIR = process.env.STACK_DIR ?? join(tmpdir(), "mtc-stack");
const READY_WITHIN_MS = 90_000;
/** MTC ends in order within 29 s. */
const STOP_WITHIN_MS = 30_000;

/** A process that was started. A pid may be given to another one: when it began tells them apart. */
type Started = { name: string; is: string; pid: number; began: string; ready_url?: string };
type State = { ports: Ports & Record<Role, number>; started: Started[] };

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    backing: { type: "boolean", default: false },
    port: { type: "string" },
    remove: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const [command] = positionals;
if (values.help || command === undefined) console.log(HELP);
else if (command === "up") await up();
else if (command === "status") await status();
else if (command === "down") await down();
else fail(HELP);

async function up(): Promise<void> {
  mkdirSync(`${DIR}/logs`, { recursive: true, mode: 0o700 });
  const state = read() ?? { ports: portsByName(), started: [] };
  if (state.started.some(runs)) fail(`it runs already, in ${DIR}`);
  state.started = [];
  if (values.port !== undefined) state.ports.api = Number(values.port);
  try {
    const parts = backing(DIR, state.ports);
    await Promise.all(parts.map((part) => start(part, state)));
    if (values.backing) {
      for (const { settings } of parts)
        for (const [name, value] of Object.entries(settings ?? {})) console.log(`${name}=${value}`);
      return;
    }
    const settings = secrets(Object.assign({}, ...parts.map((part) => part.settings)));
    // One after the other: the first makes collections, topics and tables.
    for (const role of ["api", "relay", "collect"] as const) await start(mtc(role, state, settings), state);
    console.log(
      `MTC is at http://127.0.0.1:${state.ports.api}, its admin key in ${DIR}/secrets/MTC_ADMIN_KEY`,
    );
  } catch (error) {
    await stopAll(state);
    fail(`${(error as Error).message}; the logs are in ${DIR}/logs`);
  }
}

async function status(): Promise<void> {
  const started = read()?.started ?? [];
  if (started.length === 0) fail("nothing was started");
  for (const one of started) {
    const answer = one.ready_url
      ? await fetch(one.ready_url, { signal: AbortSignal.timeout(4_000) }).catch(() => undefined)
      : undefined;
    const word = !runs(one) ? "gone" : !one.ready_url ? "runs" : answer?.ok ? "ready" : "not ready";
    console.log(`${one.name.padEnd(12)}${String(one.pid).padEnd(10)}${word.padEnd(11)}${one.is}`);
  }
  if (!started.every(runs)) process.exit(1);
}

async function down(): Promise<void> {
  const state = read();
  if (state) await stopAll(state);
  if (values.remove) rmSync(DIR, { recursive: true, force: true });
}

/** Three processes of one role each, as in compose.yaml. */
function mtc(role: Role, { ports }: State, settings: Record<string, string>): Part & { ready_url: string } {
  const ready_url = `http://127.0.0.1:${ports[role]}/readyz`;
  return {
    name: role,
    is: "MTC",
    command: [process.execPath, `${ROOT}server/main.ts`],
    env: {
      ...settings,
      MTC_PROFILE: "cluster",
      MTC_ROLES: role,
      MTC_PORT: `${ports[role]}`,
      MTC_DATA_DIR: `${DIR}/${role}`,
    },
    async serves() {
      if (!(await fetch(ready_url, { signal: AbortSignal.timeout(4_000) })).ok) throw new Error("not ready");
    },
    ready_url,
  };
}

/** As in compose.yaml they come by files. */
function secrets(settings: Record<string, string>): Record<string, string> {
  const dir = `${DIR}/secrets`;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const key = `${dir}/MTC_ADMIN_KEY`;
  if (!existsSync(key)) writeFileSync(key, crypto.randomUUID() + crypto.randomUUID(), { mode: 0o600 });
  const files = Object.entries(settings).map(([name, value]) => {
    writeFileSync(`${dir}/${name}`, value, { mode: 0o600 });
    return [`${name}_FILE`, `${dir}/${name}`] as const;
  });
  return { ...Object.fromEntries(files), MTC_ADMIN_KEY_FILE: key };
}

async function start(part: Part & { ready_url?: string }, state: State): Promise<void> {
  const log = openSync(`${DIR}/logs/${part.name}.log`, "a", 0o600);
  // Settings of whoever calls this are not the stack's.
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("MTC_"));
  const env = { ...Object.fromEntries(inherited), ...part.env } as NodeJS.ProcessEnv;
  const run = ([program = "", ...args]: string[]) =>
    spawn(program, args, { cwd: DIR, env, detached: true, stdio: ["ignore", log, log] });
  if (part.before) {
    const before = run(part.before);
    const code = await new Promise((resolve) => before.on("exit", resolve).on("error", resolve));
    if (code !== 0) throw new Error(`${part.name}: ${part.before.join(" ")} ended with ${code}`);
  }
  const child = run(part.command);
  let failed: string | undefined;
  child.on("error", ({ message }) => (failed = message));
  child.on("exit", (code, signal) => (failed = `it ended with ${code ?? signal}`));
  child.unref();
  if (child.pid === undefined) throw new Error(`${part.name}: ${part.command[0]} does not start`);
  const { name, is, ready_url } = part;
  state.started.push({
    name,
    is,
    pid: child.pid,
    began: began(child.pid),
    ...(ready_url ? { ready_url } : {}),
  });
  write(state);
  const end = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const problem = await part.serves().then(
      () => undefined,
      (error: Error) => error.message,
    );
    if (failed !== undefined) throw new Error(`${name}: ${failed}`);
    if (problem === undefined) break;
    if (Date.now() > end) throw new Error(`${name} does not serve: ${problem}`);
    await Bun.sleep(200);
  }
  console.error(`${name.padEnd(12)}${is}`);
}

/** The program first, then what it stands on; just what was started, and none that came to its pid since. */
async function stopAll(state: State): Promise<void> {
  const isProgram = ({ ready_url }: Started): boolean => ready_url !== undefined;
  for (const group of [state.started.filter(isProgram), state.started.filter((one) => !isProgram(one))])
    await Promise.all(group.map(stop));
  write({ ...state, started: [] });
}

async function stop(one: Started): Promise<void> {
  const end = Date.now() + STOP_WITHIN_MS;
  if (runs(one)) process.kill(one.pid, "SIGTERM");
  while (runs(one) && Date.now() < end) await Bun.sleep(50);
  if (runs(one)) process.kill(one.pid, "SIGKILL");
}

function runs({ pid, began: then }: Started): boolean {
  return then !== "" && began(pid) === then;
}

/** In the kernel's ticks; empty for one that is not there, or whose end was not looked at yet. */
function began(pid: number): string {
  try {
    // The name before it may hold spaces and brackets.
    const [state, ...fields] = (readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1) ?? "").split(
      " ",
    );
    return state === "Z" ? "" : (fields[18] ?? "");
  } catch {
    return "";
  }
}

function read(): State | undefined {
  const file = `${DIR}/state.json`;
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as State) : undefined;
}

function write(state: State): void {
  writeFileSync(`${DIR}/state.json`, JSON.stringify(state), { mode: 0o600 });
}

function portsByName(): State["ports"] {
  const names = ["kafka", "controller", "mongo", "clickhouse", "redis", ...ROLES] as const;
  const free = freePorts(names.length);
  const ports = Object.fromEntries(names.map((name, n) => [name, free[n]])) as State["ports"];
  return { ...ports, api: 3000 };
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
