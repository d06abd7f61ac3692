// The managers' reports over HTTP: what a page shows is what the API says, and so is every file that it offers.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { limit_ms } from "../.ci/limits.ts";
import { discard, startServer, TEST_KEY, type TestServer } from "./testing/server.ts";
import { at, DAY, twoHalls } from "./testing/two-halls.ts";

setDefaultTimeout(limit_ms(120));

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  await twoHalls(server);
});
afterAll(() => discard(server));

type Row = Record<string, number | string | string[] | null> & { key: string };
type Report = { total: Row; rows: Row[] };

const get = async (path: string, headers: Record<string, string> = {}): Promise<Response> => {
  const response = await fetch(server.origin + path, { headers: { "x-api-key": TEST_KEY, ...headers } });
  expect([path, response.status]).toEqual([path, 200]);
  return response;
};
const api = async (path: string): Promise<Report> => (await get(path)).json() as Promise<Report>;
/** A page without the markup that its words stand in. */
const textOf = (html: string): string =>
  html
    .replace(/<[^>]*>/g, " ")
    .replaceAll("&amp;", "&")
    .replace(/\s+/g, " ");
const page = async (query: string, path = "/dashboard"): Promise<string> =>
  (await get(`${path}?period=custom&from=${DAY}T00:00&to=2026-01-06T00:00&${query}`)).text();

const WINDOW = `from=${at("00:00")}&to=2026-01-06T00:00:00Z`;
const oneDigit = new Intl.NumberFormat("en-GB", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const percent = (ratio: unknown): string => `${oneDigit.format(Number(ratio) * 100)} %`;

/** The links of a page whose address matches, as they would be followed. */
const hrefs = (html: string, pattern: RegExp): string[] =>
  [...html.matchAll(/href="([^"]+)"/g)]
    .map(([, href]) => (href ?? "").replaceAll("&amp;", "&"))
    .filter((href) => pattern.test(href));

/** The big number of a report. */
const bigNumber = (html: string): string =>
  textOf(/class="big-number">(.*?)<\/p>/s.exec(html)?.[1] ?? "").trim();

/** The rows of a table as words, the first that has the class. */
function table(html: string, name: string): string[][] {
  const found = new RegExp(`<table class="${name}[^"]*">(.*?)</table>`, "s").exec(html)?.[1] ?? "";
  const body = /<tbody>(.*)<\/tbody>/s.exec(found)?.[1] ?? "";
  return [...body.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row = ""]) =>
    [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell = ""]) => textOf(cell).trim()),
  );
}

test("invariant 5: the total of every filter is the API's, on the plant's page and on a machine's", async () => {
  const filters = [
    "",
    "shift=early",
    "part=A",
    "lot=L2",
    "part=A&shift=early",
    "group=Hall A",
    "machine=mill-1,lathe",
  ];
  const shown = new Set<string>();
  for (const filter of filters) {
    const { total } = await api(`/api/v1/oee?${WINDOW}&${filter}`);
    const html = await page(filter);
    expect([filter, bigNumber(html)]).toEqual([filter, percent(total.oee)]);
    shown.add(bigNumber(html));
    for (const factor of ["availability", "performance", "quality", "coverage"])
      expect([filter, factor, textOf(html).includes(percent(total[factor]))]).toEqual([filter, factor, true]);
  }
  expect(shown.size).toBeGreaterThanOrEqual(4);
  const { total } = await api(`/api/v1/machines/lathe/oee?${WINDOW}&shift=late`);
  expect(bigNumber(await page("shift=late", "/dashboard/lathe"))).toBe(percent(total.oee));
});

test("invariant 5: rows by every cut, by machine and by group are the API's, rounded", async () => {
  for (const by of ["hour", "shift", "day", "week", "month", "part", "lot", "order"]) {
    const { rows } = await api(`/api/v1/oee?${WINDOW}&by=${by}&group=Hall A`);
    const html = await page(`by=${by}&group=Hall A`);
    const told = (row: Row): string[] =>
      ["oee", "availability", "performance", "quality", "coverage"].map((name) =>
        row[name] === null ? "–" : percent(row[name]),
      );
    expect([by, table(html, "figures").map((cells) => cells.slice(1, 6))]).toEqual([by, rows.map(told)]);
  }
  const html = await page("");
  const machines = await api(`/api/v1/oee?${WINDOW}&by=machine`);
  const byName = new Map(table(html, "machines").map(([name, oee]) => [name, oee]));
  expect([...byName.keys()].sort()).toEqual(["=Mill 2", "Lathe", "Mill 1"]);
  const oeeOf = (id: string) => percent(machines.rows.find((row) => row.machine_id === id)?.oee);
  expect([byName.get("Mill 1"), byName.get("=Mill 2"), byName.get("Lathe")]).toEqual(
    ["mill-1", "mill-2", "lathe"].map(oeeOf),
  );
  const groups = await api(`/api/v1/oee?${WINDOW}&by=group`);
  for (const { key, oee } of groups.rows) expect(textOf(html)).toContain(`${key} ${percent(oee)}`);
});

