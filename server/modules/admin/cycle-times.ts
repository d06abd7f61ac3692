// /admin/machines/{id}/cycle-times: how long a part should take, line by line or pasted from a spreadsheet.
import { Value } from "@sinclair/typebox/value";
import { Elysia } from "elysia";
import { BadInput, inputError } from "../../../ingest/problem.ts";
import type { Machine } from "../../../ingest/store/store.ts";
import {
  AdminCycleTimes,
  errorsByPath,
  type FormState,
  localInput,
  renderPage,
  type Shell,
} from "../../../views/index.ts";
import { inputErrors } from "../../plugins/validation.ts";
import { CycleTimes } from "../machines/model.ts";
import type { Machines } from "../machines/service.ts";
import { html, type pageMaker } from "../pages/page.ts";
import { checkEnded, type Fields, posted, rowCount, rowsChanged, withoutBlanks, wrong } from "./form.ts";
import { targetsOf } from "./targets.ts";

/** What an empty "valid from" means: the first time there is. */
const ALWAYS = "2000-01-01T00:00:00Z";
const LIST = "/rows";
/** More are edited as text: a page of fields would be slow to use. */
const MAX_FIELD_ROWS = 200;

type Line = { part: string; valid_from: string; seconds: string };

export const cycleTimePages = ({ machines }: { machines: Machines }, page: ReturnType<typeof pageMaker>) => {
  const shown = (shell: Shell, machine: Machine, form: FormState, saved: number | null): string =>
    renderPage(AdminCycleTimes, {
      shell,
      machine: { machine_id: machine.id, name: machine.name },
      group: machine.group,
      form,
      as_text: form.values["/as_text"] !== undefined,
      saved,
    });

  return new Elysia()
    .get(
      "/machines/:id/cycle-times",
      page("admin", ({ tenant_id }, shell, { params, query }) => {
        const machine = machines.get(tenant_id, params.id ?? "");
        const saved = query.saved === undefined ? null : Number(query.saved) || 1;
        return shown(shell, machine, { values: startingFields(machine, shell.timezone), errors: {} }, saved);
      }),
    )
    .post(
      "/machines/:id/cycle-times",
      page("admin", async ({ tenant_id }, shell, { params, request }) => {
        const machine = machines.get(tenant_id, params.id ?? "");
        const said = await posted(request);
        let { fields } = said;
        const changed = rowsChanged(said, () => ({ part: [""], valid_from: [""], seconds: [""] }));
        if (changed) return shown(shell, machine, changed, null);
        try {
          checkEnded(said);
          if (said.act === "import") {
            const lines = linesOf(fields["/csv"]?.[0] ?? "");
            fields = { ...withLines(withoutBlanks(fields, LIST), lines), "/csv": [""] };
            return shown(shell, machine, { values: fields, errors: {} }, null);
          }
          const is_text = fields["/as_text"] !== undefined;
          if (!is_text) fields = withoutBlanks(fields, LIST);
          const lines = is_text ? linesOf(fields["/csv"]?.[0] ?? "") : linesIn(fields);
          const cycle_times = cycleTimesOf(lines, machine, shell.timezone, is_text);
          const targets = targetsOf(machines, machine, fields);
          for (const { id } of targets) await machines.setCycleTimes(tenant_id, id, cycle_times);
          const path = `/admin/machines/${encodeURIComponent(machine.id)}/cycle-times`;
          return new Response(null, {
            status: 303,
            headers: { location: `${path}?saved=${targets.length}` },
          });
        } catch (error) {
          const form = { values: fields, errors: errorsByPath(wrong(error)) };
          return html(request, shown(shell, machine, form, null), 422);
        }
      }),
      { parse: "none" },
    );
};

/** What is set, as lines in the plant's time. */
function startingFields(machine: Machine, timezone: string): Fields {
  const lines = (machine.cycle_times as CycleTimes).map(
    ({ part = "", valid_from, ideal_cycle_s }): Line => ({
      part,
      valid_from:
        Date.parse(valid_from) <= Date.parse(ALWAYS) ? "" : localInput(Date.parse(valid_from), timezone),
      seconds: String(ideal_cycle_s),
    }),
  );
  if (lines.length <= MAX_FIELD_ROWS) return withLines({}, lines.length > 0 ? lines : [BLANK]);
  const csv = lines.map(({ part, valid_from, seconds }) => [part, valid_from, seconds].join("\t")).join("\n");
  return { "/as_text": ["1"], "/csv": [csv] };
}

