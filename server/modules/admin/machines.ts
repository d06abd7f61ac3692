// /admin/machines: the list, a machine's source and rules by form, its end; the demo comes and goes.
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { calendarAt, calendarsOf } from "../../../ingest/calendar.ts";
import type { LiveHub } from "../../../ingest/live/hub.ts";
import { maskedSource, unmaskedSource, withoutCredentials } from "../../../ingest/sources/credentials.ts";
import { pointsOf } from "../../../ingest/sources/modbus/map.ts";
import type { MachineSource } from "../../../ingest/sources/model.ts";
import type { Machine } from "../../../ingest/store/store.ts";
import {
  AdminMachine,
  type AdminMachineProps,
  AdminMachines,
  type AdminMachinesProps,
  type Contact,
  errorsByPath,
  type FormState,
  MACHINES_DONE,
  type MachinesDone,
  renderPage,
  type Shell,
} from "../../../views/index.ts";
import type { Demo } from "../../demo.ts";
import { Problem } from "../../plugins/errors.ts";
import type { Sources } from "../../sources.ts";
import { NewMachine } from "../machines/model.ts";
import type { Machines } from "../machines/service.ts";
import { html, type pageMaker } from "../pages/page.ts";
import { checkEnded, type Fields, inputOf, posted, rowsChanged, wrong } from "./form.ts";
import { rulesFields, rulesOf, sourceFields, sourceOf } from "./sources.ts";
import type { Trials } from "./trials.ts";

type Deps = {
  machines: Machines;
  sources: Sources["report"];
  hub: LiveHub;
  demo: Demo;
  trials: Trials;
};

/** A form always says both: a name, and the group, which may be none. */
const Named = Type.Pick(NewMachine, ["name", "group"]);

export const seeOther = (location: string): Response =>
  new Response(null, { status: 303, headers: { location } });

/** The groups there are, by name. */
export const groupsOf = (machines: Machines, tenant_id: string): string[] =>
  [...new Set(machines.list(tenant_id).map(({ group }) => group))].filter((group) => group !== "").sort();

const doneOf = (word: string | undefined): MachinesDone | null =>
  MACHINES_DONE.find((one) => one === word) ?? null;

