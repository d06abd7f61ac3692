// Schemathesis over /openapi.json with each role, at length: nothing fails, and nothing is cut off (invariant 7).
import { afterAll, beforeAll, expect, test } from "bun:test";
import { limit_ms, SLOWNESS } from "../.ci/limits.ts";
import { findSchemathesis } from "../.ci/schemathesis.ts";
import { prepared, ROLES, type Sandbox } from "./testing/sandbox.ts";

/** Examples of each operation in each phase. */
const EXAMPLES = { admin: 60, other: 15 };
/** Of a quiet machine's time; what there was no time for is left out. */
const TIME_S = { admin: 600, other: 120 };
const CONFIG = new URL("../.ci/schemathesis.toml", import.meta.url).pathname;
/** What is left out, and why. */
const EXCLUDED = [
  // Never ends by itself, and Schemathesis waits for the end; openapi.acceptance.test.ts opens it.
  "/api/v1/stream",
  // ClickHouse's protocol answers a wrong query with 500, as its clients expect (SPEC 13.1).
  "/sql/",
];

const seed = Number(process.env.MTC_TEST_SEED ?? (Math.random() * 2 ** 31) >>> 0);
let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await prepared();
  await sandbox.known();
}, limit_ms());
afterAll(() => sandbox.discard());

test.skipIf(findSchemathesis() === undefined).each([...ROLES])(
  "invariant 7: Schemathesis with the key of a %s finds no 5xx and no connection that was cut",
  async (role) => {
    console.log(`schemathesis as ${role}: MTC_TEST_SEED=${seed}`);
    const { server, keys } = sandbox;
    const child = Bun.spawn(
      [
        ...[
          "nice",
          findSchemathesis() ?? "",
          "--config-file",
          CONFIG,
          "run",
          `${server.origin}/openapi.json`,
        ],
        // Both of what the document names: of one alone it makes the other up, which is a wrong key.
        ...(keys[role] === ""
          ? []
          : ["--header", `X-API-Key: ${keys[role]}`, "--header", `Authorization: Bearer ${keys[role]}`]),
        ...["--checks", "not_a_server_error", "--continue-on-failure", "--seed", String(seed)],
        ...["--max-examples", String(role === "admin" ? EXAMPLES.admin : EXAMPLES.other)],
        ...["--max-time", String((role === "admin" ? TIME_S.admin : TIME_S.other) * SLOWNESS)],
        ...["--request-timeout", "120", "--generation-database", "none", "--no-color"],
        ...EXCLUDED.flatMap((path) => ["--exclude-path", path]),
      ],
      { stdout: "pipe", stderr: "pipe", cwd: server.data_dir },
    );
    const [found, wrong, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    expect(code, `${found}\n${wrong}`).toBe(0);
    expect((await server.call("GET", "/readyz")).status).toBe(200);
    expect(server.output()).not.toMatch(/^\s+at .+\(/m);
  },
  limit_ms(1_200),
);
