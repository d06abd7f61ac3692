// A machine's calendar: shifts with breaks, exceptional days, and the week to come as a picture.
/** @jsxImportSource preact */
import { Boxes, EnterSaves, FormEnd, FormErrors, Input, RowButton, Select } from "../../components/form.tsx";
import { type FormState, fieldId, rowsOf, textIn } from "../../form.ts";
import { clock, day, duration, weekdays } from "../../format.ts";
import type { AdminCalendarProps, CalendarPreview } from "../../model.ts";
import { problemText } from "../../problem-text.ts";
import { text } from "../../text.ts";
import { AdminFrame, ApplyTo, Done, MachineTabs } from "./frame.tsx";

const ZONES = Intl.supportedValuesOf("timeZone");

export function AdminCalendar(props: AdminCalendarProps) {
  const { shell, machine, group, form, preview, saved } = props;
  const words = text.calendar;
  const zones = [...new Set([textIn(form, "/timezone"), ...ZONES])].filter((zone) => zone !== "");
  return (
    <AdminFrame shell={shell} room="machines" title={`${machine.name}: ${words.title}`}>
      <MachineTabs machine={machine} here="calendar" />
      {saved !== null && <Done>{text.admin.saved(saved)}</Done>}
      <form
        class="stack wide-form"
        method="post"
        action={`/admin/machines/${encodeURIComponent(machine.machine_id)}/calendar`}
      >
        <EnterSaves />
        <FormErrors form={form} />
        <div class="panel calendar-head">
          <Select
            form={form}
            path="/timezone"
            label={words.timezone}
            options={zones.map((zone) => ({ value: zone, name: zone.replaceAll("_", " ") }))}
          />
          <Input
            form={form}
            path="/valid_from"
            label={words.validFrom}
            hint={words.validFromHint}
            type="date"
          />
        </div>
        <section class="panel stack wide-form">
          <h2>{words.shifts}</h2>
          {rowsOf(form, "/shifts").map((row) => (
            <Shift key={row} form={form} row={row} />
          ))}
          <div class="buttons">
            <RowButton act="add /shifts">{words.addShift}</RowButton>
          </div>
        </section>
        <section class="panel stack wide-form">
          <h2>{words.exceptions}</h2>
          <p class="hint">{words.exceptionsHint}</p>
          {rowsOf(form, "/exceptions").map((row) => (
            <Exception key={row} form={form} row={row} />
          ))}
          <div class="buttons">
            <RowButton act="add /exceptions">{words.addException}</RowButton>
          </div>
        </section>
        <section class="panel" id="preview">
          <h2>{words.preview}</h2>
          {preview ? <Preview preview={preview} /> : <p class="hint">{words.noPreview}</p>}
          <div class="buttons">
            <RowButton act="preview">{words.showPreview}</RowButton>
          </div>
        </section>
        <div class="panel save-bar">
          <ApplyTo form={form} group={group} />
          <button type="submit" class="primary">
            {text.access.save}
          </button>
        </div>
        <FormEnd />
      </form>
      <History {...props} />
    </AdminFrame>
  );
}

function Shift({ form, row }: { form: FormState; row: string }) {
  const words = text.calendar;
  const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
  const names = weekdays();
  const name = textIn(form, `${row}/name`);
  return (
    <fieldset class="row-card" id={fieldId(row)} tabindex={-1}>
      <legend>{name || words.shift}</legend>
      <Times form={form} row={row} />
      <Boxes
        form={form}
        path={`${row}/days`}
        label={words.days}
        options={days.map((value, i) => ({ value, name: names[i] ?? value }))}
      />
      <Breaks form={form} row={row} />
      <div class="buttons">
        <RowButton act={`add ${row}/breaks`}>{words.addBreak}</RowButton>
        <RowButton act={`remove ${row}`} label={`${words.removeShift}: ${name || words.shift}`}>
          {words.removeShift}
        </RowButton>
      </div>
      <RowError form={form} path={row} />
    </fieldset>
  );
}

function Times({ form, row }: { form: FormState; row: string }) {
  const words = text.calendar;
  return (
    <div class="row-fields">
      <Input form={form} path={`${row}/name`} label={words.name} maxlength={100} />
      <Input form={form} path={`${row}/start`} label={words.start} type="time" />
      <Input form={form} path={`${row}/end`} label={words.end} type="time" />
    </div>
  );
}

