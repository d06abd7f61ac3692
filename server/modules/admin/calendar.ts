// /admin/machines/{id}/calendar: shifts, breaks, exceptional days, and what they mean for the days to come.
import { Elysia } from "elysia";
import {
  CalendarInput,
  calendarAt,
  calendarsOf,
  compileCalendar,
  withCalendar,
} from "../../../ingest/calendar.ts";
import { occurrences, scheduled_ms } from "../../../ingest/occurrences.ts";
import type { Machine } from "../../../ingest/store/store.ts";
import {
  AdminCalendar,
  type CalendarPreview,
  errorsByPath,
  type FormState,
  renderPage,
  type Shell,
} from "../../../views/index.ts";
import type { Machines } from "../machines/service.ts";
import { html, type pageMaker } from "../pages/page.ts";
import { checkEnded, type Fields, fieldsOf, inputOf, posted, rowsChanged, wrong } from "./form.ts";
import { targetsOf } from "./targets.ts";

const PREVIEW_DAYS = 7;
const SHIFT = { name: [""], start: ["06:00"], end: ["14:00"] };
const WORKDAYS = ["mon", "tue", "wed", "thu", "fri"];

export const calendarPages = ({ machines }: { machines: Machines }, page: ReturnType<typeof pageMaker>) => {
  const shown = (shell: Shell, machine: Machine, form: FormState, saved: number | null): string =>
    renderPage(AdminCalendar, {
      shell,
      machine: { machine_id: machine.id, name: machine.name },
      group: machine.group,
      form,
      preview: previewOf(machine, form.values, shell.now_ms),
      history: calendarsOf(machine.calendar),
      saved,
    });

  return new Elysia()
    .get(
      "/machines/:id/calendar",
      page("admin", ({ tenant_id }, shell, { params, query }) => {
        const machine = machines.get(tenant_id, params.id ?? "");
        const saved = query.saved === undefined ? null : Number(query.saved) || 1;
        const form = { values: startingFields(machine, query.from, shell), errors: {} };
        return shown(shell, machine, form, saved);
      }),
    )
    .post(
      "/machines/:id/calendar",
      page("admin", async ({ tenant_id }, shell, { params, request }) => {
        const machine = machines.get(tenant_id, params.id ?? "");
        const said = await posted(request);
        const changed = rowsChanged(said, blankRow);
        if (changed) return shown(shell, machine, changed, null);
        try {
          checkEnded(said);
          const calendar = inputOf(CalendarInput, said.fields);
          compileCalendar(calendar);
          if (said.act === "preview") return shown(shell, machine, { values: said.fields, errors: {} }, null);
          const targets = targetsOf(machines, machine, said.fields);
          for (const { id } of targets) await machines.setCalendar(tenant_id, id, calendar);
          const location = `/admin/machines/${encodeURIComponent(machine.id)}/calendar?saved=${targets.length}`;
          return new Response(null, { status: 303, headers: { location } });
        } catch (error) {
          const form = { values: said.fields, errors: errorsByPath(wrong(error)) };
          return html(request, shown(shell, machine, form, null), 422);
        }
      }),
      { parse: "none" },
    );
};

/** The calendar that is changed: the one that holds now, or the one of the history that was asked for. */
function startingFields(machine: Machine, from: string | undefined, shell: Shell): Fields {
  const all = calendarsOf(machine.calendar);
  const start = all[Number(from ?? Number.NaN)] ?? calendarAt(all, shell.now_ms) ?? all[0];
  if (!start) return { "/timezone": [shell.timezone], ...newShift("/shifts/0") };
  const today = Temporal.Instant.fromEpochMilliseconds(shell.now_ms).toZonedDateTimeISO(start.timezone);
  // What was so far stays as it is, unless somebody wants it otherwise.
  return { ...fieldsOf(start), "/valid_from": [today.toPlainDate().toString()] };
}

const newShift = (row: string): Fields =>
  Object.fromEntries(
    Object.entries({ ...SHIFT, days: WORKDAYS }).map(([key, values]) => [`${row}/${key}`, values]),
  );

function blankRow(list: string): Record<string, string[]> {
  if (list === "/shifts") return { ...SHIFT, days: WORKDAYS };
  if (list === "/exceptions") return { date: [""] };
  return list.endsWith("/breaks") ? { start: [""], end: [""] } : SHIFT;
}

/** The days to come as they would be; null where the form says no calendar yet. */
function previewOf(machine: Machine, fields: FormState["values"], now_ms: number): CalendarPreview | null {
  try {
    const calendar = inputOf(CalendarInput, fields as Fields);
    const calendars = withCalendar(calendarsOf(machine.calendar), calendar);
    const { timezone } = calendar;
    const today = Temporal.Instant.fromEpochMilliseconds(now_ms).toZonedDateTimeISO(timezone).startOfDay();
    const bounds = Array.from(
      { length: PREVIEW_DAYS + 1 },
      (_, days) => today.add({ days }).epochMilliseconds,
    );
    const shifts = occurrences(calendars, bounds[0] ?? 0, bounds.at(-1) ?? 0);
    const days = bounds.slice(0, -1).map((from_ms, i) => {
      const to_ms = bounds[i + 1] ?? from_ms;
      const own = shifts.filter((shift) => shift.to_ms > from_ms && shift.from_ms < to_ms);
      return { from_ms, to_ms, shifts: own, scheduled_s: scheduled_ms(own, from_ms, to_ms) / 1_000 };
    });
    return { timezone, days };
  } catch {
    return null;
  }
}
