// The pages as text: escaping, states by word and shape, nothing inline, "–" for what is not known.
/** @jsxImportSource preact */
import { beforeAll, describe, expect, test } from "bun:test";
import type { State } from "../domain/state-rules.ts";
import { stepsOf } from "./components/waterfall.tsx";
import { activeConditions, BY_NEED } from "./facts.ts";
import {
  type Asset,
  assetResponse,
  assets,
  DashboardMachine,
  DashboardReport,
  HmiWall,
  type OeeRow,
  renderFragment,
  renderPage,
  wantsFragment,
} from "./index.ts";
import { sortRows } from "./pages/dashboard.tsx";
import { sentence } from "./pages/explain.tsx";
import { everyPage } from "./testing/every-page.ts";
import { dashboard, dashboardMachine, explained, shell, tiles } from "./testing/plant.ts";
import { text } from "./text.ts";

beforeAll(async () => {
  await assets();
});

const HOSTILE = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>`;

/** Parses HTML as the browser does, at least in what is a tag and what is text. */
async function elements(html: string): Promise<{ tag: string; attributes: [string, string][] }[]> {
  const found: { tag: string; attributes: [string, string][] }[] = [];
  const rewriter = new HTMLRewriter().on("*", {
    element: (element) => {
      found.push({ tag: element.tagName, attributes: [...element.attributes] as [string, string][] });
    },
  });
  await rewriter.transform(new Response(html)).text();
  return found;
}

describe("every page", () => {
  test("escapes hostile names: no element or handler of theirs comes to be", async () => {
    for (const [page, html] of Object.entries(everyPage({ name: HOSTILE }))) {
      const all = await elements(html);
      const made = all.filter(
        ({ tag, attributes }) => tag === "img" || attributes.some(([key]) => key.startsWith("on")),
      );
      expect([page, made]).toEqual([page, []]);
      expect([page, html.includes("<script>")]).toEqual([page, false]);
    }
    expect((everyPage({ name: HOSTILE }).wall ?? "").includes("&lt;script>")).toBe(true);
  });

  test("carries no inline script, style or handler, so that the CSP holds", async () => {
    for (const [page, html] of Object.entries(everyPage())) {
      for (const { tag, attributes } of await elements(html)) {
        const names = attributes.map(([key]) => key);
        expect([page, tag, names.includes("style")]).toEqual([page, tag, false]);
        expect([page, tag, names.filter((key) => /^on|^hx-on/.test(key))]).toEqual([page, tag, []]);
        expect(tag).not.toBe("style");
        if (tag === "script") expect(names).toContain("src");
      }
    }
  });

  test("loads nothing from an outside address", async () => {
    for (const html of Object.values(everyPage()))
      for (const { attributes } of await elements(html))
        for (const [key, value] of attributes)
          if (["src", "href", "action"].includes(key)) expect(value).toMatch(/^[/#?]/);
  });
});

describe("the wall", () => {
  test("every state has a word and a shape of its own", async () => {
    const [tile] = tiles();
    if (!tile) throw new Error("the fixture has machines");
    const shapes = new Set<string>();
    for (const state of BY_NEED) {
      const html = renderPage(HmiWall, {
        groups: [],
        group: null,
        shell: shell(),
        machines: [{ ...tile, live: { ...tile.live, state } }],
      });
      const line = /<p class="state-line">(.*?)<\/p>/s.exec(html)?.[1] ?? "";
      expect(line).toContain(`href="#state-${state}"`);
      expect(line).toContain(text.states[state]);
      const shape = new RegExp(`<symbol id="state-${state}"[^>]*><path[^>]* d="([^"]+)"`).exec(html)?.[1];
      if (shape) shapes.add(shape);
    }
    expect(shapes.size).toBe(BY_NEED.length);
    expect(new Set(Object.values(text.states)).size).toBe(BY_NEED.length);
  });

  test("sorts by what needs a hand, then by name", () => {
    const html = renderPage(HmiWall, { shell: shell(), machines: tiles(), groups: [], group: null });
    const states = [...html.matchAll(/class="tile" [^>]*data-state="(\w+)"/g)].map(
      ([, state]) => state as State,
    );
    expect(states.slice(0, 5)).toEqual(["DOWN", "STOPPED", "SETUP", "UNKNOWN", "IDLE"]);
    const names = [...html.matchAll(/data-name="([^"]+)"/g)].map(([, name]) => name);
    expect(names.slice(5)).toEqual(["Lathe 1", "Mill 1", "Mill 2", "Mill 4", "Washer"]);
  });

  test("marks late and old data in words and by attribute", () => {
    const html = renderPage(HmiWall, { shell: shell(), machines: tiles(), groups: [], group: null });
    const ageOf = (name: string) => new RegExp(`data-name="${name}"[^>]*data-age="(\\w+)"`).exec(html)?.[1];
    expect([ageOf("Mill 1"), ageOf("Lathe 3"), ageOf("Lathe 4")]).toEqual(["fresh", "late", "old"]);
    expect(html).toContain("21 s old");
    expect(html).toContain("5 min old");
  });

  test("without machines it greets in three steps", () => {
    const html = everyPage().empty ?? "";
    expect(html.match(/<li>/g)?.length).toBe(3);
    expect(html).toContain('href="/admin/add"');
    expect(html).toContain('action="/admin/demo"');
    // Who may not set it up is told whom to ask, and offered nothing that would be refused.
    const guest = everyPage().emptyForAll ?? "";
    expect(guest).toContain("ask whoever gave you");
    expect(guest).not.toContain('"/admin');
  });
});

