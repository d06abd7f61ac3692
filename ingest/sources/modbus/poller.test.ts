// The Modbus poller against a device on a real port (SPEC 5.6): rows, gaps and the connection it keeps.
import { afterEach, describe, expect, test } from "bun:test";
import { pace, until } from "../../../.ci/limits.ts";
import { MemorySink } from "../memory-sink.ts";
import { checkpointOf, type ModbusMachine } from "./machine.ts";
import type { ModbusPoint } from "./map.ts";
import { type ModbusOptions, type ModbusPoller, type Poll, startModbus } from "./poller.ts";
import { ScriptedDevice, Unit } from "./scripted-device.ts";

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.stop();
});

async function start(): Promise<ScriptedDevice> {
  const device = await ScriptedDevice.start();
  running.push(device);
  return device;
}

const PRESS: ModbusPoint[] = [
  { signal: "execution", kind: "di", address: 0, words: ["READY", "ACTIVE"] },
  { signal: "condition:fault", kind: "di", address: 1, words: ["NORMAL", "FAULT"] },
  { signal: "part_count", kind: "holding", address: 0, type: "uint32", word_order: "low-first" },
  { signal: "part_count_bad", kind: "holding", address: 2, type: "uint32", word_order: "low-first" },
];
const RUNS: ModbusPoint[] = [
  { signal: "execution", kind: "coil", address: 0, words: ["READY", "ACTIVE"], debounce_ms: 100 },
];

function poll(
  device: ScriptedDevice,
  sink: MemorySink,
  machines: Partial<ModbusMachine>[] = [{}],
  options: Partial<ModbusOptions> = {},
): ModbusPoller {
  const poller = startModbus({
    host: "127.0.0.1",
    port: device.port,
    machines: machines.map((machine) => ({ machine_id: "press", map: PRESS, poll_ms: 10, ...machine })),
    sink,
    backoff: { first_ms: 10, max_ms: 50 },
    ...options,
  });
  running.push(poller);
  return poller;
}

const values = (sink: MemorySink, signal: string, machine = "press") =>
  sink.rows.filter((row) => row.machine_id === machine && row.signal === signal).map(({ value }) => value);
const read = (sink: MemorySink, rows = 5) => until(() => sink.rows.length >= rows);
const now_us = (): number => Date.now() * 1_000;

test("inputs become words, counters 32-bit numbers with the low word first, told once and then on change", async () => {
  const device = await start();
  device.registers.splice(0, 4, 0x0002, 0x0001, 7, 0);
  const sink = new MemorySink();
  const before_us = now_us();
  poll(device, sink);
  await read(sink);
  expect(Object.fromEntries(sink.rows.map(({ signal, value }) => [signal, value]))).toEqual({
    availability: "AVAILABLE",
    execution: "READY",
    "condition:fault": "NORMAL",
    part_count: 65_538,
    part_count_bad: 7,
  });
  for (const { ts_us } of sink.rows) {
    expect(ts_us).toBeGreaterThanOrEqual(before_us);
    expect(ts_us).toBeLessThanOrEqual(now_us());
  }
  const seen = device.requests.length;
  await until(() => device.requests.length > seen + 10);
  expect(sink.rows).toHaveLength(5);
  device.coils[0] = true;
  device.registers[0] = 3;
  await until(() => sink.rows.length === 7);
  expect(values(sink, "execution")).toEqual(["READY", "ACTIVE"]);
  expect(values(sink, "part_count")).toEqual([65_538, 65_539]);
  expect(sink.gaps.size).toBe(0);
});

describe("a module keeps no past (invariant 4)", () => {
  test("from when its source was set until the first read nothing is known, whether it answers or not", async () => {
    const since_ms = Date.now() - 5_000;
    for (const is_off of [false, true]) {
      const device = await start();
      if (is_off) await device.off();
      const sink = new MemorySink();
      const poller = poll(device, sink, [{ since_ms }]);
      if (is_off) {
        await until(() => sink.lost().length === 1);
        expect(sink.lost()).toMatchObject([{ from_us: since_ms * 1_000, to_us: 0, cause: "unreachable" }]);
        // A restart of ours in between changes nothing.
        await poller.stop();
        await device.on();
        poll(device, sink, [{ since_ms }]);
      }
      await read(sink);
      await until(() => sink.lost().every(({ to_us }) => to_us > 0));
      const first_us = Math.max(...sink.rows.slice(0, 5).map(({ ts_us }) => ts_us));
      expect(sink.lost()).toMatchObject([
        { from_us: since_ms * 1_000, to_us: first_us, cause: "unreachable" },
      ]);
    }
  });

  test("a source that was set anew is missed since then; what was before ended with the one before", async () => {
    const device = await start();
    const sink = new MemorySink();
    const first = poll(device, sink, [{ since_ms: Date.now() }]);
    await read(sink);
    await first.stop();
    const [before] = [...sink.gaps.values()];
    // Another instant than that of the first.
    await pace(20);
    const since_ms = Date.now();
    await device.off();
    poll(device, sink, [{ since_ms }]);
    await until(() => sink.gaps.size === 2);
    expect([...sink.gaps.values()]).toMatchObject([before, { from_us: since_ms * 1_000, to_us: 0 }]);
  });
});

