// Ideal cycle times of a machine: line by line, or pasted from a spreadsheet.
/** @jsxImportSource preact */
import { EnterSaves, FormEnd, FormErrors, Input, RowButton, TextArea } from "../../components/form.tsx";
import { rowsOf } from "../../form.ts";
import type { AdminCycleTimesProps } from "../../model.ts";
import { text } from "../../text.ts";
import { AdminFrame, ApplyTo, Done, MachineTabs } from "./frame.tsx";

export function AdminCycleTimes({ shell, machine, group, form, as_text, saved }: AdminCycleTimesProps) {
  const words = text.cycleTimes;
  return (
    <AdminFrame shell={shell} room="machines" title={`${machine.name}: ${words.title}`}>
      <MachineTabs machine={machine} here="cycle-times" />
      {saved !== null && <Done>{text.admin.saved(saved)}</Done>}
      <form
        class="stack wide-form"
        method="post"
        action={`/admin/machines/${encodeURIComponent(machine.machine_id)}/cycle-times`}
      >
        <EnterSaves />
        <FormErrors form={form} />
        <section class="panel stack wide-form">
          <h2>{words.title}</h2>
          <p class="hint">{words.lead}</p>
          {as_text ? (
            <>
              <input type="hidden" name="/as_text" value="1" />
              <TextArea form={form} path="/csv" label={words.all} hint={words.csvHint} rows={20} />
            </>
          ) : (
            <Lines form={form} />
          )}
        </section>
        {!as_text && (
          <details class="panel">
            <summary>{words.paste}</summary>
            <div class="stack">
              <TextArea form={form} path="/csv" label={words.lines} hint={words.csvHint} rows={8} />
              <div class="buttons">
                <RowButton act="import">{words.takeOver}</RowButton>
              </div>
            </div>
          </details>
        )}
        <div class="panel save-bar">
          <ApplyTo form={form} group={group} />
          <button type="submit" class="primary">
            {text.access.save}
          </button>
        </div>
        <FormEnd />
      </form>
    </AdminFrame>
  );
}

function Lines({ form }: Pick<AdminCycleTimesProps, "form">) {
  const words = text.cycleTimes;
  return (
    <>
      <table class="cards field-table">
        <thead>
          <tr>
            <th scope="col">{words.part}</th>
            <th scope="col">{words.validFrom}</th>
            <th scope="col">{words.seconds}</th>
            <th scope="col">
              <span class="only-heard">{words.remove}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rowsOf(form, "/rows").map((row, i) => (
            <tr key={row}>
              <td data-label={words.part}>
                <Input
                  form={form}
                  path={`${row}/part`}
                  label={`${words.part} ${i + 1}`}
                  quiet
                  maxlength={200}
                />
              </td>
              <td data-label={words.validFrom}>
                <Input
                  form={form}
                  path={`${row}/valid_from`}
                  label={`${words.validFrom} ${i + 1}`}
                  quiet
                  type="datetime-local"
                />
              </td>
              <td data-label={words.seconds}>
                <Input
                  form={form}
                  path={`${row}/seconds`}
                  label={`${words.seconds} ${i + 1}`}
                  quiet
                  inputmode="decimal"
                />
              </td>
              <td>
                <RowButton act={`remove ${row}`} label={`${words.remove} ${i + 1}`}>
                  {words.remove}
                </RowButton>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <div class="buttons">
        <RowButton act="add /rows">{words.add}</RowButton>
      </div>
    </>
  );
}