export const machinePages = (deps: Deps, page: ReturnType<typeof pageMaker>) => {
  const { machines, sources, hub, demo, trials } = deps;

  /** How each machine's source is doing. */
  async function contacts(): Promise<Map<string, Contact>> {
    const by_id = new Map<string, Contact>();
    for (const { machine_ids, state, heard_ms, error, read_by } of await sources())
      for (const id of machine_ids) by_id.set(id, { state, heard_ms, error, read_by });
    return by_id;
  }

  /** Where nothing reads it, when it was last heard. */
  function contactOf(id: string, known: Map<string, Contact>): Contact {
    const [live] = hub.snapshot([id]).machines;
    const contact = known.get(id) ?? {
      state: live?.source ?? "connecting",
      heard_ms: 0,
      error: "",
      read_by: "",
    };
    return { ...contact, heard_ms: Math.max(contact.heard_ms, live?.heard_ms ?? 0) };
  }

  async function list(
    tenant_id: string,
    shell: Shell,
    done: MachinesDone | null,
  ): Promise<AdminMachinesProps> {
    const known = await contacts();
    const own = machines.list(tenant_id);
    const has_demo = own.some((machine) => machine.demo);
    return {
      shell,
      done,
      demo: !has_demo ? "none" : demo.running ? "running" : "stopped",
      machines: own.map((machine) => ({
        machine_id: machine.id,
        name: machine.name,
        group: machine.group,
        kind: (machine.source as MachineSource).kind,
        address: addressOf(machine.source as MachineSource),
        contact: contactOf(machine.id, known),
        demo: machine.demo,
        calendar: (calendarAt(calendarsOf(machine.calendar), shell.now_ms)?.shifts ?? [])
          .map((shift) => shift.name)
          .join(", "),
        cycle_times: Array.isArray(machine.cycle_times) ? machine.cycle_times.length : 0,
      })),
    };
  }

  const shown = async (
    shell: Shell,
    machine: Machine,
    form: FormState,
    more: Partial<Pick<AdminMachineProps, "tried" | "done">> = {},
  ): Promise<string> =>
    renderPage(AdminMachine, {
      shell,
      machine: { machine_id: machine.id, name: machine.name },
      kind: (machine.source as MachineSource).kind,
      demo: machine.demo,
      contact: contactOf(machine.id, await contacts()),
      form,
      signals: signalsOf(machine),
      groups: groupsOf(machines, machine.tenant_id),
      tried: null,
      done: null,
      ...more,
    });

  /** What a map names; of other sources what was told so far, without what rules made of it. */
  function signalsOf({ id, source, rules }: Machine): string[] {
    const from = source as MachineSource;
    if (from.kind === "modbus") return pointsOf(from.map).map(({ signal }) => signal);
    const made = new Set(rules.map(({ is }) => is));
    const told = hub.snapshot([id]).machines.flatMap(({ signals }) => Object.keys(signals));
    return told.filter((signal) => !made.has(signal)).slice(0, MAX_SIGNALS);
  }

  async function save(machine: Machine, fields: Fields): Promise<void> {
    const kind = (machine.source as MachineSource).kind;
    const { name, group = "" } = inputOf(Named, fields);
    const source = unmaskedSource(sourceOf(kind, fields), machine.source as MachineSource);
    const rules = rulesOf(fields);
    await machines.patch(machine.tenant_id, machine.id, {
      name,
      group,
      ...(Bun.deepEquals(source, machine.source) ? {} : { source }),
      // New rules say what the latest values mean: the same ones have said so already.
      ...(Bun.deepEquals(rules, machine.rules) ? {} : { rules }),
    });
  }

  return new Elysia()
    .get(
      "/machines",
      page("admin", async ({ tenant_id }, shell, { query }) =>
        renderPage(AdminMachines, await list(tenant_id, shell, doneOf(query.done))),
      ),
    )
    .get(
      "/machines/:id",
      page("admin", ({ tenant_id }, shell, { params, query }) => {
        const machine = machines.get(tenant_id, params.id ?? "");
        return shown(shell, machine, formOf(machine), { done: doneOf(query.done) });
      }),
    )
    .post(
      "/machines/:id",
      page("admin", async ({ tenant_id, id: caller_id }, shell, { params, request }) => {
        const machine = machines.get(tenant_id, params.id ?? "");
        const said = await posted(request);
        const { fields, act } = said;
        const here = `/admin/machines/${encodeURIComponent(machine.id)}`;
        const changed = rowsChanged(said, () => ({ signal: [""], is: [""], words: [""] }));
        if (changed) return shown(shell, machine, changed);
        try {
          if (act === "delete") {
            await machines.delete(tenant_id, machine.id);
            return seeOther("/admin/machines?done=deleted");
          }
          if (act === "test") {
            const known = machine.source as MachineSource;
            const source = unmaskedSource(sourceOf(known.kind, fields), known);
            const tried = await trials.try(caller_id, source);
            return shown(shell, machine, { values: fields, errors: {} }, { tried });
          }
          if (act !== "") throw new Problem("nothing_asked", {});
          checkEnded(said);
          await save(machine, fields);
          return seeOther(`${here}?done=changed`);
        } catch (error) {
          const form = { values: fields, errors: errorsByPath(wrong(error)) };
          return html(request, await shown(shell, machine, form), 422);
        }
      }),
      { parse: "none" },
    )
    .post(
      "/demo",
      page("admin", async ({ tenant_id }, _, { request }) => {
        const { fields, act } = await posted(request);
        if (act === "start") await demo.start(tenant_id);
        else if (act === "remove") await demo.remove(tenant_id);
        else throw new Problem("nothing_asked", {});
        const to_wall = fields["/next"]?.[0] === "/hmi";
        return seeOther(
          to_wall ? "/hmi" : `/admin/machines?done=demo_${act === "start" ? "started" : "removed"}`,
        );
      }),
      { parse: "none" },
    );
};

/** Offered for rules (invariant 7). */
const MAX_SIGNALS = 500;

const formOf = ({ name, group, source, rules }: Machine): FormState => ({
  values: {
    "/name": [name],
    "/group": [group],
    ...sourceFields(maskedSource(source as MachineSource)),
    ...rulesFields(rules),
  },
  errors: {},
});

/** Where a source is, without the credentials that a URL may hold. */
function addressOf(source: MachineSource): string {
  if (source.kind === "mtconnect") return withoutCredentials(source.url);
  return source.kind === "modbus" ? `${source.host}:${source.port ?? 502}/${source.unit ?? 1}` : "";
}
