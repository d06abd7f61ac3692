// /admin: the pages on which a plant is set up and looked after. Each form goes through the API's own schemas and services.
import { Elysia } from "elysia";
import type { Services } from "../../services.ts";
import { pageMaker } from "../pages/page.ts";
import { accessPages } from "./access.ts";
import { addPages } from "./add.ts";
import { calendarPages } from "./calendar.ts";
import { cycleTimePages } from "./cycle-times.ts";
import { eventPages } from "./events.ts";
import { healthPages } from "./health.ts";
import { machinePages } from "./machines.ts";
import { policyPages } from "./policy.ts";
import { reasonPages } from "./reasons.ts";
import { Trials } from "./trials.ts";

export const adminModule = (services: Services) => {
  const deps = { ...services, trials: new Trials() };
  const shown = pageMaker(services);
  /** Every page tells how many events wait for a hand. */
  const page: typeof shown = (scope, make) =>
    shown(scope, async (caller, shell, context) => {
      const set_aside = (await services.deadLetters.list(caller.tenant_id)).length;
      return make(caller, { ...shell, set_aside }, context);
    });
  return new Elysia({ prefix: "/admin", detail: { hide: true } })
    .get("", () => Response.redirect("/admin/machines", 302))
    .use(machinePages(deps, page))
    .use(addPages(deps, page))
    .use(eventPages(deps, page))
    .use(healthPages(deps, page))
    .use(accessPages(deps, page))
    .use(calendarPages(deps, page))
    .use(cycleTimePages(deps, page))
    .use(policyPages(deps, page))
    .use(reasonPages(deps, page));
};
