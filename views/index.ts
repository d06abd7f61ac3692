// What the server uses of the screens: pages, fragments, their props, and the files they load.
import type { FunctionComponent } from "preact";
import { h } from "preact";
import { renderToString } from "preact-render-to-string";

import type { Shell } from "./model.ts";
import { speak } from "./text.ts";

export * from "./admin-model.ts";
export { ASSET_ROOT, type Asset, assetResponse, assets } from "./assets.ts";
export { reportPath, WITHOUT } from "./components/asked.ts";
export { DashboardBands } from "./components/bands.tsx";
export { HmiEntry } from "./components/entry/entry.tsx";
export { DashboardFilters } from "./components/filters.tsx";
export { DashboardHeat, heatFrom_ms } from "./components/heat.tsx";
export { partOf } from "./facts.ts";
export { EMPTY_FORM, errorsByPath, type FormState } from "./form.ts";
export { localInput } from "./format.ts";
export type * from "./model.ts";
export { CUTS, ONLY, PERIODS } from "./model.ts";
export { Account } from "./pages/account.tsx";
export { AdminAccess } from "./pages/admin/access.tsx";
export { AdminAdd, AdminAddChoice } from "./pages/admin/add.tsx";
export { AdminCalendar } from "./pages/admin/calendar.tsx";
export { AdminCycleTimes } from "./pages/admin/cycle-times.tsx";
export { AdminEvents } from "./pages/admin/events.tsx";
export { AdminHealth, AdminHealthFigures } from "./pages/admin/health.tsx";
export { AdminMachine } from "./pages/admin/machine.tsx";
export { AdminMachines } from "./pages/admin/machines.tsx";
export { AdminPolicy } from "./pages/admin/policy.tsx";
export { AdminReasons, AdminReasonsUse } from "./pages/admin/reasons.tsx";
export { Dashboard, DashboardReport, MOST_BANDS } from "./pages/dashboard.tsx";
export { DashboardMachine, DashboardMachineReport } from "./pages/dashboard-machine.tsx";
export { Explain } from "./pages/explain.tsx";
export { ExplainState } from "./pages/explain-state.tsx";
export { HmiMachine, HmiMachineFigures } from "./pages/hmi-machine.tsx";
export { HmiWall, HmiWallFigures } from "./pages/hmi-wall.tsx";
export { Offline } from "./pages/offline.tsx";
export { Problem } from "./pages/problem.tsx";
export { ProblemCode, ProblemCodes } from "./pages/problem-codes.tsx";
export { SignIn } from "./pages/sign-in.tsx";
export { manifest, serviceWorker } from "./service-worker.ts";
export { idealCycle, partsTarget } from "./target.ts";
export { LANGUAGES, type Language, type StarterWords, starterWords } from "./text.ts";
export { VERSION } from "./version.ts";

/** Sent with every page: scripts and styles come from this server only, nothing inline, no frames. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** A whole page as HTML. `await assets()` once before the first. */
export function renderPage<P extends { shell: Shell }>(
  page: FunctionComponent<P>,
  props: NoInfer<P>,
): string {
  speak(props.shell.language);
  return `<!doctype html>${renderToString(h(page, props))}`;
}

/** A piece of a page as HTML, the answer to an htmx request. */
export function renderFragment<P extends { shell: Shell }>(
  fragment: FunctionComponent<P>,
  props: NoInfer<P>,
): string {
  speak(props.shell.language);
  return renderToString(h(fragment, props));
}

/** Whether a request wants the fragment rather than the page; answer with `Vary: HX-Request` either way. */
export function wantsFragment(headers: Headers): boolean {
  return headers.get("hx-request") === "true" && headers.get("hx-history-restore-request") !== "true";
}
