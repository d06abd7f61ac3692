// /admin/machines/{id}/policy: what counts as loss.
import { type Static, Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import type { Machine } from "../../../ingest/store/store.ts";
import { AdminPolicy, errorsByPath, type FormState, renderPage, type Shell } from "../../../views/index.ts";
import { Policy } from "../machines/model.ts";
import type { Machines } from "../machines/service.ts";
import { html, type pageMaker } from "../pages/page.ts";
import type { Reasons } from "../reasons/service.ts";
import {
  checkEnded,
  type Fields,
  fieldsOf,
  inputOf,
  posted,
  rowsChanged,
  withoutBlanks,
  wrong,
} from "./form.ts";
import { targetsOf } from "./targets.ts";

/** A form has no records: a list of reasons, each with its treatment. People say a target in percent. */
const PolicyForm = Type.Composite([
  Type.Omit(Policy, ["reasons", "target_oee"]),
  Type.Object({
    target_percent: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 100 })),
    reasons: Type.Array(
      Type.Object({
        code: Type.String({ minLength: 1, maxLength: 100 }),
        treatment: Type.Union([Type.Literal("loss"), Type.Literal("excluded")]),
      }),
    ),
  }),
]);

type Deps = { machines: Machines; reasons: Reasons };

export const policyPages = ({ machines, reasons }: Deps, page: ReturnType<typeof pageMaker>) => {
  const shown = async (
    shell: Shell,
    machine: Machine,
    form: FormState,
    saved: number | null,
  ): Promise<string> =>
    renderPage(AdminPolicy, {
      shell,
      machine: { machine_id: machine.id, name: machine.name },
      group: machine.group,
      form,
      tree: (await reasons.list(machine.tenant_id)).map(({ code, name }) => ({ code, name })),
      saved,
    });

  return new Elysia()
    .get(
      "/machines/:id/policy",
      page("admin", ({ tenant_id }, shell, { params, query }) => {
        const machine = machines.get(tenant_id, params.id ?? "");
        const saved = query.saved === undefined ? null : Number(query.saved) || 1;
        return shown(shell, machine, { values: startingFields(machine), errors: {} }, saved);
      }),
    )
    .post(
      "/machines/:id/policy",
      page("admin", async ({ tenant_id }, shell, { params, request }) => {
        const machine = machines.get(tenant_id, params.id ?? "");
        const said = await posted(request);
        const changed = rowsChanged(said, () => ({ code: [""], treatment: ["excluded"] }));
        if (changed) return shown(shell, machine, changed, null);
        const fields = withoutBlanks(said.fields, "/reasons", ["treatment"]);
        try {
          checkEnded(said);
          const policy = policyOf(inputOf(PolicyForm, fields));
          const targets = targetsOf(machines, machine, fields);
          for (const { id } of targets) await machines.setPolicy(tenant_id, id, policy);
          const path = `/admin/machines/${encodeURIComponent(machine.id)}/policy`;
          return new Response(null, {
            status: 303,
            headers: { location: `${path}?saved=${targets.length}` },
          });
        } catch (error) {
          const form = { values: fields, errors: errorsByPath(wrong(error)) };
          return html(request, await shown(shell, machine, form, null), 422);
        }
      }),
      { parse: "none" },
    );
};

function startingFields(machine: Machine): Fields {
  const { reasons = {}, target_oee, ...policy } = machine.policy as Policy;
  const target = target_oee === undefined ? {} : { target_percent: Number((target_oee * 100).toFixed(4)) };
  const list = Object.entries(reasons).map(([code, treatment]) => ({ code, treatment }));
  return { ...fieldsOf({ ...policy, ...target }), ...fieldsOf(list, "/reasons") };
}

const policyOf = ({ reasons, target_percent, ...policy }: Static<typeof PolicyForm>): Policy => ({
  ...policy,
  ...(target_percent === undefined ? {} : { target_oee: target_percent / 100 }),
  reasons: Object.fromEntries(reasons.map(({ code, treatment }) => [code, treatment])),
});
