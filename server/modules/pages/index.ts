// The screens: /, /hmi, /hmi/{id}, /dashboard, /dashboard/{id}, their explanations, and the files they load.
import { brotliCompressSync, constants } from "node:zlib";
import { Elysia } from "elysia";
import type { LiveHub } from "../../../ingest/live/hub.ts";
import {
  ASSET_ROOT,
  assetResponse,
  assets,
  CONTENT_SECURITY_POLICY,
  Dashboard,
  DashboardMachine,
  DashboardMachineReport,
  DashboardReport,
  Explain,
  ExplainState,
  HmiMachine,
  HmiMachineFigures,
  HmiWall,
  HmiWallFigures,
  Problem as ProblemPage,
  renderFragment,
  renderPage,
  type Shell,
  wantsFragment,
} from "../../../views/index.ts";
import { allows, type Caller, type Keys } from "../../keys.ts";
import { languageOf } from "../../language.ts";
import { callerOf } from "../../plugins/auth.ts";
import { Problem, toProblem } from "../../plugins/errors.ts";
import type { Reports } from "../analytics/service.ts";
import type { Explanations } from "../explain/service.ts";
import type { Machines } from "../machines/service.ts";
import { explainMachine, explainPlant, explainState } from "./explain.ts";
import type { Figures } from "./figures.ts";

type Deps = {
  explanations: Explanations;
  reports: Reports;
  machines: Machines;
  figures: Figures;
  hub: LiveHub;
  keys: Keys;
  log: (message: string) => void;
};

/** Pages are made for each request: fast matters more than the last byte. */
const BROTLI_QUALITY = 4;

/** The headers of every page. */
export const PAGE_HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
  "cache-control": "no-store",
  vary: "HX-Request, Accept-Encoding",
};

/** A page or a fragment, compressed as the client accepts: a wall of a hundred tiles is a tenth of its size. */
export function html(request: Request, body: string, status = 200): Response {
  const accepted = request.headers.get("accept-encoding") ?? "";
  if (/\bbr\b/.test(accepted)) {
    const packed = brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } });
    return new Response(packed, { status, headers: { ...PAGE_HEADERS, "content-encoding": "br" } });
  }
  if (/\bgzip\b/.test(accepted)) {
    const headers = { ...PAGE_HEADERS, "content-encoding": "gzip" };
    return new Response(Bun.gzipSync(body, { level: 5 }), { status, headers });
  }
  return new Response(body, { status, headers: PAGE_HEADERS });
}

/** What every page knows: the plant, its time, who is looking. */
export function shellFor(request: Request, figures: Figures, caller: Caller | undefined): Shell {
  return {
    plant: "MTC",
    timezone: figures.timezone(caller?.tenant_id),
    now_ms: Date.now(),
    user: caller?.name ?? null,
    may: { operate: !!caller && allows(caller, "operate"), admin: !!caller && allows(caller, "admin") },
    language: languageOf(request),
    origin: new URL(request.url).origin,
  };
}

export const pagesModule = ({ machines, figures, explanations, reports, hub, keys, log }: Deps) => {
  /** Signs in first whoever has no session; shows what went wrong as a page. */
  const page =
    (make: (caller: Caller, shell: Shell, context: Context) => Promise<string> | string) =>
    async (context: Context): Promise<Response> => {
      const { request } = context;
      let caller: Caller | undefined;
      try {
        caller = await callerOf(keys, request);
        if (!caller) return signInFirst(request);
        if (!allows(caller, "read")) throw new Problem(403, "Forbidden", 'the key lacks the scope "read"');
        return html(request, await make(caller, shellFor(request, figures, caller), context));
      } catch (error) {
        const { status, message } = toProblem(error, log);
        const shell = shellFor(request, figures, caller);
        return html(request, renderPage(ProblemPage, { shell, status, detail: message }), status);
      }
    };

  return new Elysia({ detail: { hide: true } })
    .get("/", () => Response.redirect("/hmi", 302))
    .get(`${ASSET_ROOT}*`, async ({ request }) => {
      const asset = (await assets()).get(new URL(request.url).pathname);
      return asset ? assetResponse(asset, request) : new Response("not found", { status: 404 });
    })
    .get(
      "/hmi",
      page(async (caller, shell) => {
        const own = machines.list(caller.tenant_id);
        const shifts = new Map((await figures.shifts(own, shell.now_ms)).map((one) => [one.machine_id, one]));
        const { machines: live } = hub.snapshot(own.map(({ id }) => id));
        const tiles = own.flatMap(({ id, name }, i) => {
          const now = live[i];
          return now ? [{ name, live: now, figures: shifts.get(id) ?? null }] : [];
        });
        return renderPage(HmiWall, { shell, machines: tiles });
      }),
    )
    .get(
      "/hmi/figures",
      page(async (caller, shell) => {
        const shifts = await figures.shifts(machines.list(caller.tenant_id), shell.now_ms);
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
        return renderPage(HmiMachine, { shell, name: machine.name, live, figures: shift });
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
      "/dashboard",
      page(async (caller, shell, { query, request }) => {
        const props = {
          shell,
          ...(await figures.plant(caller.tenant_id, query, shell)),
          sort: query.sort ?? "",
        };
        return wantsFragment(request.headers)
          ? renderFragment(DashboardReport, props)
          : renderPage(Dashboard, props);
      }),
    )
    .get(
      "/dashboard/explain",
      page(async (caller, shell, { query }) =>
        renderPage(Explain, await explainPlant(explanations, machines.list(caller.tenant_id), query, shell)),
      ),
    )
    .get(
      "/dashboard/:id/explain",
      page(async (caller, shell, { params, query }) => {
        const machine = machines.get(caller.tenant_id, params.id ?? "");
        return renderPage(Explain, await explainMachine(explanations, machine, query, shell));
      }),
    )
    .get(
      "/dashboard/:id/explain/state",
      page(async (caller, shell, { params, query }) => {
        const machine = machines.get(caller.tenant_id, params.id ?? "");
        return renderPage(ExplainState, await explainState(explanations, reports, machine, query, shell));
      }),
    )
    .get(
      "/dashboard/:id",
      page(async (caller, shell, { params, query, request }) => {
        const machine = machines.get(caller.tenant_id, params.id ?? "");
        const props = { shell, ...(await figures.machine(machine, query, shell)) };
        return wantsFragment(request.headers)
          ? renderFragment(DashboardMachineReport, props)
          : renderPage(DashboardMachine, props);
      }),
    );
};

type Context = {
  request: Request;
  params: Record<string, string | undefined>;
  query: Record<string, string | undefined>;
};

/** A browser goes to the sign-in page; htmx is told to take the whole page there. */
function signInFirst(request: Request): Response {
  const { pathname, search } = new URL(request.url);
  const to = `/sign-in?next=${encodeURIComponent(pathname + search)}`;
  if (wantsFragment(request.headers))
    return new Response(null, { status: 401, headers: { "hx-redirect": to } });
  return new Response(null, { status: 302, headers: { location: to } });
}