describe("figures", () => {
  const unknown: Partial<OeeRow> = {
    availability: null,
    performance: null,
    quality: null,
    oee: null,
    teep: null,
    coverage: null,
    total_count: null,
    good_count: null,
    reject_count: null,
  };

  test("what is not known is –, never 0 or NaN (invariant 4)", () => {
    const props = dashboard();
    props.machines = props.machines.map((row) => ({ ...row, ...unknown }));
    props.total = props.total && { ...props.total, ...unknown };
    props.rows = props.rows.map((row) => ({ ...row, ...unknown }));
    props.groups = props.groups.map((row) => ({ ...row, ...unknown }));
    const html = renderFragment(DashboardReport, props);
    const ratios = [
      ...html.matchAll(
        /<td[^>]*data-label="(?:OEE|Availability|Performance|Quality|Coverage)"[^>]*>(.*?)<\/td>/gs,
      ),
    ];
    // Eleven hours, three groups, ten machines.
    expect(ratios.length).toBe(24 * 5);
    for (const [, cell] of ratios) expect(cell).toContain("–");
    expect(html).not.toContain("NaN");
    expect(html).not.toMatch(/\D0\.0 %/);
  });

  test("a performance over 1 is shown unclipped and flagged (SPEC 10.4 and 10.7)", () => {
    const props = dashboard();
    if (props.total) props.total = { ...props.total, performance: 1.234, flags: ["performance_over_1"] };
    const html = renderFragment(DashboardReport, props);
    expect(html).toContain("123.4 %");
    expect(html).toContain(text.flags.performance_over_1);
  });

  test("times are in the plant's zone", () => {
    const props = dashboardMachine("Mill 3", { shell: shell({ timezone: "Pacific/Auckland" }) });
    expect(renderPage(DashboardMachine, props)).toContain("Mon 5 Jan 12:00 – Mon 5 Jan 22:42");
    expect(renderPage(DashboardMachine, dashboardMachine())).toContain("Mon 5 Jan 00:00 – Mon 5 Jan 10:42");
  });

  test("the policy in force and the coverage are printed", () => {
    const html = everyPage().dashboard ?? "";
    expect(html).toContain("time without signal is a loss; excluded from planned time: maintenance");
    expect(html).toMatch(/\d+\.\d % of the scheduled time is known/);
  });

  test("rows sort either way with unknown ones last", () => {
    const rows = dashboard()
      .machines.slice(0, 3)
      .map((row, i) => ({ ...row, oee: [0.5, null, 0.7][i] ?? null }));
    expect(sortRows(rows, "oee").map(({ oee }) => oee)).toEqual([0.5, 0.7, null]);
    expect(sortRows(rows, "-oee").map(({ oee }) => oee)).toEqual([0.7, 0.5, null]);
  });

  test("the fragment is the page's own report", () => {
    const { dashboard: page = "", dashboardReport = "" } = everyPage();
    expect(page).toContain(dashboardReport);
    expect(wantsFragment(new Headers({ "hx-request": "true" }))).toBe(true);
    expect(wantsFragment(new Headers({ "hx-request": "true", "hx-history-restore-request": "true" }))).toBe(
      false,
    );
  });
});

