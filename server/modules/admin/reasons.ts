// /admin/reasons: the tree of reasons as a list that is edited in place, and how often each was given of late.
import { Elysia } from "elysia";
import { ReasonsInput } from "../../../ingest/reasons.ts";
import {
  AdminReasons,
  AdminReasonsUse,
  errorsByPath,
  type FormState,
  renderFragment,
  renderPage,
  type Shell,
  starterWords,
} from "../../../views/index.ts";
import type { Caller } from "../../keys.ts";
import type { Reports } from "../analytics/service.ts";
import type { Machines } from "../machines/service.ts";
import { html, type pageMaker } from "../pages/page.ts";
import type { Reasons } from "../reasons/service.ts";
import { checkEnded, fieldsOf, inputOf, posted, rowsChanged, withoutBlanks, wrong } from "./form.ts";
import { starterReasons } from "./starter-reasons.ts";

const HERE = "/admin/reasons";
/** Where the list stands in the form: the API's input is the list itself. */
const LIST = "/tree";
const USE_DAYS = 30;

type Deps = { machines: Machines; reasons: Reasons; reports: Reports };

export const reasonPages = ({ machines, reasons, reports }: Deps, page: ReturnType<typeof pageMaker>) => {
  const shown = (shell: Shell, { tenant_id }: Caller, form: FormState, saved: boolean): string =>
    renderPage(AdminReasons, {
      shell,
      form,
      machines: machines.list(tenant_id).map(({ id, name }) => ({ machine_id: id, name })),
      saved,
    });

  return new Elysia()
    .get(
      "/reasons",
      page("admin", async (caller, shell, { query }) => {
        const values = fieldsOf(await reasons.list(caller.tenant_id), LIST);
        return shown(shell, caller, { values, errors: {} }, query.saved !== undefined);
      }),
    )
    .get(
      "/reasons/use",
      page("admin", async ({ tenant_id }, shell) => {
        const own = machines.list(tenant_id);
        const to_us = shell.now_ms * 1_000;
        const span = { from_us: to_us - USE_DAYS * 86_400_000_000, to_us };
        const { rows } = own.length > 0 ? await reports.losses(own, span, "count", "recent") : { rows: [] };
        const names = new Map((await reasons.list(tenant_id)).map(({ code, name }) => [code, name]));
        return renderFragment(AdminReasonsUse, { shell, rows: used(rows, names) });
      }),
    )
    .post(
      "/reasons",
      page("admin", async (caller, shell, { request }) => {
        const said = await posted(request);
        if (said.act === "start") {
          await reasons.set(caller.tenant_id, starterReasons(starterWords(shell.language)));
          return new Response(null, { status: 303, headers: { location: `${HERE}?saved` } });
        }
        const changed = rowsChanged(said, (list) =>
          list === LIST ? { code: [""], name: [""] } : { condition: [""], code: [""] },
        );
        if (changed) return shown(shell, caller, changed, false);
        const fields = withoutBlanks(said.fields, LIST, ["parent", "policy", "category"]);
        try {
          checkEnded(said);
          await reasons.set(caller.tenant_id, inputOf(ReasonsInput, fields, LIST));
          return new Response(null, { status: 303, headers: { location: `${HERE}?saved` } });
        } catch (error) {
          const form = { values: fields, errors: errorsByPath(wrong(error, LIST)) };
          return html(request, shown(shell, caller, form, false), 422);
        }
      }),
      { parse: "none" },
    );
};

type Use = { code: string; name: string; count: number; seconds: number };

/** Stretches and time of each reason over all states, the most frequent first. */
function used(
  rows: readonly { reason: string; count: number; seconds: number }[],
  names: ReadonlyMap<string, string>,
): Use[] {
  const uses = new Map<string, Use>();
  for (const { reason: code, count, seconds } of rows) {
    if (code === "") continue;
    const use = uses.get(code) ?? { code, name: names.get(code) ?? code, count: 0, seconds: 0 };
    uses.set(code, { ...use, count: use.count + count, seconds: use.seconds + seconds });
  }
  return [...uses.values()].sort((a, b) => b.count - a.count);
}
