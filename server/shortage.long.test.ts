// A small disk that runs short under the real program (SPEC 14.10): raw data goes sooner, figures stay, and it is told until it is over.
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, openSync, statfsSync, writeSync } from "node:fs";
import { limit_ms, until } from "../.ci/limits.ts";
import { isShort } from "../ingest/store/room.ts";
import { startServer, type TestServer } from "./testing/server.ts";
import { smallDisk } from "./testing/small-disk.ts";

setDefaultTimeout(limit_ms(300));
const disk = smallDisk("256m");
let server: TestServer | undefined;
afterAll(async () => {
  await server?.kill();
  disk?.unmount();
});

const DAY_MS = 86_400_000;
const T0_MS = (Math.floor(Date.now() / DAY_MS) - 3) * DAY_MS;
const at = (minute: number): string => new Date(T0_MS + minute * 60_000).toISOString();

type Ready = { status: string; down: { part: string; error: string }[] };

describe.skipIf(!disk)("on a disk that runs short", () => {
  const small = disk as NonNullable<typeof disk>;

  /** Until little more than what counts as full is left. */
  function fillUp(): void {
    const fd = openSync(`${small.path}/ballast`, "a");
    while (!isShort(statfsSync(small.path))) writeSync(fd, new Uint8Array(1 << 20));
    closeSync(fd);
  }

  test("invariants 1 and 5: days of raw observations go, the last one and all figures stay; with room it is over", async () => {
    const running = (server = await startServer({}, `${small.path}/data`));
    const { call } = running;
    const down = async () =>
      (await call<Ready>("GET", "/readyz")).body.down.find(({ part }) => part === "disk");
    const figures = async () =>
      (await call("GET", `/api/v1/machines/mill-1/oee?by=hour&from=${at(0)}&to=${at(600)}`)).body;
    const raw = async () => {
      const query = "SELECT uniqExact(toDate(ts)) FROM observations";
      return Number((await call("GET", `/sql/?${new URLSearchParams({ query })}`)).body);
    };
    await call("POST", "/api/v1/machines", { id: "mill-1", name: "Mill 1" });
    const observations = Array.from({ length: 200 }, (_, i) => ({
      signal: "execution",
      ts: at(i),
      value: i % 3 === 0 ? "READY" : "ACTIVE",
    }));
    const today = { signal: "load", ts: new Date().toISOString(), value: 1 };
    await call("POST", "/internal/machines/mill-1/data", { observations: [...observations, today] });
    await running.settled();
    const before = await figures();
    expect([await raw(), await down()]).toEqual([2, undefined]);
    fillUp();
    const told = await until(down);
    expect(told.error).toContain(
      "the disk runs short: raw observations leave analytics sooner than retention says",
    );
    expect((await call<string>("GET", "/admin/health")).body).toContain("raw observations leave analytics");
    await until(async () => (await down())?.error.includes("nothing is left"));
    expect(await raw()).toBe(1);
    expect(await figures()).toEqual(before);
    const { status } = await call("POST", "/internal/machines/mill-1/data", { observations: [today] });
    expect(status).toBe(202);
    small.free();
    await until(async () => (await down()) === undefined);
    const lines = running
      .output()
      .split("\n")
      .filter((line) => / disk: /.test(line));
    expect(lines.map((line) => line.replace(/^\S+ /, ""))).toEqual([
      expect.stringContaining("raw observations leave analytics"),
      expect.stringContaining("nothing is left"),
      expect.stringContaining("goes on, after"),
    ]);
  });
});
