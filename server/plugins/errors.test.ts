// What an error becomes for whoever asked.
import { expect, test } from "bun:test";
import { EngineError } from "../../analytics-sql/engine/engine.ts";
import { SetAside } from "../../analytics-sql/rollup/set-aside.ts";
import { problemResponse, toProblem } from "./errors.ts";

test("a machine that is set aside is named, and when to come again; the engine's words stay here (SPEC 10.15)", async () => {
  const logged: string[] = [];
  const aside = [{ machine: "saw-1", error: "Code: 457. secret SQL", since_ms: 0, again_ms: 42_000 }];
  const response = problemResponse(toProblem(new SetAside(aside, 12_000), (message) => logged.push(message)));
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "30"]);
  const { detail } = (await response.json()) as { detail: string };
  expect(detail).toContain('"saw-1" cannot be calculated now');
  expect(detail).not.toContain("SQL");
  expect(logged).toEqual([]);
});

test("what the engine has no memory for now is 503, any other failure of it a plain 500", () => {
  const statusOf = (code: number) => toProblem(new EngineError("x", code, false, undefined), () => {}).status;
  expect([241, 159, 457].map(statusOf)).toEqual([503, 503, 500]);
});
