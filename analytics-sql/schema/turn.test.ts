// Turns to define: who lives keeps theirs, who died is followed; the server is a script, since nobody waits here for a minute.
import { expect, test } from "bun:test";
import { until } from "../../.ci/limits.ts";
import { EngineError } from "../engine/engine.ts";
import { type Ask, takeTurn } from "./turn.ts";

/** A server that knows of the table that is there once, and of beats. */
function scripted(lock: { token: string; age_s: number }, beat_age_s?: number, ends = false) {
  const state = {
    lock: lock as typeof lock | undefined,
    beats: [] as string[],
    freed: 0,
    freeing: async () => {},
  };
  const engine = {
    async query(sql: string, params: Record<string, unknown>) {
      if (sql.includes("'meta'")) return [{}];
      if (!sql.includes("mtc.meta")) {
        const seen = state.lock ? [state.lock] : [];
        // It ends right after the first look at it.
        if (ends && state.lock === lock) state.lock = undefined;
        return seen;
      }
      return beat_age_s === undefined || params.token !== lock.token ? [] : [{ age_s: beat_age_s }];
    },
    async maintain(sql: string, params: Record<string, unknown> = {}) {
      const [, token] = /COMMENT '(.*)'/.exec(sql) ?? [];
      if (token !== undefined) {
        if (state.lock) throw new EngineError("it is there", 57, false, null);
        state.lock = { token, age_s: 0 };
      } else if (sql.startsWith("DROP TABLE")) {
        await state.freeing();
        state.lock = undefined;
        state.freed += 1;
      } else state.beats.push(String(params.token));
    },
  } as unknown as Ask;
  return { state, engine };
}

test.each([
  { name: "an old one without a beat", lock: { token: "dead", age_s: 60 }, beat_age_s: undefined },
  { name: "an old one whose last beat is old", lock: { token: "dead", age_s: 900 }, beat_age_s: 61 },
])("a turn of a process that died is followed: $name", async ({ lock, beat_age_s }) => {
  const { state, engine } = scripted(lock, beat_age_s);
  const turn = await takeTurn(engine, () => {});
  expect([state.freed, state.lock?.token, turn.held()]).toEqual([1, state.beats[0], true]);
  await turn.end();
  expect([state.freed, state.lock]).toEqual([2, undefined]);
});

test.each([
  { name: "one that beats, however old", lock: { token: "alive", age_s: 3_000 }, beat_age_s: 5 },
  { name: "a young one, without a beat yet", lock: { token: "alive", age_s: 59 }, beat_age_s: undefined },
])("a turn of a process that lives is waited for: $name", async ({ lock, beat_age_s }) => {
  const { state, engine } = scripted(lock, beat_age_s, true);
  const said: string[] = [];
  const turn = await takeTurn(engine, (line) => said.push(line));
  expect([said.length, state.freed, state.beats.length]).toEqual([1, 0, 1]);
  await turn.end();
  expect(state.freed).toBe(1);
});

test("two who saw the same one dead, of which one frees the other's turn: one at a time has it", async () => {
  const { state, engine } = scripted({ token: "dead", age_s: 900 });
  let freeing = 0;
  // The later one's word is late.
  state.freeing = async () => {
    if (++freeing === 2) await until(() => state.lock !== undefined && state.lock.token !== "dead");
  };
  let having = 0;
  const take = async () => {
    const turn = await takeTurn(engine, () => {});
    having += 1;
    return turn;
  };
  const turns = [take(), take()];
  const first = await Promise.race(turns);
  await first.maintain("SELECT 1");
  expect([state.freed, having, state.lock?.token]).toEqual([2, 1, state.beats[0]]);
  await first.end();
  for (const turn of await Promise.all(turns)) if (turn !== first) await turn.end();
  expect([state.freed, state.lock]).toEqual([4, undefined]);
});

test("a turn that another one has is not held any more, and not ended for it", async () => {
  const { state, engine } = scripted({ token: "dead", age_s: 60 });
  const lost = await takeTurn(engine, () => {});
  state.lock = { token: "another", age_s: 0 };
  await lost.end();
  expect([state.freed, state.lock]).toEqual([1, { token: "another", age_s: 0 }]);
  state.lock = undefined;
  const turn = await takeTurn(engine, () => {});
  state.lock = { token: "another", age_s: 0 };
  await until(() => !turn.held());
  await expect(turn.maintain("DROP TABLE mtc.events_kafka")).rejects.toThrow(
    "another process may define by now",
  );
  await turn.end();
});