test("Pareto names reasons as the tree does, in the order asked for, with what they come to together", async () => {
  for (const sort of ["time", "count"]) {
    const html = await page(`pareto=${sort}&shift=early`);
    const { rows } = await api(`/api/v1/losses?${WINDOW}&sort=${sort}&shift=early`);
    const shares = rows.map((row) => Number(sort === "time" ? row.share : row.share_of_count));
    const list = table(html, "pareto-list");
    expect(list.map((cells) => cells[4])).toEqual(shares.map(percent));
    expect(list.at(-1)?.[5]).toBe("100.0 %");
    expect(list.map(([name]) => name).join()).toContain("Tool broken");
    expect(textOf(html)).not.toContain(" tool ");
  }
});

/** A file's lines of cells, their quotes undone. */
const cells = (csv: string, delimiter: string): string[][] =>
  csv
    .replace(/^\ufeff/, "")
    .trimEnd()
    .split("\n")
    .map((line) =>
      line
        // A delimiter with an even number of quotes behind it is not inside of quotes.
        .split(new RegExp(`${delimiter}(?=(?:[^"]*"[^"]*")*[^"]*$)`))
        .map((cell) => cell.replace(/^"(.*)"$/, "$1").replaceAll('""', '"')),
    );
const written = (value: unknown): string =>
  value === null ? "" : Array.isArray(value) ? value.join(" ") : String(value);

