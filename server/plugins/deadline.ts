// No request goes without an answer: what takes longer than its bound is told so, and what it still asks of analytics ends.
import { AsyncLocalStorage } from "node:async_hooks";
import { Elysia } from "elysia";
import type { Engine } from "../../analytics-sql/engine/engine.ts";
import { ANSWER_HEADERS } from "./door.ts";
import { Problem, problemResponse } from "./errors.ts";

export type Deadlines = {
  /** Reports, pages, lists. */
  read_ms: number;
  /** Changes, which wait for a body and for the disk; `/sql/`, which has bounds of its own. */
  change_ms: number;
};

/** What every request is held to; app.ts makes of it how long a connection may be quiet. */
export const DEADLINES: Deadlines = { read_ms: 60_000, change_ms: 180_000 };

/** How soon who was given up may come again. */
const RETRY_AFTER_S = 10;

/** What a request still has: until when, by performance.now(), and whether anybody waits for it yet. */
type Waiting = { until_ms: number; gone: AbortSignal };

const waiting = new AsyncLocalStorage<Waiting | undefined>();

/** Aborted when the API's request that runs this is over: it was late, or its client left. */
export const requestGone = (): AbortSignal | undefined => waiting.getStore()?.gone;

/** Runs what is not one request's alone: it goes on though the one that began it is over. */
export const forAll = <T>(run: () => T): T => waiting.run(undefined, run);

/**
 * The engine as the API's requests ask it: nothing more for one that is over, and no statement longer than it has left. A
 * statement under way when its client leaves runs until then.
 */
export const withinRequests = (engine: Engine): Engine => ({
  ...engine,
  query: async (sql, params) => {
    const own = waiting.getStore();
    if (!own) return engine.query(sql, params);
    const left_ms = own.until_ms - performance.now();
    if (own.gone.aborted || left_ms <= 0) throw givenUp();
    return engine.query(`${sql}\nSETTINGS max_execution_time = ${(left_ms / 1_000).toFixed(3)}`, params);
  },
});

/** What a request itself ends with that nobody waits for any more. */
const givenUp = (): Problem => new Problem("given_up", {});

const comeAgain = { headers: { ...ANSWER_HEADERS, "retry-after": String(RETRY_AFTER_S) } };

function tooLong(reads: boolean, time_ms: number): Response {
  const code = reads ? "took_too_long" : "change_took_too_long";
  return problemResponse(new Problem(code, { seconds: time_ms / 1_000 }, comeAgain));
}

/** What is said to whoever still waits when the program ends. */
const ends = (reads: boolean): Response =>
  problemResponse(new Problem(reads ? "stopping" : "change_stopping", {}, comeAgain));

/**
 * Around every request of the app.
 * @param log each one that was given up
 * @param ending aborted when the program ends: whoever still waits is told so, instead of being cut off
 */
export function deadlines(
  log: (message: string) => void,
  { read_ms, change_ms }: Deadlines = DEADLINES,
  ending: AbortSignal = new AbortController().signal,
) {
  return new Elysia({ name: "deadlines" }).wrap((wrapped, request) => (): Response | Promise<Response> => {
    const handle = wrapped as unknown as (request: Request) => Response | Promise<Response>;
    const { pathname } = new URL(request.url);
    const reads = (request.method === "GET" || request.method === "HEAD") && !pathname.startsWith("/sql");
    const time_ms = reads ? read_ms : change_ms;
    const over = new AbortController();
    const own = { until_ms: performance.now() + time_ms, gone: over.signal };
    // Pages share what they ask for, so one that leaves ends nothing.
    const ofOne = reads && pathname.startsWith("/api/");
    const answer = ofOne ? waiting.run(own, () => handle(request)) : handle(request);
    if (!(answer instanceof Promise)) return answer;
    if (ofOne) request.signal.addEventListener("abort", () => over.abort(givenUp()), { once: true });
    const late = Promise.withResolvers<Response>();
    const end = (): void => {
      over.abort(givenUp());
      late.resolve(ends(reads));
    };
    ending.addEventListener("abort", end, { once: true });
    const timer = setTimeout(() => {
      over.abort(givenUp());
      log(`given up after ${time_ms / 1_000} s: ${request.method} ${pathname.slice(0, 200)}`);
      late.resolve(tooLong(reads, time_ms));
    }, time_ms);
    return Promise.race([answer, late.promise]).finally(() => {
      clearTimeout(timer);
      ending.removeEventListener("abort", end);
    });
  });
}
