// The screens without a server: `bun views/preview.ts --port 4100` shows them with the test data and a stream
// that moves. The browser tests start it too, with hands on the stream.
import { isCode, type Told } from "../domain/problem.ts";
import type { LiveDelta, LiveMachine, LiveSnapshot } from "../ingest/live/live.ts";
import {
  assetResponse,
  assets,
  CONTENT_SECURITY_POLICY,
  CUTS,
  Dashboard,
  DashboardBands,
  DashboardFilters,
  DashboardHeat,
  DashboardMachine,
  DashboardMachineReport,
  DashboardReport,
  Explain,
  ExplainState,
  HmiEntry,
  HmiMachine,
  HmiMachineFigures,
  HmiWall,
  HmiWallFigures,
  manifest,
  Offline,
  PERIODS,
  Problem,
  ProblemCode,
  ProblemCodes,
  renderFragment,
  renderPage,
  SignIn,
  serviceWorker,
  VERSION,
  wantsFragment,
} from "./index.ts";
import {
  asked,
  dashboard,
  dashboardBands,
  dashboardFilters,
  dashboardHeat,
  dashboardMachine,
  entry,
  explained,
  explainedPlant,
  explainedState,
  machineId,
  period,
  shell,
  tiles,
} from "./testing/plant.ts";

export type Preview = {
  url: string;
  /** Sends a delta to every page that is connected. */
  delta: (delta: LiveDelta) => void;
  /** Drops every stream and refuses new ones with 503 until `up()`. */
  down: () => void;
  up: () => void;
  /** How many pages are connected. */
  connected: () => number;
  /** Changes the plant: with no machines the pages greet. */
  empty: (isEmpty: boolean) => void;
  /** Tells every page that the server's screens are now this version. */
  update: (version: string) => void;
  stop: () => Promise<void>;
};

type Client = ReadableStreamDefaultController<Uint8Array>;
const utf8 = new TextEncoder();

