// Runs a simulator alone: `bun run simulate`, the demo plant or a recorded SHDR file behind an agent.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Dialect, startAgent } from "./agent.ts";
import { deviceModelFromXml } from "./model.ts";
import { startDemoPlant } from "./plant.ts";
import { replay } from "./shdr.ts";

const USAGE = `bun run simulate [--cncs 4] [--days 3] [--speed 1] [--seed text] [--agent-port 5000] [--modbus-port 5020]
bun run simulate --shdr <file> --model <devices.xml> [--device name] [--speed x] [--dialect 1.4|2.x] [--agent-port 5000]
  --speed of a recording: times faster than recorded; without it everything at once`;

const OPTIONS = {
  cncs: { type: "string" },
  days: { type: "string" },
  speed: { type: "string" },
  seed: { type: "string" },
  "agent-port": { type: "string", default: "5000" },
  "modbus-port": { type: "string", default: "5020" },
  shdr: { type: "string" },
  model: { type: "string" },
  device: { type: "string" },
  dialect: { type: "string", default: "1.4" },
} as const;

type Stop = () => Promise<void>;

function options() {
  const { values } = parseArgs({ options: OPTIONS, strict: true });
  const number = (name: "cncs" | "days" | "speed" | "agent-port" | "modbus-port"): number | undefined => {
    const text = values[name];
    if (text === undefined) return undefined;
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value) || value < 0)
      throw new Error(`--${name} takes a number, not '${text}'`);
    return value;
  };
  if (values.dialect !== "1.4" && values.dialect !== "2.x")
    throw new Error(`--dialect is 1.4 or 2.x, not '${values.dialect}'`);
  if (values.shdr !== undefined && values.model === undefined) throw new Error("--shdr needs --model");
  return { ...values, dialect: values.dialect as Dialect, number };
}

async function startPlant({ number, seed }: ReturnType<typeof options>): Promise<Stop> {
  const [cncs, days, speed] = [number("cncs"), number("days"), number("speed")];
  const plant = await startDemoPlant({
    agentPort: number("agent-port") ?? 0,
    modbusPort: number("modbus-port") ?? 0,
    ...(cncs !== undefined && { cncs }),
    ...(days !== undefined && { days }),
    ...(speed !== undefined && { speed }),
    ...(seed !== undefined && { seed }),
  });
  console.log(`MTConnect agent: ${plant.agentUrl}/probe (${plant.devices.length} machines)`);
  console.log(`ADAM-6050: modbus-tcp://${plant.modbus.host}:${plant.modbus.port} unit ${plant.modbus.unit}`);
  return plant.stop;
}

async function startReplay(shdr: string, ask: ReturnType<typeof options>): Promise<Stop> {
  const device = deviceModelFromXml(readFileSync(ask.model ?? "", "utf8"), ask.device);
  const agent = startAgent({ devices: [device], port: ask.number("agent-port") ?? 0, dialect: ask.dialect });
  console.log(`MTConnect agent: ${agent.url}/probe (${device.name})`);
  const speed = ask.number("speed");
  const ended = new AbortController();
  const replaying = replay(readFileSync(shdr, "utf8").split("\n"), agent, device, {
    signal: ended.signal,
    ...(speed !== undefined && { speed }),
  }).then(({ observations, torn, unknown }) =>
    console.log(`replayed ${observations} observations; ${torn} torn lines, ${unknown} unknown keys`),
  );
  return async () => {
    ended.abort();
    await Promise.all([agent.stop(), replaying]);
  };
}

try {
  const ask = options();
  let stop: Stop = async () => {};
  // Before anything is printed: whoever reads the output may end us at once.
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => void stop().then(() => process.exit(0)));
  stop = await (ask.shdr === undefined ? startPlant(ask) : startReplay(ask.shdr, ask));
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n${USAGE}`);
  process.exit(2);
}