const BLANK: Line = { part: "", valid_from: "", seconds: "" };

/** Lines behind those of the form; as a text where they are too many for fields. */
function withLines(fields: Fields, lines: readonly Line[]): Fields {
  const first = rowCount(fields, LIST);
  if (first + lines.length > MAX_FIELD_ROWS)
    return {
      "/as_text": ["1"],
      "/csv": [[...linesIn(fields), ...lines].map((line) => Object.values(line).join("\t")).join("\n")],
    };
  const added: Fields = {};
  lines.forEach((line, i) => {
    for (const [key, value] of Object.entries(line)) added[`${LIST}/${first + i}/${key}`] = [value];
  });
  return { ...fields, ...added };
}

const linesIn = (fields: Fields): Line[] =>
  Array.from({ length: rowCount(fields, LIST) }, (_, i) => {
    const typed = (key: string): string => (fields[`${LIST}/${i}/${key}`]?.[0] ?? "").trim();
    return { part: typed("part"), valid_from: typed("valid_from"), seconds: typed("seconds") };
  });

/**
 * Lines as a spreadsheet copies them (tabs), or of a CSV file (semicolons, or commas): part, valid from, seconds; or part
 * and seconds alone. A line of headings is passed over.
 */
export function linesOf(text: string): Line[] {
  const rows = text.split(/\r?\n/).filter((row) => row.trim() !== "");
  const [separator = "\t"] = ["\t", ";", ","].filter((one) => rows.some((row) => row.includes(one)));
  const lines = rows.map((row): Line => {
    const cells = row.split(separator).map((cell) => cell.trim().replace(/^"(.*)"$/s, "$1"));
    const [part = "", second = "", third] = cells;
    return third === undefined
      ? { part, valid_from: "", seconds: second }
      : { part, valid_from: second, seconds: third };
  });
  const [first] = lines;
  return first && lines.length > 1 && !/\d/.test(first.seconds) ? lines.slice(1) : lines;
}

/** @throws BadInput at the line's field, or at the text */
function cycleTimesOf(lines: Line[], machine: Machine, timezone: string, is_text: boolean): CycleTimes {
  const at = (i: number, key: keyof Line): string => (is_text ? "/csv" : `${LIST}/${i}/${key}`);
  const lineOf = (i: number): { line?: number } => (is_text ? { line: i + 1 } : {});
  const refuseTime = (i: number): never => {
    throw new BadInput([{ ...inputError(at(i, "valid_from"), "not_a_time"), ...lineOf(i) }]);
  };
  const known = machine.cycle_times as CycleTimes;
  const cycle_times = lines.map(({ part, valid_from, seconds }, i) => {
    const was = known.find((one) => localInput(Date.parse(one.valid_from), timezone) === valid_from);
    return {
      ...(part === "" ? {} : { part }),
      // What was not changed keeps its seconds and less, which the field does not show.
      valid_from: was?.valid_from ?? instantOf(valid_from, timezone) ?? refuseTime(i),
      ...(seconds === "" ? {} : { ideal_cycle_s: numberOf(seconds) }),
    };
  });
  const errors = inputErrors(Value.Errors(CycleTimes, cycle_times)).map((one) => {
    const [, row = "0", property = ""] = one.path.split("/");
    const key = property === "ideal_cycle_s" ? "seconds" : (property as keyof Line);
    return { ...one, path: at(Number(row), key), ...lineOf(Number(row)) };
  });
  if (errors.length > 0) throw new BadInput(errors);
  return cycle_times as CycleTimes;
}

const numberOf = (typed: string): number | string => {
  const number = Number(typed.replace(",", "."));
  return Number.isNaN(number) ? typed : number;
};

/** `2026-01-05T06:00`, `2026-01-05`, `05.01.2026`, an instant with its offset, or nothing; undefined for what is no time. */
function instantOf(typed: string, timezone: string): string | undefined {
  if (typed === "") return ALWAYS;
  const local = typed.replace(/^(\d{1,2})\.(\d{1,2})\.(\d{4})/, (_, d: string, m: string, y: string) =>
    [y, m.padStart(2, "0"), d.padStart(2, "0")].join("-"),
  );
  try {
    if (/(Z|[+-]\d\d:\d\d)$/.test(local)) return Temporal.Instant.from(local).toString();
    return Temporal.PlainDateTime.from(local).toZonedDateTime(timezone).toInstant().toString();
  } catch {
    return undefined;
  }
}
