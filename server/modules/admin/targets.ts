// For which machines a form of one machine is meant: it alone, its group, all.
import { badInput } from "../../../ingest/problem.ts";
import type { Machine } from "../../../ingest/store/store.ts";
import type { Machines } from "../machines/service.ts";
import type { Fields } from "./form.ts";

/** @throws BadInput for a word nobody offered */
export function targetsOf(machines: Machines, machine: Machine, fields: Fields): Machine[] {
  const [apply = "machine"] = fields["/apply"] ?? [];
  switch (apply) {
    case "machine":
      return [machine];
    case "group":
      return machines.some(machine.tenant_id, { group: machine.group });
    case "all":
      return machines.list(machine.tenant_id);
    default:
      throw badInput("/apply", "one_of", { words: ["machine", "group", "all"] });
  }
}
