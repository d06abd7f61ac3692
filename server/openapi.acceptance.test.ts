// Every operation of /openapi.json, asked at random with each role: nothing fails, and nothing is cut off (invariant 7).
import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { limit_ms } from "../.ci/limits.ts";
import { type Document, requestsOf } from "./testing/requests.ts";
import { prepared, ROLES, type Role, type Sandbox } from "./testing/sandbox.ts";

/** Requests of each operation with each role. */
const REQUESTS = { admin: 3, other: 1 };
/** It never ends: it is opened and let go (stream.acceptance.test.ts holds what it says). */
const ENDLESS = "/api/v1/stream";

const seed = Number(process.env.MTC_TEST_SEED ?? (Math.random() * 2 ** 31) >>> 0);
let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await prepared();
}, limit_ms());
afterAll(() => sandbox.discard());

test("the document tells of bounds: 408 where there is a body, 429 and 503 everywhere (SPEC 16.5)", async () => {
  const { paths } = (await (await fetch(`${sandbox.server.origin}/openapi.json`)).json()) as Document;
  for (const [path, methods] of Object.entries(paths))
    for (const [method, operation] of Object.entries(methods)) {
      const told = Object.keys(operation.responses ?? {}).sort();
      const late = ["post", "put", "patch"].includes(method) ? ["408"] : [];
      expect({ path, method, told }).toEqual({
        path,
        method,
        told: ["2XX", ...late, "429", "503", "default"].sort(),
      });
      if (operation.requestBody) expect(Object.keys(operation.requestBody.content).length).toBeGreaterThan(0);
    }
});

test.each([...ROLES])(
  "invariant 7: no request with the key of a %s makes it fail, or is cut off",
  async (role: Role) => {
    console.log(`requests at random as ${role}: MTC_TEST_SEED=${seed}`);
    const { server } = sandbox;
    const document = (await (await fetch(`${server.origin}/openapi.json`)).json()) as Document;
    const failed: unknown[] = [];
    const statuses = new Map<number, number>();
    for (const [path, methods] of Object.entries(document.paths))
      for (const [method, operation] of Object.entries(methods)) {
        const known = await sandbox.known();
        const numRuns = role === "admin" ? REQUESTS.admin : REQUESTS.other;
        const drawn = fc.sample(requestsOf(path, operation, known), { seed, numRuns });
        for (const { path: asked, ...request } of drawn) {
          const answer = await sandbox.ask(role, method.toUpperCase(), asked, request, path === ENDLESS);
          statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
          // Where the machine is busy, what takes too long is told so.
          const fails = (answer.status >= 500 && answer.status !== 503) || answer.status === 0;
          const untold =
            answer.status >= 400 && !path.startsWith("/sql") && !answer.type.includes("problem+json");
          if (fails || untold) failed.push({ method, asked, ...request, answer });
        }
      }
    expect(failed).toEqual([]);
    // The test tests something: some were taken, some refused.
    expect(statuses.get(role === "nobody" ? 401 : 200) ?? 0).toBeGreaterThan(0);
    expect((await server.call("GET", "/readyz")).status).toBe(200);
    expect(server.output()).not.toMatch(/^\s+at .+\(/m);
  },
  limit_ms(240),
);
