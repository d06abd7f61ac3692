// Reports that never end, at the program's own bounds: who is told what, and when, and who keeps a place (SPEC 16.5).
import { afterAll, expect, jest, test } from "bun:test";
import { Elysia } from "elysia";
import type { Keys } from "./keys.ts";
import { analyticsModule } from "./modules/analytics/index.ts";
import type { Reports } from "./modules/analytics/service.ts";
import type { Machines } from "./modules/machines/service.ts";
import { reportAdmission } from "./plugins/admission.ts";
import { deadlines } from "./plugins/deadline.ts";
import { errors } from "./plugins/errors.ts";

const ended = Promise.withResolvers<[]>();
let hanging = 0;
const hang = (): Promise<[]> => {
  hanging += 1;
  return ended.promise;
};
const caller = { tenant_id: "plant-1", id: "key-1", name: "", kind: "key", scopes: ["read"], session: false };
const door = { onRequest() {}, onWrongKey() {}, refused() {} };
const keys = { byKey: () => caller, door } as unknown as Keys;
const machines = { get: () => ({}) } as unknown as Machines;
const reports = { gaps: hang } as unknown as Reports;
const log = (): void => {};
const app = new Elysia()
  .use(deadlines(log))
  .use(errors(log))
  .use(analyticsModule(machines, reports, keys, reportAdmission(keys, log)))
  .get("/dashboard", hang)
  .listen({ port: 0, hostname: "127.0.0.1" });
afterAll(async () => {
  jest.useRealTimers();
  await app.stop(true);
});

const ask = (path: string): Promise<Response> =>
  fetch(`http://127.0.0.1:${app.server?.port}${path}`, { headers: { "x-api-key": "any" } });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
/** Waits for what happens on sockets, which no clock of ours moves. */
async function happens(seen: () => boolean): Promise<void> {
  while (!seen()) await turn();
}

test("invariant 7: reports that hang are 503 after 60 s, and keep their places until they end", async () => {
  jest.useFakeTimers();
  const gaps = "/api/v1/machines/mill-1/gaps";
  const page = ask("/dashboard");
  const asked = Array.from({ length: 32 }, () => ask(gaps));
  // Two of one key are worked on, the others wait for their turn.
  await happens(() => hanging === 3 && jest.getTimerCount() >= 33);
  const refused = await ask(gaps);
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "2"]);
  jest.advanceTimersByTime(59_000);
  expect(await Promise.race([...asked, page, "none yet"])).toBe("none yet");
  jest.advanceTimersByTime(1_000);
  for (const answer of await Promise.all([...asked, page]))
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "10"]);
  // Those that waited are gone, the two that hang are not: one that comes now waits for its turn.
  const waits = ask(gaps);
  await happens(() => jest.getTimerCount() > 0);
  for (let i = 0; i < 100; i++) await turn();
  expect(hanging).toBe(3);
  jest.useRealTimers();
  ended.resolve([]);
  expect((await waits).status).toBe(200);
});