describe("faults end in the right rows and the right gap (invariant 4)", () => {
  test("switched off and on: a gap from the last good read to the first new one; the counter starts anew", async () => {
    const device = await start();
    device.registers[0] = 41;
    const sink = new MemorySink();
    const poller = poll(device, sink);
    await read(sink);
    await device.off();
    await until(() => poller.status("press").state === "unreachable" && sink.lost().length === 1);
    expect(sink.lost()[0]).toMatchObject({ machine_id: "press", cause: "unreachable", to_us: 0 });
    device.coils[0] = true;
    device.registers[0] = 0;
    await device.on();
    await until(() => (sink.lost()[0]?.to_us ?? 0) > 0);
    const [gap] = sink.lost();
    expect(values(sink, "execution")).toEqual(["READY", "ACTIVE"]);
    expect(values(sink, "part_count")).toEqual([41, 0]);
    // Only when everything was told again is the machine known again.
    expect(gap?.to_us).toBe(Math.max(...sink.rows.slice(5).map(({ ts_us }) => ts_us)));
    expect(sink.gaps.size).toBe(1);
  });

  test("a pulled cable: the connection stands, nothing comes over it; a new one closes the gap", async () => {
    const device = await start();
    const sink = new MemorySink();
    poll(device, sink, [{}], { timeout_ms: 1_000 });
    await read(sink);
    const pulled_us = now_us();
    const connects = device.connects;
    device.fault = () => "silence";
    await until(() => sink.lost().length === 1);
    expect(sink.lost()[0]?.detail).toContain("does not answer");
    device.fault = () => undefined;
    await until(() => (sink.lost()[0]?.to_us ?? 0) > 0);
    expect(device.connects).toBeGreaterThan(connects);
    const [gap] = sink.lost();
    expect(gap?.from_us).toBeLessThanOrEqual(pulled_us + 500_000);
    expect((gap?.to_us ?? 0) - (gap?.from_us ?? 0)).toBeGreaterThan(999_000);
    expect(sink.gaps.size).toBe(1);
  });

  test("a connection that breaks is opened again, and nothing is lost", async () => {
    const device = await start();
    const sink = new MemorySink();
    poll(device, sink);
    await read(sink);
    for (let n = 0; n < 3; n++) {
      device.cut();
      const seen = device.requests.length;
      await until(() => device.requests.length > seen + 4);
    }
    device.coils[0] = true;
    await until(() => values(sink, "execution").length === 2);
    expect(sink.gaps.size).toBe(0);
  });

  test("a device that hangs up after every answer is read all the same", async () => {
    const device = await start();
    device.hangs_up = true;
    const sink = new MemorySink();
    poll(device, sink, [{ map: RUNS }]);
    await read(sink, 2);
    device.coils[0] = true;
    await until(() => values(sink, "execution").length === 2);
    expect(sink.gaps.size).toBe(0);
  });

  test("slow answers are waited for, and that they do not keep the rate is told", async () => {
    const device = await start();
    device.delay_ms = 50;
    const sink = new MemorySink();
    const polls: Poll[] = [];
    const onPoll = (one: Poll): void => void polls.push(one);
    const poller = poll(device, sink, [{ poll_ms: 30 }], { onPoll });
    await until(() => poller.status("press").error !== "");
    expect(poller.status("press").error).toMatch(/^too slow for poll_ms 30: \d+ of \d+ polls were missed$/);
    expect(poller.status("press").state).toBe("polling");
    expect(polls.reduce((sum, { missed }) => sum + missed, 0)).toBeGreaterThan(2);
    expect(polls[0]?.duration_s).toBeGreaterThan(0.09);
    expect(sink.gaps.size).toBe(0);
    device.delay_ms = 0;
    await until(() => poller.status("press").error === "");
  });

  test("an address the device does not have: its signals are UNAVAILABLE, all others are read", async () => {
    const device = await start();
    device.fault = ({ fc, address, length }) =>
      fc === 3 && address <= 4 && address + length > 4 ? 2 : undefined;
    const sink = new MemorySink();
    const register = (address: number): ModbusPoint => ({ signal: `r${address}`, kind: "holding", address });
    const poller = poll(device, sink, [
      { machine_id: "a", map: [2, 3, 4, 5].map(register) },
      { machine_id: "b", map: [6, 7].map(register) },
    ]);
    await until(() => sink.rows.length >= 8);
    expect(["r2", "r3", "r4", "r5"].flatMap((signal) => values(sink, signal, "a"))).toEqual([
      0,
      0,
      "UNAVAILABLE",
      0,
    ]);
    expect(values(sink, "r7", "b")).toEqual([0]);
    expect(poller.status("a").error).toMatch(
      /^readHoldingRegisters of 1 at address 4 refused: .*exception 2/i,
    );
    expect(poller.status("b").state).toBe("polling");
    expect(poller.status("b").error).not.toContain("refused");
    expect(sink.gaps.size).toBe(0);
    // It is not asked again with every poll.
    const refused = () =>
      device.requests.filter(({ address, length }) => address === 4 && length === 1).length;
    const [asked, all] = [refused(), device.requests.length];
    await until(() => device.requests.length > all + 20);
    expect(refused()).toBe(asked);
  });

  test("a device in trouble (exception 4) is a gap while it lasts, on the same connection", async () => {
    const device = await start();
    const sink = new MemorySink();
    const poller = poll(device, sink);
    await read(sink);
    device.fault = () => 4;
    await until(() => sink.lost().length === 1);
    expect(poller.status("press").error).toContain("exception 4");
    device.fault = () => undefined;
    await until(() => (sink.lost()[0]?.to_us ?? 0) > 0);
    expect(device.connects).toBe(1);
  });

  test("the time between two runs is a gap", async () => {
    const device = await start();
    const sink = new MemorySink();
    const first = poll(device, sink);
    await read(sink);
    await first.stop();
    const stopped_us = now_us();
    await until(() => now_us() > stopped_us);
    const again_us = now_us();
    poll(device, sink);
    await until(() => sink.rows.length >= 10 && sink.lost().every(({ to_us }) => to_us > 0));
    const [gap] = sink.lost();
    expect(gap?.from_us).toBeLessThanOrEqual(stopped_us);
    expect(gap?.to_us).toBeGreaterThanOrEqual(again_us);
  });

  test("after a change of the address too, and where the new one never answers", async () => {
    const [device, other] = [await start(), await start()];
    const sink = new MemorySink();
    const first = poll(device, sink);
    await read(sink);
    await first.stop();
    await other.off();
    poll(other, sink);
    await until(() => sink.lost().length === 1);
    expect(sink.lost()[0]).toMatchObject({
      to_us: 0,
      from_us: sink.checkpoints.get(checkpointOf("press"))?.known_us,
    });
  });

  test("invariant 7: a sink that holds back stops the reading after one batch more, and nothing is made up", async () => {
    const device = await start();
    const sink = new MemorySink();
    poll(device, sink);
    await read(sink);
    const { promise, resolve } = Promise.withResolvers<void>();
    sink.before = () => promise;
    device.coils[0] = true;
    const seen = device.requests.length;
    const beside = await start();
    poll(beside, new MemorySink());
    await until(() => beside.requests.length >= 60);
    // The poll that was under way, the one with the change and the next one, of two requests each; not the thirty that another poller has made meanwhile.
    expect(device.requests.length - seen).toBeLessThanOrEqual(6);
    device.coils[0] = false;
    resolve();
    await until(() => values(sink, "execution").length === 3);
    expect(values(sink, "execution")).toEqual(["READY", "ACTIVE", "READY"]);
  });

  test("a sink that fails loses no change", async () => {
    const device = await start();
    const sink = new MemorySink();
    poll(device, sink);
    await read(sink);
    let failures = 2;
    sink.before = () => {
      if (failures-- > 0) throw new Error("disk full");
    };
    device.coils[0] = true;
    await until(() => values(sink, "execution").includes("ACTIVE"));
  });
});