function Breaks({ form, row }: { form: FormState; row: string }) {
  const words = text.calendar;
  return rowsOf(form, `${row}/breaks`).map((pause) => (
    <div key={pause} class="row-fields" id={fieldId(pause)} tabindex={-1}>
      <Input form={form} path={`${pause}/start`} label={words.breakStart} type="time" />
      <Input form={form} path={`${pause}/end`} label={words.breakEnd} type="time" />
      <RowButton act={`remove ${pause}`}>{words.removeBreak}</RowButton>
      <RowError form={form} path={pause} />
    </div>
  ));
}

function Exception({ form, row }: { form: FormState; row: string }) {
  const words = text.calendar;
  const shifts = rowsOf(form, `${row}/shifts`);
  return (
    <fieldset class="row-card" id={fieldId(row)} tabindex={-1}>
      <legend>{textIn(form, `${row}/date`) || words.exception}</legend>
      <div class="row-fields">
        <Input form={form} path={`${row}/date`} label={words.date} type="date" />
        {shifts.length === 0 && <p class="hint">{words.dayOff}</p>}
      </div>
      {shifts.map((shift) => (
        <div key={shift} class="row-inner" id={fieldId(shift)} tabindex={-1}>
          <Times form={form} row={shift} />
          <Breaks form={form} row={shift} />
          <div class="buttons">
            <RowButton act={`add ${shift}/breaks`}>{words.addBreak}</RowButton>
            <RowButton act={`remove ${shift}`}>{words.removeShift}</RowButton>
          </div>
          <RowError form={form} path={shift} />
        </div>
      ))}
      <div class="buttons">
        <RowButton act={`add ${row}/shifts`}>{words.addShift}</RowButton>
        <RowButton act={`remove ${row}`}>{words.removeException}</RowButton>
      </div>
      <RowError form={form} path={row} />
    </fieldset>
  );
}

/** What is wrong with a row as a whole: it overlaps another. */
function RowError({ form, path }: { form: FormState; path: string }) {
  const error = form.errors[path];
  return error === undefined ? null : <p class="field-error">{problemText(error)}</p>;
}

function Preview({ preview: { days, timezone } }: { preview: CalendarPreview }) {
  return (
    <dl class="week">
      {days.map(({ from_ms, to_ms, shifts, scheduled_s }) => {
        const share = (at_ms: number) =>
          `${((100 * (Math.min(Math.max(at_ms, from_ms), to_ms) - from_ms)) / (to_ms - from_ms)).toFixed(3)}%`;
        const box = (span: { from_ms: number; to_ms: number }) => ({
          x: share(span.from_ms),
          width: share(from_ms + Math.min(span.to_ms, to_ms) - Math.max(span.from_ms, from_ms)),
        });
        const began = shifts.filter((shift) => shift.from_ms >= from_ms);
        return (
          <div key={from_ms}>
            <dt>{day(from_ms, timezone)}</dt>
            <dd>
              <svg class="week-band" aria-hidden="true">
                <rect class="timeline-ground" width="100%" height="100%" />
                {shifts.map((shift) => (
                  <g key={shift.from_ms}>
                    <rect class="week-shift" height="100%" {...box(shift)} />
                    {shift.breaks.map((pause) => (
                      <rect key={pause.from_ms} class="week-break" height="100%" {...box(pause)} />
                    ))}
                    <line class="week-start" x1={share(shift.from_ms)} x2={share(shift.from_ms)} y2="100%" />
                  </g>
                ))}
              </svg>
              <span>
                {began
                  .map(
                    ({ name, ...shift }) =>
                      `${name} ${clock(shift.from_ms, timezone)}–${clock(shift.to_ms, timezone)}`,
                  )
                  .join(", ") || text.calendar.noShift}
              </span>
              <span class="num">{scheduled_s > 0 ? duration(scheduled_s) : text.none}</span>
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

function History({ machine, history }: AdminCalendarProps) {
  const words = text.calendar;
  if (history.length === 0) return null;
  return (
    <section class="panel">
      <h2>{words.history}</h2>
      <table class="cards">
        <thead>
          <tr>
            <th scope="col">{words.validFrom}</th>
            <th scope="col">{words.timezone}</th>
            <th scope="col">{words.shifts}</th>
            <th scope="col">
              <span class="only-heard">{words.use}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {history.map(({ valid_from, timezone, shifts }, i) => (
            <tr key={valid_from ?? ""}>
              <th scope="row">{valid_from ?? words.always}</th>
              <td data-label={words.timezone}>{timezone}</td>
              <td data-label={words.shifts}>
                {shifts.map(({ name, start, end }) => `${name} ${start}–${end}`).join(", ") || text.none}
              </td>
              <td>
                <a
                  class="cell-link"
                  href={`/admin/machines/${encodeURIComponent(machine.machine_id)}/calendar?from=${i}`}
                >
                  {words.use}
                </a>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