describe("explanations", () => {
  test("the formula is a sentence with its numbers", () => {
    const { explained: why } = explained();
    expect(
      sentence({
        ...why,
        value: 18_848 / 25_200,
        formula: {
          ...why.formula,
          terms: [
            { name: "ideal time of good parts", value: 18_848, unit: "s", from: "" },
            { name: "planned time", value: 25_200, unit: "s", from: "" },
          ],
        },
      }),
    ).toBe("OEE 74.8 % = 18,848 s ideal time of good parts ÷ 25,200 s planned time");
    expect(
      sentence({
        ...why,
        name: "Quality",
        value: 350 / 365,
        formula: {
          text: "good parts ÷ parts",
          source: "ISO 22400-2",
          terms: [
            { name: "good parts", value: 350, unit: "parts", from: "" },
            { name: "parts", value: 365, unit: "parts", from: "" },
          ],
        },
      }),
    ).toBe("Quality 95.9 % = 350 good parts ÷ 365 parts");
  });

  test("the waterfall ends with what the good parts should have taken", () => {
    const { row } = explained().explained;
    const productive_s = stepsOf(row).at(-1)?.time_s ?? 0;
    expect(productive_s).toBeCloseTo((row.oee ?? 0) * row.planned_time_s, 6);
    expect(stepsOf({ ...row, speed_loss_s: null }).at(-1)?.name).toBe("run");
  });

  test("every figure of the reports leads to its explanation", () => {
    const { dashboard: plant = "", dashboardMachine: machine = "" } = everyPage();
    const figures = (html: string) =>
      new Set([...html.matchAll(/explain\?figure=(\w+)/g)].map(([, name]) => name));
    const shared = ["oee", "availability", "performance", "quality", "coverage", "teep"];
    const parts = ["total_count", "good_count", "reject_count", "planned_time_s", "run_time_s"];
    for (const name of [...shared, ...parts, "down_time_s"]) {
      expect([name, figures(plant).has(name)]).toEqual([name, true]);
      expect([name, figures(machine).has(name)]).toEqual([name, true]);
    }
    expect(everyPage().wall).not.toContain("explain?");
  });
});

/** Files with all that they import, each once: the words of one language only. */
function withImports(paths: string[], files: Map<string, Asset>): Set<string> {
  const found = new Set<string>();
  const waiting = [...paths];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    const code = path.endsWith(".js") ? new TextDecoder().decode(files.get(path)?.body) : "";
    for (const [, name] of code.matchAll(/"\.\/(chunk-[^"]+\.js)"/g)) waiting.push(`/assets/${name}`);
  }
  return found;
}

describe("assets", () => {
  test("are named by content, cached for ever and compressed", async () => {
    const files = await assets();
    for (const [path, asset] of files) {
      const response = assetResponse(
        asset,
        new Request("http://x/", { headers: { "accept-encoding": "gzip, br" } }),
      );
      expect(path).toMatch(/^\/assets\/[\w-]+-\w+\.(css|js|svg)$/);
      expect(response.headers.get("cache-control")).toContain("immutable");
      const again = assetResponse(
        asset,
        new Request("http://x/", { headers: { "if-none-match": asset.etag } }),
      );
      expect(again.status).toBe(304);
      if (asset.body.length > 1000)
        expect((await response.arrayBuffer()).byteLength).toBeLessThan(asset.body.length);
    }
  });

  test("a first view is under 100 kB compressed", async () => {
    const files = await assets();
    const { wall = "", machine = "", dashboard: report = "" } = everyPage();
    for (const html of [wall, machine, report]) {
      let bytes = Bun.gzipSync(html).length;
      const wanted = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(
        ([, path]) => path as string,
      );
      for (const path of withImports(wanted, files)) {
        const asset = files.get(path);
        expect([path, asset !== undefined]).toEqual([path, true]);
        bytes += asset?.br?.length ?? asset?.body.length ?? 0;
      }
      // Less than that would be a page without its code.
      expect(bytes).toBeGreaterThan(30_000);
      expect(bytes).toBeLessThan(100_000);
    }
  });
});

test("alarms say their native code and text; a condition without them, or with nonsense, its own name", () => {
  const at = (value: string) => ({ ts_us: 1, value });
  const [tile] = tiles();
  if (!tile) throw new Error("no tile");
  const conditions = (signals: typeof tile.live.signals) =>
    activeConditions({ ...tile.live, signals }).map(({ level, code, what }) =>
      [level, code, what].filter(Boolean).join(" "),
    );
  const alarms =
    '[{"level":"FAULT","code":"9","text":"Stop"},{"level":"WARNING","code":"","text":""},{"level":"OFF"}]';
  expect(conditions({ "condition:a": at("FAULT"), "alarms:a": at(alarms) })).toEqual([
    "FAULT 9 Stop",
    "WARNING a",
  ]);
  expect(conditions({ "condition:b": at("WARNING"), "alarms:b": at("{nonsense") })).toEqual(["WARNING b"]);
  expect(conditions({ "condition:c": at("NORMAL"), "alarms:c": at(alarms) })).toEqual([]);
});

test("invariant 4: the dashboard says whose figures it is without (SPEC 10.15)", () => {
  const without = [{ machine_id: "saw-1", name: "Saw <1>" }];
  const told = text.dashboard.without("Saw &lt;1>");
  expect(renderFragment(DashboardReport, dashboard({ without }))).toContain(told);
  expect(renderFragment(DashboardReport, dashboard())).not.toContain("Without ");
});
