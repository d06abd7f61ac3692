// Others' Modbus: pymodbus and jsmodbus serve as ADAM-6050 to our poller, mbpoll reads our simulated one.
import { afterEach, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { server as jsmodbus } from "jsmodbus";
import { until } from "../../../.ci/limits.ts";
import { findMbpoll, findPymodbus } from "../../../.ci/modbus-peers.ts";
import { MemorySink } from "../memory-sink.ts";
import { startAdam6050 } from "../simulator/adam6050.ts";
import type { ModbusMap } from "./map.ts";
import { startModbus } from "./poller.ts";

const running: { stop(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.stop();
});

const python = findPymodbus();
const mbpoll = findMbpoll();
const OFTEN_MS = 10;

/** A module served by somebody else's program. */
type Module = {
  port: number;
  /** Input `n`, as coil and as discrete input. */
  setInput(n: number, on: boolean): Promise<void>;
  setCounter(n: number, value: number): Promise<void>;
  stop(): Promise<unknown>;
};

async function startJsmodbus(): Promise<Module> {
  const tcp = createServer().listen(0, "127.0.0.1");
  await once(tcp, "listening");
  const [coils, discrete, holding] = [Buffer.alloc(3), Buffer.alloc(3), Buffer.alloc(48)];
  const module = new jsmodbus.TCP(tcp, { coils, discrete, holding, input: Buffer.alloc(48) });
  const sockets = new Set<{ destroy(): void }>();
  tcp.on("connection", (socket) => sockets.add(socket));
  return {
    port: (tcp.address() as AddressInfo).port,
    async setInput(n, on) {
      for (const bits of [module.coils, module.discrete]) {
        const bit = 1 << (n & 7);
        bits[n >> 3] = on ? (bits[n >> 3] ?? 0) | bit : (bits[n >> 3] ?? 0) & ~bit;
      }
    },
    async setCounter(n, value) {
      module.holding.writeUInt16BE(value & 0xffff, 4 * n);
      module.holding.writeUInt16BE(value >>> 16, 4 * n + 2);
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => tcp.close(resolve));
    },
  };
}

