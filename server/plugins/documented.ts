// What every operation of /openapi.json may answer besides what it is for: one rule for all of them.
import { t } from "elysia";
import { ANSWER_CODES, type AnswerCode, CODES, type Code } from "../../domain/problem.ts";

/** For `components.schemas` of the document. */
export const PROBLEM: object = t.Object({
  type: t.String(),
  title: t.String(),
  status: t.Integer(),
  detail: t.String(),
  code: t.UnionEnum(ANSWER_CODES as [AnswerCode]),
  errors: t.Optional(
    t.Array(t.Object({ path: t.String(), code: t.UnionEnum(CODES as [Code]), detail: t.String() })),
  ),
});

const problem = (description: string) => ({
  description,
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
});
const later = (description: string) => ({
  ...problem(description),
  headers: { "Retry-After": { description: "Seconds", schema: { type: "integer" } } },
});

const DONE = { "2XX": { description: "Done" }, default: problem("What is wrong (RFC 9457)") };
const LATE_BODY = { "408": problem("The body did not come in time") };
const REFUSED = {
  "429": later("A budget of the key or the user is used up, or too many of its reports are under way"),
  "503": later("Overloaded, or it took too long"),
};

type Route = { method: string; hooks: { scope?: string; detail?: { hide?: boolean; responses?: object } } };

/** Adds them to the app's routes. */
export function documented<App extends { routes: readonly Route[] }>(app: App): App {
  for (const { method, hooks } of app.routes) {
    if (!hooks.detail || hooks.detail.hide) continue;
    const body = method === "POST" || method === "PUT" || method === "PATCH";
    const responses = { ...DONE, ...(body ? LATE_BODY : {}), ...REFUSED, ...hooks.detail.responses };
    // Routes may share theirs.
    hooks.detail = { ...hooks.detail, responses };
  }
  return app;
}
