// What the plant's admin pages show, for the preview and the tests.
import type { AccountProps, AdminAccessProps, AdminMachinesProps } from "../model.ts";
import { machineId, shell } from "./plant.ts";

const CREATED = "2025-11-20T08:00:00Z";

export const account = (): AccountProps => ({
  shell: shell(),
  kind: "user",
  role: "operator",
  form: { values: {}, errors: { "/current": "the current password is wrong" } },
  changed: false,
});

/** @param name stands for every name in it */
export const adminMachines = (name?: string): AdminMachinesProps => ({
  shell: shell(),
  machines: ["Mill 1", "Lathe 1"].map((own, i) => ({
    machine_id: name ?? machineId(own),
    name: name ?? own,
    group: name ?? (i === 0 ? "hall 1" : ""),
    calendar: name ?? (i === 0 ? "early, late" : ""),
    cycle_times: i * 3,
  })),
});

/** @param name stands for every name in it */
export const adminAccess = (name?: string): AdminAccessProps => ({
  shell: shell(),
  users: [
    { id: "u1", name: name ?? "anna", role: "admin", disabled: false, created: CREATED },
    { id: "u2", name: name ?? "boris", role: "operator", disabled: true, created: CREATED },
  ],
  keys: [{ id: "k1", name: name ?? "grafana", scopes: ["read", "ingest"], created: CREATED }],
  forms: {
    user: {
      values: { "/user/name": [name ?? "anna"], "/user/role": ["operator"] },
      errors: { "/user/name": `the name "${name ?? "anna"}" is taken` },
    },
  },
  done: "changed",
  new_key: { name: name ?? "wall", key: "mtc_0123456789" },
});
