// /admin/health: how the program is doing; the figures alone every few seconds.
import { Elysia } from "elysia";
import { AdminHealth, AdminHealthFigures, renderFragment, renderPage } from "../../../views/index.ts";
import type { HealthReport } from "../health/report.ts";
import type { pageMaker } from "../pages/page.ts";

export const healthPages = (
  { healthReport }: { healthReport: HealthReport },
  page: ReturnType<typeof pageMaker>,
) =>
  new Elysia()
    .get(
      "/health",
      page("admin", async ({ tenant_id }, shell) =>
        renderPage(AdminHealth, { shell, health: await healthReport.of(tenant_id) }),
      ),
    )
    .get(
      "/health/figures",
      page("admin", async ({ tenant_id }, shell) =>
        renderFragment(AdminHealthFigures, { shell, health: await healthReport.of(tenant_id) }),
      ),
    );
