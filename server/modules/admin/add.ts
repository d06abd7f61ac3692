// /admin/add: a machine by its agent, its Modbus module, or for what is sent; tested live before it is made.
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { BadInput, badInput } from "../../../ingest/problem.ts";
import type { MachineSource } from "../../../ingest/sources/model.ts";
import {
  AdminAdd,
  AdminAddChoice,
  type AdminAddProps,
  errorsByPath,
  renderPage,
  type Shell,
  type Tried,
} from "../../../views/index.ts";
import type { Caller } from "../../keys.ts";
import { notFound, Problem } from "../../plugins/errors.ts";
import { NewMachine } from "../machines/model.ts";
import type { Machines } from "../machines/service.ts";
import { html, type pageMaker } from "../pages/page.ts";
import { type Fields, inputOf, posted, rowCount, wrong } from "./form.ts";
import { groupsOf, seeOther } from "./machines.ts";
import { inputAt, SOURCE_KINDS, type SourceKind, sourceOf, wiresOf } from "./sources.ts";
import type { Trials } from "./trials.ts";

const Named = Type.Pick(NewMachine, ["id", "name", "group"]);
const EMPTY: Record<SourceKind, Fields> = {
  mtconnect: {},
  modbus: {
    "/source/port": ["502"],
    "/source/unit": ["1"],
    "/wires/run_when": ["1"],
    "/wires/fault_when": ["1"],
  },
  http: {},
};

type Deps = { machines: Machines; trials: Trials };

export const addPages = ({ machines, trials }: Deps, page: ReturnType<typeof pageMaker>) => {
  const shown = (
    shell: Shell,
    tenant_id: string,
    kind: SourceKind,
    more: Pick<AdminAddProps, "form" | "tried">,
  ): string =>
    renderPage(AdminAdd, {
      shell,
      kind,
      taken: takenDevices(machines, tenant_id, more.form.values["/source/url"]?.[0] ?? ""),
      groups: groupsOf(machines, tenant_id),
      ...more,
    });

  /** @returns the address of the page that comes next */
  async function create(tenant_id: string, kind: SourceKind, fields: Fields): Promise<string> {
    if (kind === "mtconnect") {
      const chosen = chosenMachines(fields);
      for (const { row, input } of chosen) {
        await machines.create(tenant_id, input).catch((error: unknown) => {
          throw atRow(error, row);
        });
      }
      return "/admin/machines?done=added";
    }
    const source = sourceOf(kind, fields);
    const rules = kind === "modbus" ? wiresOf(fields) : [];
    const { id } = await machines.create(tenant_id, { ...inputOf(Named, fields), source, rules });
    return `/admin/machines/${encodeURIComponent(id)}?done=added`;
  }

  /** The answer to a form that made nothing: what the test told, or what is wrong, with what was typed. */
  async function tried(
    { tenant_id, id }: Caller,
    shell: Shell,
    kind: SourceKind,
    fields: Fields,
    error?: unknown,
  ): Promise<{ body: string; status: number }> {
    let errors = error === undefined ? [] : wrong(error);
    let told: Tried = null;
    // After a mistake in what was chosen, what there is to choose is asked for again.
    if (error === undefined || rowCount(fields, "/machines") > 0) {
      try {
        told = await trials.try(id, sourceOf(kind, fields));
      } catch (failed) {
        errors = [...errors, ...wrong(failed)];
      }
    }
    const values = told && "devices" in told ? withDevices(fields, told) : fields;
    const form = {
      values,
      errors: errorsByPath(errors),
      ...(told && errors.length === 0 ? { focus: "" } : {}),
    };
    return {
      body: shown(shell, tenant_id, kind, { form, tried: told }),
      status: errors.length > 0 ? 422 : 200,
    };
  }

  return new Elysia()
    .get(
      "/add",
      page("admin", (_, shell) => renderPage(AdminAddChoice, { shell })),
    )
    .get(
      "/add/:kind",
      page("admin", ({ tenant_id }, shell, { params }) => {
        const kind = kindOf(params.kind);
        return shown(shell, tenant_id, kind, { form: { values: EMPTY[kind], errors: {} }, tried: null });
      }),
    )
    .post(
      "/add/:kind",
      page("admin", async (caller, shell, { params, request }) => {
        const kind = kindOf(params.kind);
        const { fields, act } = await posted(request);
        let failed: unknown;
        try {
          if (act === "create") return seeOther(await create(caller.tenant_id, kind, fields));
          if (act !== "test" || kind === "http") throw new Problem("nothing_asked", {});
        } catch (error) {
          failed = error;
        }
        const { body, status } = await tried(caller, shell, kind, fields, failed);
        return html(request, body, status);
      }),
      { parse: "none" },
    );
};

function kindOf(word: string | undefined): SourceKind {
  const kind = SOURCE_KINDS.find((one) => one === word);
  if (!kind) throw notFound("source_kind", word);
  return kind;
}

/** What is ticked of the devices found, each with its row in the form. @throws BadInput */
function chosenMachines(fields: Fields): { row: string; input: NewMachine }[] {
  const rows = Array.from({ length: rowCount(fields, "/machines") }, (_, i) => `/machines/${i}`);
  const chosen = rows.filter((row) => fields[`${row}/take`] !== undefined);
  if (chosen.length === 0) throw badInput("", "choose_device");
  return chosen.map((row) => {
    const device = fields[`${row}/device`] ?? [];
    const source = sourceOf("mtconnect", { ...fields, "/source/device": device });
    return { row, input: { ...inputAt(Type.Omit(Named, ["id"]), fields, row), source } };
  });
}

/** An error of one of many machines stands at its row; what is wrong with the address, at the address. */
function atRow(error: unknown, row: string): unknown {
  return new BadInput(
    wrong(error).map((one) => ({ ...one, path: one.path.startsWith("/source") ? one.path : row + one.path })),
  );
}

/** The fields of devices just found: their own names, all chosen that are new; what was typed stays. */
function withDevices(fields: Fields, { devices }: Extract<Tried, { devices: unknown }>): Fields {
  const values: Fields = { ...fields };
  const known = rowCount(fields, "/machines") > 0;
  devices.forEach(({ device, name }, i) => {
    const row = `/machines/${i}`;
    if (known && fields[`${row}/device`]?.[0] === device) return;
    values[`${row}/take`] = ["1"];
    values[`${row}/name`] = [name || device];
    values[`${row}/group`] = [""];
  });
  return values;
}

/** What of an agent is read already. */
function takenDevices(machines: Machines, tenant_id: string, url: string): string[] {
  const plain = url.trim().replace(/\/+$/, "");
  return machines.list(tenant_id).flatMap((machine) => {
    const source = machine.source as MachineSource;
    const same = source.kind === "mtconnect" && source.url.replace(/\/+$/, "") === plain;
    return same && source.device !== undefined ? [source.device] : [];
  });
}