async function startPymodbus(python: string): Promise<Module> {
  const child = Bun.spawn([python, `${import.meta.dir}/pymodbus-server.py`], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  /** Its answers, a line at a time. */
  let text = "";
  const line = async (): Promise<string> => {
    while (!text.includes("\n")) {
      const { value, done } = await lines.read();
      if (done) throw new Error("pymodbus ended");
      text += value;
    }
    const end = text.indexOf("\n");
    const first = text.slice(0, end);
    text = text.slice(end + 1);
    return first;
  };
  const set = async (fc: number, address: number, value: number): Promise<void> => {
    await child.stdin.write(`${fc} ${address} ${value}\n`);
    await child.stdin.flush();
    expect(await line()).toBe("set");
  };
  return {
    port: Number(await line()),
    async setInput(n, on) {
      await set(1, n, on ? 1 : 0);
      await set(2, n, on ? 1 : 0);
    },
    async setCounter(n, value) {
      await set(3, 2 * n, value & 0xffff);
      await set(3, 2 * n + 1, value >>> 16);
    },
    async stop() {
      child.kill();
      await child.exited;
    },
  };
}

/** The same day for every module: what was set is what is observed, each value once. */
async function observed(module: Module, map: ModbusMap): Promise<void> {
  running.push(module);
  await module.setInput(0, true);
  await module.setCounter(11, 70_000);
  const sink = new MemorySink();
  const machine = { machine_id: "press", map, poll_ms: OFTEN_MS };
  const backoff = { first_ms: 50, max_ms: 200 };
  const poller = startModbus({ host: "127.0.0.1", port: module.port, machines: [machine], sink, backoff });
  running.push(poller);
  const values = (signal: string) =>
    sink.rows.filter((row) => row.signal === signal).map(({ value }) => value);
  // A counter is two registers that are set one after the other: what is read between is another number.
  const last = (signal: string) => values(signal).at(-1);
  await until(() => sink.rows.length === 25);
  expect(values("availability")).toEqual(["AVAILABLE"]);
  expect([values("di0"), values("di11"), values("counter11"), values("counter0")]).toEqual([
    [1],
    [0],
    [70_000],
    [0],
  ]);
  await module.setInput(0, false);
  await module.setInput(11, true);
  await until(() => values("di0").length + values("di11").length === 4);
  expect([values("di0"), values("di11")]).toEqual([
    [1, 0],
    [0, 1],
  ]);
  await module.setCounter(11, 70_001);
  await module.setCounter(0, 2 ** 32 - 1);
  await until(() => last("counter0") === 2 ** 32 - 1 && last("counter11") === 70_001);
  expect(values("counter11")).toEqual([70_000, 70_001]);
  expect(poller.status("press").state).toBe("polling");
  expect(poller.status("press").error).not.toContain("refused");
  expect(sink.gaps.size).toBe(0);
}

describe.each<[string, ModbusMap]>([
  ["coils", "adam-6050"],
  ["discrete inputs", { module: "adam-6050", inputs: "discrete" }],
])("an ADAM-6050 with its inputs as %s", (_, map) => {
  test("served by jsmodbus", async () => {
    await observed(await startJsmodbus(), map);
  });

  test.skipIf(!python)("served by pymodbus (skipped where there is none)", async () => {
    await observed(await startPymodbus(python ?? ""), map);
  });
});

test.skipIf(!python)(
  "a register that pymodbus has not is refused and told, the others are read",
  async () => {
    const module = await startPymodbus(python ?? "");
    running.push(module);
    const sink = new MemorySink();
    const map: ModbusMap = [
      { signal: "last", kind: "holding", address: 23 },
      { signal: "beyond", kind: "holding", address: 24 },
    ];
    const machines = [{ machine_id: "press", map, poll_ms: OFTEN_MS }];
    const backoff = { first_ms: 50, max_ms: 200 };
    const poller = startModbus({ host: "127.0.0.1", port: module.port, machines, sink, backoff });
    running.push(poller);
    await until(() => sink.rows.length === 3);
    expect(sink.rows.map(({ signal, value }) => [signal, value])).toContainEqual(["beyond", "UNAVAILABLE"]);
    expect(sink.rows.map(({ signal, value }) => [signal, value])).toContainEqual(["last", 0]);
    expect(poller.status("press").error).toContain("address 24 refused");
  },
);

test.skipIf(!mbpoll)("the simulated ADAM-6050, read by mbpoll (skipped where there is none)", async () => {
  const adam = await startAdam6050();
  running.push(adam);
  adam.setInput(0, true);
  adam.setInput(11, true);
  adam.setCounter(0, 70_000);
  adam.setCounter(11, 5);
  const asked = async (...options: string[]): Promise<Record<string, string>> => {
    const child = Bun.spawn(
      [mbpoll ?? "", "-0", "-1", "-q", "-p", String(adam.port), ...options, adam.host],
      {
        stdout: "pipe",
      },
    );
    const text = await new Response(child.stdout).text();
    return Object.fromEntries(
      [...text.matchAll(/^\[(\d+)\]:\s+(\S+)/gm)].map(([, at, value]) => [at, value]),
    );
  };
  const bits = {
    "0": "1",
    ...Object.fromEntries(Array.from({ length: 10 }, (_, n) => [n + 1, "0"])),
    "11": "1",
  };
  expect(await asked("-t", "0", "-r", "0", "-c", "12")).toEqual(bits);
  expect(await asked("-t", "1", "-r", "0", "-c", "12")).toEqual(bits);
  // mbpoll's 32-bit integers have the low word first, unless -B tells otherwise.
  expect(await asked("-t", "4:int", "-r", "0", "-c", "1")).toEqual({ "0": "70000" });
  expect(await asked("-t", "4:int", "-r", "22", "-c", "1")).toEqual({ "22": "5" });
  expect(await asked("-t", "3", "-r", "0", "-c", "2")).toEqual({ "0": "4464", "1": "1" });
  // Beyond its registers, and another unit: no values.
  expect(await asked("-t", "4", "-r", "24", "-c", "1")).toEqual({});
  expect(await asked("-a", "9", "-o", "0.2", "-t", "0", "-r", "0", "-c", "1")).toEqual({});
});
