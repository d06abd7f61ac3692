// A machine that cannot be rolled up is set aside with its error; all others go on, and it as soon as it can.
import { expect, setSystemTime, test } from "bun:test";
import { limit_ms } from "../../.ci/limits.ts";
import { EngineError } from "../engine/engine.ts";
import { oee } from "../queries/oee.ts";
import { testEngine } from "../testing/engine.ts";
import { events, joined, us } from "../testing/plant.ts";
import { Roller } from "./roller.ts";
import { SetAside } from "./set-aside.ts";

const engine = await testEngine();
const tenant = "plant";
const T0 = us("2026-01-05T00:00:00Z");
const HOUR_US = 3_600_000_000;
const MACHINES = ["good-1", "bad", "good-2"];

for (const machine of MACHINES)
  await engine.insertEvents(
    joined(
      events(tenant, { machine, seen: [{ signal: "execution", ts_us: T0, seq: 0, value: "ACTIVE" }] }, () => {
        throw new Error("no calendar here");
      }),
    ),
  );

const window = (machines: string[]) => ({
  tenant,
  machines,
  from_us: T0,
  to_us: T0 + HOUR_US,
  as_of_us: T0 + 24 * HOUR_US,
});

/** The engine, that refuses to roll up one machine as long as `sick` says so; what the roller logs. */
function withSick() {
  const state = { sick: true, statements: 0 };
  const logged: string[] = [];
  const run: typeof engine.run = async (sql, params) => {
    state.statements += 1;
    if (state.sick && (params.machines as string[]).includes("bad"))
      throw new EngineError("Code: 457. cannot be parsed as Int64", 457, false, undefined);
    return engine.run(sql, params);
  };
  return { state, logged, roller: new Roller({ ...engine, run }, (message) => logged.push(message)) };
}

test(
  "invariant 7: one machine that fails is set aside, logged once, and stops nobody else's figures",
  async () => {
    const { state, logged, roller } = withSick();
    const from_ms = Date.now();
    setSystemTime(from_ms);
    try {
      await roller.roll(window(MACHINES));
      expect(roller.setAside(window(MACHINES))).toMatchObject([{ machine: "bad", since_ms: from_ms }]);
      await roller.exact(window(["good-1", "good-2"]));
      const { total } = await oee(engine, { ...window(["good-1", "good-2"]), by: "total" });
      expect(total?.run_time_s).toBe(7_200);
      // Whoever asks for it is told; screens show the others.
      await expect(roller.exact(window(MACHINES))).rejects.toThrow(SetAside);
      await expect(roller.exact(window(["bad"]))).rejects.toThrow(
        'the figures of "bad" cannot be calculated now',
      );
      await expect(roller.recent(window(["bad"]))).rejects.toThrow(SetAside);
      expect((await roller.recent(window(MACHINES))).machines).toEqual(["good-1", "good-2"]);
      // It is not tried again with each who asks, and told of once however often it fails.
      const before = state.statements;
      await expect(roller.exact(window(["bad"]))).rejects.toThrow(SetAside);
      expect(state.statements).toBe(before);
      setSystemTime(from_ms + 31_000);
      await roller.roll(window(MACHINES));
      expect(state.statements).toBeGreaterThan(before);
      expect(logged).toHaveLength(1);
      expect(logged[0]).toContain("bad is set aside: Code: 457");
      // Each time it rests twice as long.
      setSystemTime(from_ms + 62_000);
      state.sick = false;
      await expect(roller.exact(window(["bad"]))).rejects.toThrow(SetAside);
      setSystemTime(from_ms + 92_000);
      await roller.exact(window(MACHINES));
      expect(roller.setAside(window(MACHINES))).toEqual([]);
      expect((await oee(engine, { ...window(MACHINES), by: "total" })).total?.run_time_s).toBe(10_800);
      expect(logged).toHaveLength(2);
    } finally {
      setSystemTime();
    }
  },
  limit_ms(120),
);
