// What the watch does with a question over its bounds: cancelled, and the engine ended only for one that goes on.
import { expect, test } from "bun:test";
import { pace, until } from "../../.ci/limits.ts";
import { EngineError } from "./engine.ts";
import { OverBounds, Watch } from "./watch.ts";

const GIB = 1024 ** 3;

/** An engine of which everything is decided here. */
function engine(heeds: boolean) {
  const state = { held_bytes: 100, killed: [] as string[], ended: [] as string[] };
  const queries = new Map<string, PromiseWithResolvers<string>>();
  const fail = (): void => {
    for (const { reject } of queries.values()) reject(new EngineError("gone", 0, false, null));
  };
  const watch = new Watch(
    { execution_s: 60, memory_bytes: GIB },
    async (id) => {
      state.killed.push(id);
      if (heeds) queries.get(id)?.reject(new EngineError("cancelled", 394, false, null));
    },
    {
      resident_bytes: () => state.held_bytes,
      end(why) {
        state.ended.push(why);
        fail();
      },
    },
  );
  const ask = (left?: AbortSignal): Promise<unknown> =>
    watch
      .run((next) => {
        const query = Promise.withResolvers<string>();
        queries.set(next(), query);
        return query.promise;
      }, left)
      .catch((error: unknown) => error);
  return { state, ask, ids: () => [...queries.keys()], queries };
}

test("invariant 7: memory that grows by more than its bound is told from what was held before", async () => {
  const { state, ask, ids, queries } = engine(true);
  const [first] = [ask()];
  state.held_bytes = 100 + GIB;
  const second = ask();
  await pace(300);
  expect(state.killed).toEqual([]);
  state.held_bytes += 1;
  const error = await first;
  expect(error).toBeInstanceOf(OverBounds);
  expect(error).toMatchObject({ code: 241, ended: false });
  expect([state.killed, state.ended]).toEqual([[ids()[0] ?? ""], []]);
  queries.get(ids()[1] ?? "")?.resolve("fine");
  expect(await second).toBe("fine");
});

test("invariant 7: what does not heed it ends the engine, and who asked for it is told from who else asked", async () => {
  const { state, ask } = engine(false);
  const first = ask();
  state.held_bytes = 200 + GIB;
  await until(() => state.killed.length === 1);
  const other = ask();
  expect(await first).toMatchObject({ code: 241, ended: true });
  expect(state.ended).toHaveLength(1);
  // Asked again it would be answered.
  expect(await other).toMatchObject({ code: 0, message: "gone" });
  expect(await other).not.toBeInstanceOf(OverBounds);
});

test("whoever leaves takes the query along, and no further one begins; the engine goes on", async () => {
  const { state, ask } = engine(true);
  const leave = new AbortController();
  const question = ask(leave.signal);
  leave.abort();
  expect(await question).toMatchObject({ code: 394, ended: false });
  expect([state.killed.length, state.ended]).toEqual([1, []]);
  expect(await ask(AbortSignal.abort())).toMatchObject({ code: 394 });
  expect(state.killed).toHaveLength(1);
});
