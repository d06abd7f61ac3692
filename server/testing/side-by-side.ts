// For acceptance tests of figures: one server, and scenarios that share its roll-ups.
import { afterAll, beforeAll } from "bun:test";
import { sideBySide } from "../../analytics-sql/testing/side-by-side.ts";
import { discard, startServer, type TestServer } from "./server.ts";
import { stormy } from "./storm.ts";

/**
 * The Monday of last week. What comes in late is rolled up from its day to now, again and again: of a day of last week that
 * is two weeks, of one in January the year.
 */
export const MONDAY: string = (() => {
  const today = Temporal.Now.plainDateISO("UTC");
  return today.subtract({ days: today.dayOfWeek - 1 + 7 }).toString();
})();

/** So many days after that Monday, "2026-01-06". */
export const dayAfter = (days: number): string => Temporal.PlainDate.from(MONDAY).add({ days }).toString();

/**
 * Scenarios on a stormy server: what they write, which is all but GET, settles for all of them, and a report rolls it up for
 * all of them, before any of them reads.
 * @param report the path of one over all machines, in the days that are asked for
 */
export function serverSideBySide(report: string) {
  let server: TestServer | undefined;
  const started = (): TestServer => {
    if (!server) throw new Error("the server has not been started");
    return server;
  };
  beforeAll(async () => {
    server = stormy(await startServer());
  });
  afterAll(() => discard(server));
  const settled = () => started().settled();
  const { scenario, toGo } = sideBySide(async () => {
    await settled();
    await started().call("GET", report);
  });
  const call: TestServer["call"] = async (method, ...rest) => {
    await toGo(method === "GET" ? "read" : "write");
    return started().call(method, ...rest);
  };
  return {
    scenario,
    call,
    settled,
    /** For tests that come after the scenarios. */
    server: started,
    /** Stops the server, and starts it again on what it has. */
    async restart(): Promise<void> {
      await started().stop();
      server = stormy(await startServer({}, started().data_dir));
    },
  };
}
