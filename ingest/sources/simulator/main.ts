// Runs a simulator alone: `bun run simulate`, the demo plant or a recorded SHDR file behind an agent.
import { readFileSync } from "node:fs";
import { startAgent } from "./agent.ts";
import { startFaults } from "./faults/faults.ts";
import { deviceModelFromXml } from "./model.ts";
import { HELP, type Options, parseOptions } from "./options.ts";
import { type DemoPlant, startDemoPlant } from "./plant.ts";
import { replay } from "./shdr.ts";
import { type Log, truthFile } from "./truth.ts";

type Stop = () => Promise<void>;

async function startPlant(ask: Options): Promise<Stop> {
  const log = ask.truth === undefined ? () => {} : truthFile(ask.truth);
  const faulty = ask.faults > 0;
  const plant = await startDemoPlant({
    ...ask,
    // Behind faulty lines the simulators' own ports are nobody's business.
    agentPort: faulty ? 0 : ask.agentPort,
    modbusPort: faulty ? 0 : ask.modbusPort,
    now: ask.start_ms ?? Date.now(),
    log,
  });
  const faults = faulty
    ? await startFaults(plant, { ...ask, per_minute: ask.faults, seed: ask.seed, log })
    : undefined;
  const agent_urls = faults?.agent_urls ?? plant.cells.map(({ agent }) => agent.url);
  // Before anything is printed: whoever reads the output may plug in at once.
  if (faults && ask.unplugged) process.once("SIGUSR2", () => void faults.plugIn());
  const { host, port } = faults?.modbus ?? plant.modbus;
  if (ask.truth !== undefined) tellMachines(plant, log, agent_urls, { host, port });
  plant.cells.forEach((cell, i) => {
    console.log(`MTConnect agent: ${agent_urls[i]}/probe (${cell.cncs.length} machines)`);
  });
  console.log(`ADAM-6050: modbus-tcp://${host}:${port} unit ${plant.modbus.unit}`);
  if (faulty) console.log(`faults: ${ask.faults} a minute, seed ${ask.seed}`);
  return async () => {
    if (ask.truth !== undefined) tellStates(plant, log);
    await faults?.stop();
    await plant.stop();
  };
}

/** Each machine as one would register it. */
function tellMachines(
  plant: DemoPlant,
  log: Log,
  agent_urls: string[],
  at: { host: string; port: number },
): void {
  plant.cells.forEach((cell, i) => {
    for (const { uuid } of cell.cncs) {
      const device = plant.devices.find((one) => one.uuid === uuid);
      if (!device) continue;
      const { agent_url: _, manufacturer: __, ...machine } = device;
      const url = agent_urls[i] ?? "";
      log({ kind: "machine", ...machine, source: { kind: "mtconnect", url, device: uuid } });
    }
  });
  const { host: _, port: __, unit, map, ...machine } = plant.modbus;
  log({ kind: "machine", ...machine, source: { kind: "modbus", ...at, unit, map } });
}

/** The CNCs' whole lives; the press has told its own as it went. */
function tellStates(plant: DemoPlant, log: Log): void {
  for (const { uuid: machine } of plant.devices) {
    const { intervals, made, counters } = plant.truth(machine);
    for (const interval of intervals) log({ kind: "state", machine, ...interval });
    for (const part of made) log({ kind: "part", machine, ...part });
    for (const counter of counters) log({ kind: "counter", machine, ...counter });
  }
  plant.press.end();
}

async function startReplay(shdr: string, ask: Options): Promise<Stop> {
  const device = deviceModelFromXml(readFileSync(ask.model ?? "", "utf8"), ask.device);
  const agent = startAgent({
    devices: [device],
    port: ask.agentPort,
    hostname: ask.hostname,
    dialect: ask.dialect,
    ...(ask.schema !== undefined && { schema: ask.schema }),
    ...(ask.json_version !== undefined && { json_version: ask.json_version }),
    ...(ask.bufferSize !== undefined && { buffer_size: ask.bufferSize }),
  });
  console.log(`MTConnect agent: ${agent.url}/probe (${device.name})`);
  const ended = new AbortController();
  const replaying = replay(readFileSync(shdr, "utf8").split("\n"), agent, device, {
    signal: ended.signal,
    ...(ask.speed !== undefined && { speed: ask.speed }),
  }).then(({ observations, torn, unknown }) =>
    console.log(`replayed ${observations} observations; ${torn} torn lines, ${unknown} unknown keys`),
  );
  return async () => {
    ended.abort();
    await Promise.all([agent.stop(), replaying]);
  };
}

try {
  const ask = parseOptions(process.argv.slice(2));
  if (ask === "help") {
    console.log(HELP);
    process.exit(0);
  }
  let stop: Stop = async () => {};
  // Before anything is printed: whoever reads the output may end us at once.
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => void stop().then(() => process.exit(0)));
  stop = await (ask.shdr === undefined ? startPlant(ask) : startReplay(ask.shdr, ask));
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n${HELP}`);
  process.exit(2);
}
