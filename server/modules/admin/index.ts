// /admin: the pages on which a plant is set up. Each form goes through the API's own schemas and services.
import { Elysia } from "elysia";
import { calendarAt, calendarsOf } from "../../../ingest/calendar.ts";
import { AdminMachines, renderPage } from "../../../views/index.ts";
import type { Keys } from "../../keys.ts";
import type { Reports } from "../analytics/service.ts";
import type { Machines } from "../machines/service.ts";
import type { Figures } from "../pages/figures.ts";
import { pageMaker } from "../pages/page.ts";
import type { Reasons } from "../reasons/service.ts";
import { accessPages } from "./access.ts";
import { calendarPages } from "./calendar.ts";
import { cycleTimePages } from "./cycle-times.ts";
import { policyPages } from "./policy.ts";
import { reasonPages } from "./reasons.ts";

type Deps = {
  keys: Keys;
  machines: Machines;
  reasons: Reasons;
  reports: Reports;
  figures: Figures;
  log: (message: string) => void;
};

export const adminModule = (deps: Deps) => {
  const page = pageMaker(deps);
  return new Elysia({ prefix: "/admin", detail: { hide: true } })
    .get("", () => Response.redirect("/admin/machines", 302))
    .get(
      "/machines",
      page("admin", ({ tenant_id }, shell) => {
        const machines = deps.machines.list(tenant_id).map(({ id, name, group, calendar, cycle_times }) => ({
          machine_id: id,
          name,
          group,
          calendar: (calendarAt(calendarsOf(calendar), shell.now_ms)?.shifts ?? [])
            .map((shift) => shift.name)
            .join(", "),
          cycle_times: Array.isArray(cycle_times) ? cycle_times.length : 0,
        }));
        return renderPage(AdminMachines, { shell, machines });
      }),
    )
    .use(accessPages(deps, page))
    .use(calendarPages(deps, page))
    .use(cycleTimePages(deps, page))
    .use(policyPages(deps, page))
    .use(reasonPages(deps, page));
};
