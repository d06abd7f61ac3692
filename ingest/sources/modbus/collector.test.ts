// The Modbus collector against a real Modbus/TCP server: an ADAM-6050 in memory.
import { afterEach, expect, test } from "bun:test";
import { ServerTCP } from "modbus-serial";
import { MemorySink, until } from "../memory-sink.ts";
import { type ModbusOptions, startModbus } from "./collector.ts";
import { blocksOf } from "./device.ts";
import { ADAM_6050, type ModbusPoint } from "./map.ts";

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.stop();
});

/** Coils and registers of a device that can be switched off and on again. */
class Device {
  readonly coils: boolean[] = Array.from({ length: 22 }, () => false);
  readonly registers: number[] = Array.from({ length: 40 }, () => 0);
  reads = 0;
  port = 0;
  #server: ServerTCP | undefined;

  static async start(): Promise<Device> {
    const device = new Device();
    running.push(device);
    await device.start();
    return device;
  }

  async start(): Promise<void> {
    const server = new ServerTCP(
      {
        getCoil: (address: number) => this.coils[address] ?? false,
        getHoldingRegister: (address: number) => {
          if (address === 0) this.reads += 1;
          return this.registers[address] ?? 0;
        },
      },
      { host: "127.0.0.1", port: this.port, unitID: 1 },
    );
    this.#server = server;
    await new Promise<void>((resolve) => server.on("initialized", () => resolve()));
    const listening = (server as unknown as { _server: { address(): { port: number } } })._server.address();
    this.port = listening.port;
  }

