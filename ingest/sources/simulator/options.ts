// The command line of `bun run simulate`: what may be asked for, within which bounds, and how it is told.
import { parseArgs } from "node:util";
import type { Dialect } from "./agent.ts";

export const HELP = `bun run simulate: a machine shop to try MTConnect and Modbus clients on, until SIGINT or SIGTERM.

The demo plant (CNCs behind MTConnect agents, a press wired to an ADAM-6050):
  --cncs <n>          CNCs, 1 to 1000 (4)
  --agents <n>        agents they are spread over, on ports from --agent-port up (1)
  --days <n>          days of past in the agents' buffers (3; 0 for more than 8 CNCs)
  --speed <x>         how much faster than the clock on the wall the plant lives (1)
  --start <time>      the plant's time at the start, ISO 8601 (now); a fast plant starts in the past
  --seed <text>       another seed tells other days (mtc)
  --faults <n>        on average n faults a minute: connections cut, reset, silent, slow, torn parts, wrong
                      Content-length, dead lines, agents that restart, a module without power (0)
  --unplugged         with --faults: the agents' lines are dead, and nothing else fails, until SIGUSR2; then each agent's
                      first page is held back until its --buffer has dropped all that it had
  --truth <file>      writes what the machines did and what faults took for good, a JSON object a line

A recording:
  --shdr <file>       replays SHDR lines under their own timestamps …
  --model <file>      … of a device in this Devices.xml (or probe)
  --device <name>     its name or uuid (the first)
  --speed <x>         times faster than recorded (everything at once)

Both:
  --dialect 1.4|2.x   as which generation of agents to speak (2.x); sets, tables and JSON are 2.x only
  --schema <version>  the schema the documents name (1.4 or 2.0); errors take its shape: 1.0, 2.6, or between
  --json 1|2          how 2.x prints JSON for clients that accept it (2)
  --buffer <n>        observations an agent holds, 16 to 10000000 (131072, and the past)
  --agent-port <n>    (5000; 0 is any free port)
  --modbus-port <n>   (5020; 0 is any free port)
  --host <address>    where to listen (127.0.0.1)

Then: curl http://127.0.0.1:5000/probe, /current, /sample?interval=1000; mbpoll -m tcp -p 5020 -t 0 -r 1 -c 12 127.0.0.1`;

const FLAGS = {
  help: { type: "boolean", short: "h" },
  cncs: { type: "string" },
  agents: { type: "string" },
  days: { type: "string" },
  speed: { type: "string" },
  start: { type: "string" },
  seed: { type: "string", default: "mtc" },
  faults: { type: "string", default: "0" },
  unplugged: { type: "boolean" },
  truth: { type: "string" },
  "agent-port": { type: "string", default: "5000" },
  "modbus-port": { type: "string", default: "5020" },
  host: { type: "string", default: "127.0.0.1" },
  buffer: { type: "string" },
  shdr: { type: "string" },
  model: { type: "string" },
  device: { type: "string" },
  dialect: { type: "string", default: "2.x" },
  schema: { type: "string" },
  json: { type: "string" },
} as const;

export type Options = {
  cncs?: number;
  agents?: number;
  days?: number;
  speed?: number;
  start_ms?: number;
  seed: string;
  faults: number;
  unplugged?: boolean;
  truth?: string;
  agentPort: number;
  modbusPort: number;
  hostname: string;
  bufferSize?: number;
  shdr?: string;
  model?: string;
  device?: string;
  dialect: Dialect;
  schema?: string;
  json_version?: 1 | 2;
};

/** Reads the command line. @throws Error saying which option is wrong, and how */
export function parseOptions(args: string[]): Options | "help" {
  const { values } = parseArgs({ args, options: FLAGS, strict: true });
  if (values.help) return "help";
  const { shdr, model, device, truth, unplugged, seed, dialect, schema, host } = values;
  if (dialect !== "1.4" && dialect !== "2.x") throw new Error(`--dialect is 1.4 or 2.x, not '${dialect}'`);
  if (unplugged && (Number(values.faults) === 0 || values.buffer === undefined))
    throw new Error("--unplugged needs --faults and --buffer");
  if (shdr !== undefined && model === undefined) throw new Error("--shdr needs --model");
  if (schema !== undefined && !/^[12]\.\d$/.test(schema))
    throw new Error(`--schema is a version like 1.4 or 2.6, not '${schema}'`);
  const start_ms = values.start === undefined ? undefined : Date.parse(values.start);
  if (Number.isNaN(start_ms))
    throw new Error(`--start takes a time like 2026-01-12T07:00:00Z, not '${values.start}'`);
  const number = (
    name: Exclude<keyof typeof values, "help" | "unplugged">,
    least: number,
    most: number,
    whole = true,
  ) => {
    const text = values[name];
    if (text === undefined) return undefined;
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value) || (whole && !Number.isInteger(value)))
      throw new Error(`--${name} takes a ${whole ? "whole " : ""}number, not '${text}'`);
    if (value < least || value > most) throw new Error(`--${name} is ${least} to ${most}, not ${text}`);
    return value;
  };
  return defined({
    cncs: number("cncs", 1, 1_000),
    agents: number("agents", 1, 1_000),
    days: number("days", 0, 30, false),
    speed: number("speed", 0.01, 10_000, false),
    start_ms,
    seed,
    faults: number("faults", 0, 600, false) ?? 0,
    unplugged,
    truth,
    agentPort: number("agent-port", 0, 65_535) ?? 0,
    modbusPort: number("modbus-port", 0, 65_535) ?? 0,
    hostname: host,
    bufferSize: number("buffer", 16, 10_000_000),
    shdr,
    model,
    device,
    dialect: dialect as Dialect,
    schema,
    json_version: number("json", 1, 2) as 1 | 2 | undefined,
  });
}

type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Without the entries nobody gave. */
const defined = <T extends object>(given: T): Defined<T> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Defined<T>;