test("every file of a page is the API's, row by row, with points and with commas; so are the page's own figures", async () => {
  const html = `${await page("by=shift&shift=early")}${await page("by=lot", "/dashboard/lathe")}`;
  const files = hrefs(html, /format=csv/);
  expect(files.length).toBeGreaterThanOrEqual(14);
  for (const file of files) {
    const comma = file.endsWith("format=csv_comma");
    const { rows } = await api(file.replace(/&format=\w+$/, ""));
    const response = await get(file);
    expect(response.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    const csv = new TextDecoder("utf-8", { ignoreBOM: true }).decode(await response.arrayBuffer());
    expect([file, csv.startsWith("\ufeff")]).toEqual([file, comma]);
    const [header = [], ...lines] = cells(csv, comma ? ";" : ",");
    expect(header).toEqual(Object.keys(rows[0] ?? {}));
    const expected = rows.map((row) =>
      Object.values(row).map((value) =>
        comma && typeof value === "number" ? String(value).replace(".", ",") : written(value),
      ),
    );
    expect([file, lines]).toEqual([file, expected]);
  }
  const shifts = files.find((file) => file.includes("by=shift") && file.endsWith("format=csv")) ?? "";
  const [header = [], line = []] = cells(await (await get(shifts)).text(), ",");
  const shown = table(html, "figures")[0] ?? [];
  expect(shown[1]).toBe(percent(line[header.indexOf("oee")]));
  expect(shown[6]).toBe(
    ["good_count", "total_count"]
      .map((name) => Number(line[header.indexOf(name)]).toLocaleString("en-GB"))
      .join(" / "),
  );
});

test("a machine's name that is a formula does no harm in a file", async () => {
  const csv = await (await get(`/api/v1/explain?figure=oee&${WINDOW}&format=csv`)).text();
  expect(csv).toContain("mill-2,'=Mill 2,");
});

test("the explanation behind a figure keeps the filter, and its machines are those of the group", async () => {
  const html = await page("shift=early&group=Hall A");
  const [why = ""] = hrefs(html, /explain\?figure=oee/);
  const explained = await (await get(why)).text();
  expect(textOf(explained)).toContain(`OEE ${bigNumber(html)} =`);
  expect(table(explained, "machines").map(([name]) => name)).toEqual(["=Mill 2", "Mill 1"].sort());
  expect(hrefs(explained, /^\/dashboard\?/).at(-1)).toContain("group=Hall+A");
});

test("a report that is swapped in tells its URL, without a form's empty fields; the URL brings the same report", async () => {
  const form = `period=custom&from=${DAY}T00:00&to=2026-01-06T00:00&by=hour&shift=early&part=&lot=&order=&group=&machine=mill-1&machine=lathe`;
  const response = await get(`/dashboard?${form}`, { "hx-request": "true" });
  const url = new URL(response.headers.get("hx-push-url") ?? "", server.origin);
  expect(Object.fromEntries(url.searchParams)).toEqual({
    period: "custom",
    from: `${DAY}T00:00:00.000Z`,
    to: "2026-01-06T00:00:00.000Z",
    by: "hour",
    shift: "early",
    machine: "mill-1,lathe",
  });
  const again = await get(url.pathname + url.search);
  expect(bigNumber(await again.text())).toBe(bigNumber(await response.text()));
});

test("what has no part can be asked for, and is not the same as all parts", async () => {
  const { total } = await api(`/api/v1/oee?${WINDOW}&part=`);
  const html = await page("part=~");
  expect(total.calendar_time_s).toBe(3 * 6 * 3_600);
  expect(bigNumber(html)).toBe(total.oee === null ? "–" : percent(total.oee));
  expect(textOf(html)).toContain("Part: without");
});

test("the pieces: filters of the period, hours of a week that are the API's, bands of each machine", async () => {
  const period = `period=custom&from=${DAY}T00:00&to=2026-01-06T00:00`;
  const filters = await (await get(`/dashboard/filters?${period}`)).text();
  const options = [...filters.matchAll(/<option value="([^"]*)"/g)].map(([, value]) => value);
  for (const value of ["early", "late", "A", "B", "L1", "L2", "Hall A", "~"])
    expect(options).toContain(value);
  expect(filters.match(/type="checkbox"/g)?.length).toBe(3);

  const heat = await (await get(`/dashboard/heat?${period}&machine=lathe`)).text();
  const { rows } = await api(`/api/v1/machines/lathe/oee?${WINDOW}&by=hour`);
  const told = rows.filter((row) => Number(row.coverage) > 0).map((row) => Math.round(Number(row.oee) * 100));
  const shown = [...heat.matchAll(/title="\d\d:\d\d–\d\d:\d\d: [^–"]*">(\d+)</g)].map(([, value]) =>
    Number(value),
  );
  expect(told.length).toBe(16);
  expect(shown).toEqual(told);

  const bands = await (await get(`/dashboard/bands?${period}&group=Hall A`)).text();
  expect(hrefs(bands, /^\/dashboard\/mill/).length).toBe(2);
  expect(bands.match(/class="timeline-state"/g)?.length).toBeGreaterThanOrEqual(10);
});

test("changes are against the week before, and nothing is compared with a time of which nothing is known", async () => {
  const html = await page("");
  expect(textOf(html)).toContain(
    "Compared with Mon 29 Dec 00:00 – Tue 30 Dec 00:00, the same weekdays a week before: nothing is known of that time",
  );
  const later = await (
    await get(`/dashboard/mill-1?period=custom&from=2026-01-12T06:00&to=2026-01-12T14:00`)
  ).text();
  const [before, now] = await Promise.all(
    [`from=${at("06:00")}&to=${at("14:00")}`, "from=2026-01-12T06:00:00Z&to=2026-01-12T14:00:00Z"].map(
      async (window) => (await api(`/api/v1/machines/mill-1/oee?${window}`)).total,
    ),
  );
  const points = (Math.abs(Number(now?.oee) - Number(before?.oee)) * 100).toFixed(1);
  expect(textOf(later)).toContain(`▼ down ${points} points`);
  expect(textOf(later)).toContain(`a week before: OEE ${percent(before?.oee)}`);
});

test("the target is told beside the OEE, with what is missing to it", async () => {
  const { total } = await api(`/api/v1/oee?${WINDOW}`);
  const missing = ((0.75 - Number(total.oee)) * 100).toFixed(1);
  expect(textOf(await page(""))).toContain(`Target 75.0 %: ${missing} points below`);
});

test("a machine or a group that is not there is not found", async () => {
  for (const path of [
    "/dashboard/nobody",
    "/dashboard?group=nowhere",
    "/dashboard?machine=nobody",
    "/dashboard/nobody/heat",
  ]) {
    const response = await fetch(server.origin + path, { headers: { "x-api-key": TEST_KEY } });
    expect([path, response.status]).toEqual([path, 404]);
  }
});
