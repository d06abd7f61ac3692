// The screens: /, /hmi, /hmi/{id}, /dashboard, /dashboard/{id}, their explanations, and the files they load.
import { Elysia } from "elysia";
import type { LiveHub } from "../../../ingest/live/hub.ts";
import type { Machine } from "../../../ingest/store/store.ts";
import {
  ASSET_ROOT,
  assetResponse,
  assets,
  HmiEntry,
  HmiMachine,
  HmiMachineFigures,
  HmiWall,
  HmiWallFigures,
  renderFragment,
  renderPage,
  type Shell,
} from "../../../views/index.ts";
import type { Caller, Keys } from "../../keys.ts";
import type { Reports } from "../analytics/service.ts";
import type { Explanations } from "../explain/service.ts";
import type { Machines } from "../machines/service.ts";
import type { Reasons } from "../reasons/service.ts";
import { dashboardModule } from "./dashboard.ts";
import type { Figures } from "./figures.ts";
import { kioskModule } from "./kiosk.ts";
import type { Operator } from "./operator.ts";
import { type Context, pageMaker } from "./page.ts";

type Deps = {
  explanations: Explanations;
  reports: Reports;
  reasons: Reasons;
  machines: Machines;
  figures: Figures;
  operator: Operator;
  hub: LiveHub;
  keys: Keys;
  log: (message: string) => void;
};

/** A wall of one hall shows its machines alone. */
const isShown =
  (group: string | undefined) =>
  (machine: Machine): boolean =>
    !group || machine.group === group;
const byName = (a: string, b: string): number => a.localeCompare(b, undefined, { numeric: true });

export const pagesModule = ({
  machines,
  figures,
  operator,
  explanations,
  reports,
  reasons,
  hub,
  keys,
  log,
}: Deps) => {
  const shown = pageMaker({ keys, figures, log });
  const page = (make: (caller: Caller, shell: Shell, context: Context) => Promise<string> | string) =>
    shown("read", make);

  return new Elysia({ detail: { hide: true } })
    .use(kioskModule(figures))
    .get("/", () => Response.redirect("/hmi", 302))
    .get(`${ASSET_ROOT}*`, async ({ request }) => {
      const asset = (await assets()).get(new URL(request.url).pathname);
      return asset ? assetResponse(asset, request) : new Response("not found", { status: 404 });
    })
    .get(
      "/hmi",
      page(async (caller, shell, { query }) => {
        const all = machines.list(caller.tenant_id);
        const own = all.filter(isShown(query.group));
        const groups = [...new Set(all.map(({ group }) => group).filter(Boolean))].sort(byName);
        const shifts = new Map((await figures.shifts(own, shell.now_ms)).map((one) => [one.machine_id, one]));
        const { machines: live } = hub.snapshot(own.map(({ id }) => id));
        const tiles = own.flatMap(({ id, name }, i) => {
          const now = live[i];
          return now ? [{ name, live: now, figures: shifts.get(id) ?? null }] : [];
        });
        return renderPage(HmiWall, { shell, machines: tiles, groups, group: query.group || null });
      }),
    )
    .get(
      "/hmi/figures",
      page(async (caller, shell, { query }) => {
        const own = machines.list(caller.tenant_id).filter(isShown(query.group));
        const shifts = await figures.shifts(own, shell.now_ms);
        return renderFragment(HmiWallFigures, { shell, figures: shifts });
      }),
    )
    .get(
      "/hmi/:id",
      page(async (caller, shell, { params }) => {
        const machine = machines.get(caller.tenant_id, params.id ?? "");
        const [live] = hub.snapshot([machine.id]).machines;
        if (!live) throw new Error("the hub knows every machine");
        const shift = await figures.shift(machine, shell.now_ms);
        const entry = shell.may.operate ? await operator.entry(machine, shift, shell.now_ms) : null;
        return renderPage(HmiMachine, { shell, name: machine.name, live, figures: shift, entry });
      }),
    )
    .get(
      "/hmi/:id/figures",
      page(async (caller, shell, { params }) => {
        const machine = machines.get(caller.tenant_id, params.id ?? "");
        const shift = await figures.shift(machine, shell.now_ms);
        return renderFragment(HmiMachineFigures, { shell, machine_id: machine.id, figures: shift });
      }),
    )
    .get(
      "/hmi/:id/entry",
      shown("operate", async (caller, shell, { params }) => {
        const machine = machines.get(caller.tenant_id, params.id ?? "");
        const shift = await figures.shift(machine, shell.now_ms);
        const entry = await operator.entry(machine, shift, shell.now_ms);
        return renderFragment(HmiEntry, { shell, machine_id: machine.id, ...entry });
      }),
    )
    .use(dashboardModule({ machines, figures, explanations, reports, reasons, keys, log }));
};
