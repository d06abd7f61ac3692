// Sources are tried: what a simulated agent and a simulated module tell, and every way in which a trial fails, in its kind.
import { expect, test } from "bun:test";
import { createServer, type Socket } from "node:net";
import { SLOWNESS } from "../../.ci/limits.ts";
import { ScriptedDevice } from "./modbus/scripted-device.ts";
import { tryModbus } from "./modbus/trial.ts";
import { tryAgent } from "./mtconnect/trial.ts";
import { startAdam6050 } from "./simulator/adam6050.ts";
import { startDemoPlant } from "./simulator/plant.ts";
import { TRIAL_MS, TrialError } from "./trial.ts";

/** The kind of error a trial ends with, or what it told. */
const kindOf = (trial: Promise<unknown>): Promise<unknown> =>
  trial.catch((error: unknown) => (error instanceof TrialError ? error.kind : error));

/** A server that does one thing with who connects. */
async function listening(on: (socket: Socket) => void): Promise<{ port: number; stop(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    on(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as { port: number }).port,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test("an agent tells its devices, what their data items become, and their values now", async () => {
  const plant = await startDemoPlant({ days: 0, seed: "trial" });
  try {
    const devices = await tryAgent(plant.agentUrl);
    expect(devices.map(({ name }) => name).sort()).toEqual(plant.devices.map(({ name }) => name).sort());
    for (const device of devices) {
      const simulated = plant.devices.find(({ uuid }) => uuid === device.device);
      expect(device).toMatchObject({ uuid: simulated?.uuid, model: simulated?.model, lacks: [] });
      expect(device.data_items).toBeGreaterThan(20);
      const execution = device.signals.find(({ signal }) => signal === "execution");
      expect(execution).toMatchObject({ canonical: true, type: "EXECUTION", value: expect.any(String) });
      const first_other = device.signals.findIndex(({ canonical }) => !canonical);
      expect(device.signals.slice(first_other).some(({ canonical }) => canonical)).toBe(false);
    }
  } finally {
    await plant.stop();
  }
});

test("a module tells its inputs and counters", async () => {
  const adam = await startAdam6050({ host: "127.0.0.1", port: 0 });
  try {
    adam.setInput(3, true);
    const { host, port, unit } = adam;
    const points = await tryModbus({ host, port, unit, map: "adam-6050" });
    expect(points).toHaveLength(24);
    expect(points.find(({ signal }) => signal === "di3")?.value).toBe(1);
    expect(points.find(({ signal }) => signal === "di4")?.value).toBe(0);
    expect(points.find(({ signal }) => signal === "counter0")?.value).toBeNumber();
  } finally {
    await adam.stop();
  }
});

test("what is no agent is told by its kind", async () => {
  const web = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: ({ url }) => {
      const path = new URL(url).pathname;
      if (path.startsWith("/away")) return Response.redirect("http://127.0.0.1:1/probe", 302);
      if (path.startsWith("/broken")) return new Response("no such page", { status: 500 });
      if (path.startsWith("/error"))
        return new Response(
          '<MTConnectError><Header/><Errors><Error errorCode="NO_DEVICE">none</Error></Errors></MTConnectError>',
        );
      return new Response("<html><body>hello</body></html>", { headers: { "content-type": "text/html" } });
    },
  });
  const base = `http://127.0.0.1:${web.port}`;
  const gone = await listening(() => undefined);
  await gone.stop();
  expect(await kindOf(tryAgent(base))).toBe("not_agent");
  expect(await kindOf(tryAgent(`${base}/away`))).toBe("status");
  expect(await kindOf(tryAgent(`${base}/broken`))).toBe("status");
  expect(await kindOf(tryAgent(`${base}/error`))).toBe("agent_error");
  expect(await kindOf(tryAgent(`http://127.0.0.1:${gone.port}`))).toBe("refused");
  expect(await kindOf(tryAgent("http://no-such-agent.invalid:5000"))).toBe("no_host");
  expect(await kindOf(tryAgent("http://169.254.169.254/latest"))).toBe("address");
  await web.stop(true);
});

test("invariant 7: a trial ends in its time, whatever the other side does", async () => {
  const silent = await listening(() => undefined);
  const dripping = await listening((socket) => {
    socket.write("HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\n\r\n<MTConnectDevices>");
    const timer = setInterval(() => socket.write(" "), 50);
    socket.on("close", () => clearInterval(timer));
  });
  const hanging_up = await listening((socket) => socket.destroy());
  const began_ms = performance.now();
  const kinds = await Promise.all([
    kindOf(tryAgent(`http://127.0.0.1:${silent.port}`)),
    kindOf(tryAgent(`http://127.0.0.1:${dripping.port}`)),
    kindOf(tryAgent(`http://127.0.0.1:${hanging_up.port}`)),
    kindOf(tryModbus({ host: "127.0.0.1", port: silent.port, map: "adam-6050" })),
    kindOf(tryModbus({ host: "127.0.0.1", port: hanging_up.port, map: "adam-6050" })),
  ]);
  expect(kinds).toEqual(["timeout", "timeout", "broken", "no_unit", "not_modbus"]);
  // Three times over: the machine may be busy, besides being slow.
  expect(performance.now() - began_ms).toBeLessThan(3 * TRIAL_MS * SLOWNESS);
  await Promise.all([silent, dripping, hanging_up].map((one) => one.stop()));
});

test("a unit that refuses everything is not what its map says; one that refuses a part tells the rest", async () => {
  const device = await ScriptedDevice.start();
  const at = { host: "127.0.0.1", port: device.port, unit: 1 };
  const point = (signal: string, address: number) => ({ signal, kind: "holding" as const, address });
  try {
    device.registers[0] = 7;
    expect(await tryModbus({ ...at, map: [point("a", 0), point("z", 60_000)] })).toEqual([
      { signal: "a", value: 7 },
      { signal: "z", value: null },
    ]);
    expect(await kindOf(tryModbus({ ...at, map: [point("z", 60_000)] }))).toBe("not_modbus");
    expect(await kindOf(tryModbus({ ...at, unit: 77, map: "adam-6050" }))).toBe("no_unit");
  } finally {
    await device.stop();
  }
});