describe("one poller for a host", () => {
  test("machines of one unit share connection and requests, and are told apart again", async () => {
    const device = await start();
    device.registers.splice(0, 4, 1, 2, 3, 4);
    const sink = new MemorySink();
    const register = (address: number): ModbusPoint => ({ signal: "count", kind: "holding", address });
    const machines = [0, 1, 2, 3].map((n) => ({ machine_id: `m${n}`, map: [register(n)] }));
    poll(device, sink, machines);
    await until(() => sink.rows.length >= 8);
    expect(machines.map(({ machine_id }) => values(sink, "count", machine_id))).toEqual([[1], [2], [3], [4]]);
    expect(device.connects).toBe(1);
    expect(new Set(device.requests.map((request) => JSON.stringify(request)))).toEqual(
      new Set([JSON.stringify({ unit: 1, fc: 3, address: 0, length: 4 })]),
    );
    expect([...sink.checkpoints.keys()].sort()).toEqual(
      machines.map(({ machine_id }) => checkpointOf(machine_id)),
    );
  });

  test("units and rates of their own, over one connection", async () => {
    const device = await start();
    device.units.set(2, new Unit());
    const sink = new MemorySink();
    poll(device, sink, [
      { machine_id: "quick", poll_ms: 20 },
      { machine_id: "slow", poll_ms: 200, unit: 2 },
    ]);
    await until(() => device.requests.filter(({ unit }) => unit === 2).length >= 6);
    const requests = Map.groupBy(device.requests, ({ unit }) => unit);
    expect(requests.get(1)?.length ?? 0).toBeGreaterThan(2 * (requests.get(2)?.length ?? 0));
    expect(device.connects).toBe(1);
  });

  test("a wrong unit is silence: its machine has the gap, is asked less and less, the others go on", async () => {
    const device = await start();
    const sink = new MemorySink();
    const poller = poll(device, sink, [{ machine_id: "right" }, { machine_id: "wrong", unit: 9 }], {
      timeout_ms: 500,
      backoff: { first_ms: 50, max_ms: 5_000 },
    });
    await until(() => poller.status("wrong").state === "unreachable");
    expect(poller.status("wrong").error).toBe("unit 9 does not answer");
    await until(() => device.requests.filter(({ unit }) => unit === 1).length >= 60);
    expect(poller.status("right")).toMatchObject({ state: "polling" });
    expect(device.requests.filter(({ unit }) => unit === 9).length).toBeLessThan(10);
    expect(sink.rows.every(({ machine_id }) => machine_id === "right")).toBe(true);
    expect(sink.gaps.size).toBe(0);
    // At most one connection more: the first request of all may have been the silent one.
    expect(device.connects).toBeLessThanOrEqual(2);
  });

  test("several that do not answer let those that do go first, each time", async () => {
    const device = await start();
    const sink = new MemorySink();
    const wrong = [7, 8, 9].map((unit) => ({ machine_id: `wrong${unit}`, unit }));
    poll(device, sink, [...wrong, { machine_id: "right" }], { timeout_ms: 500 });
    await until(() => device.requests.filter(({ unit }) => unit === 9).length >= 4);
    const units = device.requests.map(({ unit }) => unit);
    // At the start nobody knows yet who answers.
    const later = units.slice(units.indexOf(1));
    expect(later.filter((unit, i) => unit !== 1 && later[i + 1] !== undefined && later[i + 1] !== 1)).toEqual(
      [],
    );
    expect(sink.gaps.size).toBe(0);
  });

  test("it ends at once, whatever it waits for", async () => {
    const device = await start();
    const idle = poll(device, new MemorySink(), []);
    await idle.stop();
    const seldom = poll(device, new MemorySink(), [{ poll_ms: 3_600_000 }]);
    const changed = seldom.update([]);
    await seldom.stop();
    await changed;
    expect(device.requests.length).toBeLessThanOrEqual(2);
  });

  test("a unit that falls silent behind a gateway is a gap of its machine alone", async () => {
    const device = await start();
    device.units.set(2, new Unit());
    const sink = new MemorySink();
    poll(device, sink, [{ machine_id: "a" }, { machine_id: "b", unit: 2 }]);
    await until(() => sink.rows.length >= 10);
    device.fault = ({ unit }) => (unit === 2 ? 11 : undefined);
    await until(() => sink.lost().length === 1);
    device.fault = () => undefined;
    await until(() => (sink.lost()[0]?.to_us ?? 0) > 0);
    expect(sink.lost().map(({ machine_id }) => machine_id)).toEqual(["b"]);
    expect(device.connects).toBe(1);
  });

  test("machines come and go without disturbing the others", async () => {
    const device = await start();
    const sink = new MemorySink();
    const poller = poll(device, sink, [{ machine_id: "a" }, { machine_id: "b" }]);
    await until(() => sink.rows.length >= 10);
    const machine = { map: PRESS, poll_ms: 10 };
    await poller.update([
      { machine_id: "a", ...machine },
      { machine_id: "c", ...machine, unit: 1 },
    ]);
    await until(() => values(sink, "part_count", "c").length === 1);
    expect(values(sink, "part_count", "a")).toHaveLength(1);
    expect(poller.status("b").state).toBe("connecting");
    expect(device.connects).toBe(1);
    expect(sink.gaps.size).toBe(0);
  });

  test("close_after_read leaves the device to others, without telling everything again", async () => {
    const device = await start();
    const sink = new MemorySink();
    poll(device, sink, [{ close_after_read: true, poll_ms: 50 }]);
    await until(() => device.requests.length >= 10);
    await until(() => device.connections === 0);
    expect(device.connects).toBeGreaterThanOrEqual(5);
    expect(sink.rows).toHaveLength(5);
    expect(sink.gaps.size).toBe(0);
  });

  test("each poll says how punctual it was", async () => {
    const device = await start();
    device.delay_ms = 5;
    const polls: Poll[] = [];
    poll(device, new MemorySink(), [{}], { onPoll: (one) => polls.push(one) });
    await until(() => polls.length >= 15);
    for (const { source, jitter_s, duration_s } of polls) {
      expect(source).toBe(`127.0.0.1:${device.port}`);
      expect(jitter_s).toBeGreaterThanOrEqual(0);
      // Two requests, 5 ms each; timers may be a little early.
      expect(duration_s).toBeGreaterThanOrEqual(0.008);
    }
  });
});