/** @param port 0 for any free one */
export async function startPreview(port: number, machines = 10): Promise<Preview> {
  const files = await assets();
  const worker = await serviceWorker();
  const clients = new Set<Client>();
  let isUp = true;
  let isEmpty = false;
  let version = VERSION;

  const plant = () => (isEmpty ? [] : tiles(Date.now(), machines));
  const here = (user: string | null = "admin") => shell({ now_ms: Date.now(), user });
  const send = (client: Client, event: string, data: object) => {
    try {
      client.enqueue(
        utf8.encode(`retry: 500\nid: ${Date.now()}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`),
      );
    } catch {
      clients.delete(client); // it went away
    }
  };
  const stream = (wanted: string[]): Response => {
    let mine: Client;
    const body = new ReadableStream<Uint8Array>({
      start: (client) => {
        clients.add((mine = client));
        const machines = plant().map(({ live }) => live);
        const isWanted = ({ machine_id }: LiveMachine) => wanted.length === 0 || wanted.includes(machine_id);
        const snapshot: LiveSnapshot = { now_ms: Date.now(), machines: machines.filter(isWanted) };
        send(client, "snapshot", snapshot);
      },
      cancel: () => void clients.delete(mine),
    });
    return new Response(body, {
      headers: { "content-type": "text/event-stream", "cache-control": "no-store" },
    });
  };

  const page = (html: string, status = 200) =>
    new Response(html, {
      status,
      headers: {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": CONTENT_SECURITY_POLICY,
        vary: "HX-Request",
      },
    });
  const refused = (told: Told<"no_such_address" | "internal">, status: number) =>
    page(renderPage(Problem, { shell: here(), problem: told.code, told }), status);
  const missing = () => refused({ code: "no_such_address", params: {} }, 404);

  const answer = (request: Request): Response => {
    const url = new URL(request.url);
    const [, room = "", id = "", rest = ""] = url.pathname.split("/").map(decodeURIComponent);
    const asset = files.get(url.pathname);
    if (asset) return assetResponse(asset, request);
    const tile = plant().find(({ live }) => live.machine_id === id);
    const query = (name: string) => url.searchParams.get(name);
    const of = asked({
      path: id === "" ? "/dashboard" : `/dashboard/${id}`,
      period: period({
        kind: PERIODS.find((one) => one === query("period")) ?? "today",
        by: CUTS.find((one) => one === query("by")) ?? "hour",
      }),
      pareto: query("pareto") === "count" ? "count" : "time",
      sort: query("sort") ?? "",
    });
    const fragment = wantsFragment(request.headers);

    if (url.pathname === "/sign-in")
      return page(
        renderPage(SignIn, {
          shell: here(null),
          name: "",
          error: url.searchParams.has("error") ? "wrong_key" : null,
          next: "/hmi",
          token: url.searchParams.get("token") ?? "",
        }),
      );
    if (url.pathname === "/" || url.pathname === "/hmi")
      return page(renderPage(HmiWall, { shell: here(), machines: plant(), groups: [], group: null }));
    if (url.pathname === "/hmi/figures")
      return page(
        renderFragment(HmiWallFigures, {
          shell: here(),
          figures: plant().flatMap(({ figures }) => figures ?? []),
        }),
      );
    if (room === "hmi" && tile)
      return rest === "entry"
        ? page(renderFragment(HmiEntry, entry({ shell: here() })))
        : rest === "figures"
          ? page(renderFragment(HmiMachineFigures, { shell: here(), machine_id: id, figures: tile.figures }))
          : page(renderPage(HmiMachine, { shell: here(), ...tile, entry: entry() }));
    if (url.pathname === "/dashboard") {
      const props = dashboard({ asked: of });
      if (isEmpty) props.machines = [];
      return page(fragment ? renderFragment(DashboardReport, props) : renderPage(Dashboard, props));
    }
    if (url.pathname === "/dashboard/heat") return page(renderFragment(DashboardHeat, dashboardHeat()));
    if (url.pathname === "/dashboard/bands") return page(renderFragment(DashboardBands, dashboardBands()));
    if (url.pathname === "/dashboard/filters")
      return page(renderFragment(DashboardFilters, dashboardFilters()));
    if (room === "dashboard" && tile && rest === "heat")
      return page(renderFragment(DashboardHeat, { ...dashboardHeat(), asked: of }));
    if (room === "dashboard" && tile && rest === "filters")
      return page(
        renderFragment(DashboardFilters, { ...dashboardFilters(), asked: of, machines: [], groups: [] }),
      );
    if (url.pathname === "/dashboard/explain") return page(renderPage(Explain, explainedPlant()));
    if (room === "dashboard" && tile && url.pathname.endsWith("/explain"))
      return page(renderPage(Explain, explained(tile.name)));
    if (room === "dashboard" && tile && url.pathname.endsWith("/explain/state"))
      return page(renderPage(ExplainState, explainedState(tile.name)));
    if (room === "dashboard" && tile) {
      const props = dashboardMachine(tile.name, { asked: of });
      return page(
        fragment ? renderFragment(DashboardMachineReport, props) : renderPage(DashboardMachine, props),
      );
    }
    if (url.pathname === "/offline") return page(renderPage(Offline, { shell: here(null) }));
    if (url.pathname === "/sw.js")
      return new Response(worker, { headers: { "content-type": "text/javascript" } });
    if (url.pathname === "/manifest.webmanifest") return Response.json(manifest());
    if (url.pathname === "/boom") return refused({ code: "internal", params: {} }, 500);
    if (url.pathname === "/problems") return page(renderPage(ProblemCodes, { shell: here(null) }));
    if (room === "problems" && isCode(id))
      return page(renderPage(ProblemCode, { shell: here(null), code: id }));
    if (url.pathname.endsWith("/history")) return Response.json(history(url.searchParams));
    if (url.pathname === "/api/v1/machines") return Response.json([]);
    return missing();
  };

  const server = Bun.serve({
    hostname: "127.0.0.1",
    port,
    fetch(request, self) {
      const url = new URL(request.url);
      if (url.pathname !== "/api/v1/stream") return answer(request);
      if (!isUp) return new Response(null, { status: 503 });
      self.timeout(request, 0);
      return stream(url.searchParams.getAll("machine"));
    },
  });
  const heartbeat = setInterval(() => {
    for (const client of clients) send(client, "heartbeat", { now_ms: Date.now(), version });
  }, 5_000);

  return {
    url: `http://127.0.0.1:${server.port}`,
    delta: (delta) => {
      for (const client of clients) send(client, "delta", delta);
    },
    down: () => {
      isUp = false;
      for (const client of clients) client.close();
      clients.clear();
    },
    up: () => {
      isUp = true;
    },
    connected: () => clients.size,
    empty: (value) => {
      isEmpty = value;
    },
    update: (told) => {
      version = told;
      for (const client of clients) send(client, "heartbeat", { now_ms: Date.now(), version });
    },
    stop: async () => {
      clearInterval(heartbeat);
      await server.stop(true);
    },
  };
}

/** Earlier values of signals, one in two seconds: cycles of cutting and changing. */
function history(query: URLSearchParams) {
  const [from_ms, to_ms] = [Date.parse(query.get("from") ?? ""), Date.parse(query.get("to") ?? "")];
  const ts_ms: number[] = [];
  for (let at = Math.ceil(from_ms / 2000) * 2000; at < to_ms; at += 2000) ts_ms.push(at);
  const signals = query.getAll("signal").map((signal) => ({
    signal,
    ts_ms,
    value: ts_ms.map((at) => valueAt(signal, at)),
  }));
  return { signals };
}

function valueAt(signal: string, at_ms: number): number {
  const cycle = (at_ms / 1000) % 95;
  if (signal === "feedrate_override") return at_ms % 700_000 < 90_000 ? 70 : 100;
  const cutting = cycle > 12 && cycle < 84;
  if (signal === "spindle_speed")
    return cutting ? 3200 + 60 * Math.sin(at_ms / 4100) - (cycle > 50 ? 900 : 0) : 0;
  return cutting ? 24 + 9 * Math.sin(at_ms / 7000) : 0;
}

if (import.meta.main) {
  const port = Number(process.argv[process.argv.indexOf("--port") + 1]) || 4100;
  const preview = await startPreview(port);
  console.log(`${preview.url}/hmi ${preview.url}/dashboard ${preview.url}/sign-in`);
  setInterval(() => {
    const ts_us = Date.now() * 1000;
    const value = (signal: string) => ({ ts_us, value: valueAt(signal, Date.now()) });
    preview.delta({
      machine_id: machineId("Mill 1"),
      heard_ms: Date.now(),
      signals: { spindle_speed: value("spindle_speed"), feedrate: value("feedrate") },
    });
  }, 100);
}
