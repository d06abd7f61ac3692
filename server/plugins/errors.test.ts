// What an error becomes for whoever asked.
import { expect, test } from "bun:test";
import { EngineError } from "../../analytics-sql/engine/engine.ts";
import { SetAside } from "../../analytics-sql/rollup/set-aside.ts";
import { badInput } from "../../ingest/problem.ts";
import { DiskFull } from "../../ingest/store/store.ts";
import { Problem, problemResponse, toProblem } from "./errors.ts";

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

test("every error has a type that leads somewhere, its code, and its parameters (SPEC 11.3)", async () => {
  const sent = (error: unknown) => problemResponse(toProblem(error, () => {})).json() as Promise<unknown>;
  expect(await sent(new Problem("machine_exists", { machine: "mill-1" }))).toEqual({
    type: "/problems/machine_exists",
    title: "Conflict",
    status: 409,
    detail: 'the machine id "mill-1" is taken',
    code: "machine_exists",
    machine: "mill-1",
  });
  expect(await sent(badInput("/rows/3", "too_many_rows", { max: 7 }))).toEqual({
    type: "/problems/bad_input",
    title: "Unprocessable content",
    status: 422,
    detail: "/rows/3: more than 7 rows",
    code: "bad_input",
    errors: [{ path: "/rows/3", code: "too_many_rows", detail: "more than 7 rows", max: 7 }],
  });
  expect(await sent(new DiskFull("no room"))).toMatchObject({
    code: "disk_full",
    detail: "the disk is full: no room",
    why: "no room",
  });
});

test("what the engine has no memory for now is 503, any other failure of it a plain 500", () => {
  const statusOf = (code: number) => toProblem(new EngineError("x", code, false, undefined), () => {}).status;
  expect([241, 159, 457].map(statusOf)).toEqual([503, 503, 500]);
});