describe("debouncing", () => {
  test("a value counts only once it held, with the time it began; a flicker never does", async () => {
    const device = await start();
    const sink = new MemorySink();
    // Longer than a busy machine may stop between two polls.
    poll(device, sink, [{ map: [{ ...(RUNS[0] as ModbusPoint), debounce_ms: 1_000 }] }]);
    await read(sink, 2);
    let ready_us = 0;
    for (let n = 0; n < 6; n++) {
      ready_us = now_us();
      device.coils[0] = n % 2 === 0;
      const seen = device.requests.length;
      await until(() => device.requests.length > seen + 1);
    }
    device.coils[0] = true;
    await until(() => values(sink, "execution").length >= 2);
    expect(values(sink, "execution")).toEqual(["READY", "ACTIVE"]);
    const active = sink.rows.at(-1);
    expect(active?.ts_us).toBeGreaterThan(ready_us);
    expect(now_us() - (active?.ts_us ?? 0)).toBeGreaterThanOrEqual(1_000_000 - 1_000);
  });

  test("the first value counts at once: before it nothing is known", async () => {
    const device = await start();
    device.coils[0] = true;
    const sink = new MemorySink();
    poll(device, sink, [{ map: [{ ...(RUNS[0] as ModbusPoint), debounce_ms: 60_000 }] }]);
    await read(sink, 2);
    expect(values(sink, "execution")).toEqual(["ACTIVE"]);
  });

  test("a value on probation when contact is lost counts from the first read after it", async () => {
    const device = await start();
    const sink = new MemorySink();
    poll(device, sink, [{ map: [{ ...(RUNS[0] as ModbusPoint), debounce_ms: 60_000 }] }]);
    await read(sink, 2);
    device.coils[0] = true;
    const seen = device.requests.length;
    await until(() => device.requests.length > seen + 3);
    await device.off();
    await until(() => sink.lost().length === 1);
    const on_us = now_us();
    await device.on();
    await until(() => values(sink, "execution").length === 2);
    expect(values(sink, "execution")).toEqual(["READY", "ACTIVE"]);
    expect(sink.rows.at(-1)?.ts_us).toBeGreaterThanOrEqual(on_us);
  });

  test("a refused input is UNAVAILABLE at once, whatever its debounce", async () => {
    const device = await start();
    const sink = new MemorySink();
    poll(device, sink, [{ map: [{ ...(RUNS[0] as ModbusPoint), debounce_ms: 60_000 }] }]);
    await read(sink, 2);
    device.fault = () => 2;
    await until(() => values(sink, "execution").length === 2);
    expect(values(sink, "execution")).toEqual(["READY", "UNAVAILABLE"]);
  });
});