  get connections(): number {
    return this.#server?.socks.size ?? 0;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    for (const socket of server.socks.keys()) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

function collect(device: Device, sink: MemorySink, options: Partial<ModbusOptions> = {}) {
  const collector = startModbus({
    host: "127.0.0.1",
    port: device.port,
    map: RULES,
    machine_id: "press",
    sink,
    poll_ms: 10,
    timeout_ms: 200,
    backoff: { first_ms: 10, max_ms: 50 },
    ...options,
  });
  running.push(collector);
  return collector;
}

const RULES: ModbusPoint[] = [
  { signal: "execution", kind: "di", address: 0, words: ["READY", "ACTIVE"] },
  { signal: "condition:fault", kind: "di", address: 1, words: ["NORMAL", "FAULT"] },
  { signal: "part_count", kind: "holding", address: 0, type: "uint32", word_order: "low-first" },
  { signal: "part_count_bad", kind: "holding", address: 2, type: "uint32", word_order: "low-first" },
];

const values = (sink: MemorySink, signal: string) =>
  sink.rows.filter((row) => row.signal === signal).map(({ value }) => value);

test("inputs become words, counters 32-bit numbers with the low word first, told once and then on change", async () => {
  const device = await Device.start();
  device.registers.splice(0, 4, 0x0002, 0x0001, 7, 0);
  const sink = new MemorySink();
  const before_us = Date.now() * 1_000;
  collect(device, sink);
  await until("a first read", () => sink.rows.length >= 5);
  expect(sink.rows.map(({ signal, value }) => [signal, value])).toEqual([
    ["availability", "AVAILABLE"],
    ["execution", "READY"],
    ["condition:fault", "NORMAL"],
    ["part_count", 65_538],
    ["part_count_bad", 7],
  ]);
  for (const { ts_us } of sink.rows) {
    expect(ts_us).toBeGreaterThanOrEqual(before_us);
    expect(ts_us).toBeLessThanOrEqual(Date.now() * 1_000);
  }
  const reads = device.reads;
  await until("more reads", () => device.reads > reads + 5);
  expect(sink.rows).toHaveLength(5);
  device.coils[0] = true;
  device.registers[0] = 3;
  await until("the change", () => values(sink, "part_count").length === 2);
  expect(values(sink, "execution")).toEqual(["READY", "ACTIVE"]);
  expect(values(sink, "part_count")).toEqual([65_538, 65_539]);
  expect(sink.gaps.size).toBe(0);
});

test("invariant 4: a device that is away is a gap from the last good read to the first new one", async () => {
  const device = await Device.start();
  const sink = new MemorySink();
  const collector = collect(device, sink);
  await until("a first read", () => sink.rows.length >= 5);
  await device.stop();
  await until("unreachable", () => collector.status().state === "unreachable" && sink.lost().length === 1);
  expect(sink.lost()[0]).toMatchObject({ machine_id: "press", cause: "unreachable", to_us: 0 });
  device.coils[0] = true;
  await device.start();
  await until("closed", () => (sink.lost()[0]?.to_us ?? 0) > 0);
  const [gap] = sink.lost();
  const told_again = sink.rows.slice(5);
  expect(told_again.map(({ signal }) => signal)).toContain("part_count");
  expect(values(sink, "execution")).toEqual(["READY", "ACTIVE"]);
  expect(gap?.to_us).toBe(told_again[0]?.ts_us ?? 0);
  expect(sink.gaps.size).toBe(1);
});

test("invariant 4: the time between two runs is a gap", async () => {
  const device = await Device.start();
  const sink = new MemorySink();
  const first = collect(device, sink);
  await until("a first read", () => sink.rows.length >= 5);
  await first.stop();
  const stopped_us = Date.now() * 1_000;
  await Bun.sleep(30);
  collect(device, sink);
  await until("a new read", () => sink.rows.length >= 10 && sink.lost().every(({ to_us }) => to_us > 0));
  const [gap] = sink.lost();
  expect(gap?.from_us).toBeLessThanOrEqual(stopped_us);
  expect(gap?.to_us).toBeGreaterThanOrEqual(stopped_us + 29_000);
});

test("a wrong unit is silence, ends in a time-out and is told in the status", async () => {
  const device = await Device.start();
  const sink = new MemorySink();
  const collector = collect(device, sink, { unit: 9 });
  await until("unreachable", () => collector.status().state === "unreachable");
  expect(collector.status().error).toMatch(/timed? ?out/i);
  expect(sink.rows).toHaveLength(0);
});

test("a value counts only once it held for its debounce, with the time it began", async () => {
  const device = await Device.start();
  const sink = new MemorySink();
  collect(device, sink, {
    map: [{ signal: "execution", kind: "coil", address: 0, words: ["READY", "ACTIVE"], debounce_ms: 150 }],
  });
  await until("a first read", () => sink.rows.length >= 2);
  device.coils[0] = true;
  await Bun.sleep(50);
  device.coils[0] = false;
  await Bun.sleep(50);
  const began_us = Date.now() * 1_000;
  device.coils[0] = true;
  await until("ACTIVE", () => values(sink, "execution").length === 2);
  const active = sink.rows.at(-1);
  expect(active?.value).toBe("ACTIVE");
  expect(Math.abs((active?.ts_us ?? 0) - began_us)).toBeLessThan(100_000);
  expect(Date.now() * 1_000 - began_us).toBeGreaterThan(149_000);
});

test("close_after_read leaves the device to others, without telling everything again", async () => {
  const device = await Device.start();
  const sink = new MemorySink();
  collect(device, sink, { close_after_read: true, poll_ms: 50 });
  await until("five reads", () => device.reads >= 5);
  await until("nobody connected", () => device.connections === 0);
  expect(sink.rows).toHaveLength(5);
  expect(sink.gaps.size).toBe(0);
});

test("a sink that fails loses no change", async () => {
  const device = await Device.start();
  const sink = new MemorySink();
  collect(device, sink);
  await until("a first read", () => sink.rows.length >= 5);
  let failures = 2;
  sink.before = () => {
    if (failures-- > 0) throw new Error("disk full");
  };
  device.coils[0] = true;
  await until("ACTIVE", () => values(sink, "execution").includes("ACTIVE"));
});

test("the ADAM-6050 map is two requests: twelve inputs, twelve counters", async () => {
  expect(blocksOf(ADAM_6050).map(({ fc, address, length }) => [fc, address, length])).toEqual([
    ["readCoils", 0, 12],
    ["readHoldingRegisters", 0, 24],
  ]);
  const device = await Device.start();
  device.coils[11] = true;
  device.registers[22] = 5;
  const sink = new MemorySink();
  collect(device, sink, { map: "adam-6050" });
  await until("a first read", () => sink.rows.length >= 25);
  expect(values(sink, "di11")).toEqual([1]);
  expect(values(sink, "di0")).toEqual([0]);
  expect(values(sink, "counter11")).toEqual([5]);
});

test("registers of every type", async () => {
  const device = await Device.start();
  const float = Buffer.alloc(4);
  float.writeFloatBE(-12.5);
  device.registers.splice(0, 6, 0xffff, 0xffff, 1, 0, float.readUInt16BE(0), float.readUInt16BE(2));
  const sink = new MemorySink();
  collect(device, sink, {
    map: [
      { signal: "a", kind: "holding", address: 0 },
      { signal: "b", kind: "holding", address: 1, type: "int16", scale: 0.5 },
      { signal: "c", kind: "holding", address: 2, type: "uint32" },
      { signal: "d", kind: "holding", address: 4, type: "float32" },
    ],
  });
  await until("a first read", () => sink.rows.length >= 5);
  expect(sink.rows.slice(1).map(({ value }) => value)).toEqual([65_535, -0.5, 65_536, -12.5]);
});
