// What counts as loss on a machine: time without signal, minor stops, reasons.
/** @jsxImportSource preact */
import { EnterSaves, FormEnd, FormErrors, Input, RowButton, Select } from "../../components/form.tsx";
import { rowsOf, textIn } from "../../form.ts";
import type { AdminPolicyProps } from "../../model.ts";
import { text } from "../../text.ts";
import { AdminFrame, ApplyTo, Done, MachineTabs } from "./frame.tsx";

export function AdminPolicy({ shell, machine, group, form, tree, saved }: AdminPolicyProps) {
  const words = text.policy;
  const treatments = [
    { value: "loss", name: words.loss },
    { value: "excluded", name: words.excluded },
  ];
  return (
    <AdminFrame shell={shell} room="machines" title={`${machine.name}: ${words.title}`}>
      <MachineTabs machine={machine} here="policy" />
      {saved !== null && <Done>{text.admin.saved(saved)}</Done>}
      <form
        class="stack wide-form"
        method="post"
        action={`/admin/machines/${encodeURIComponent(machine.machine_id)}/policy`}
      >
        <EnterSaves />
        <FormErrors form={form} />
        <section class="panel stack">
          <h2>{words.title}</h2>
          <Select
            form={form}
            path="/unknown"
            label={words.unknown}
            hint={words.unknownHint}
            options={treatments}
          />
          <Input
            form={form}
            path="/minor_stop_s"
            label={words.minorStop}
            hint={words.minorStopHint}
            inputmode="decimal"
          />
          <Input
            form={form}
            path="/target_percent"
            label={words.target}
            hint={words.targetHint}
            inputmode="decimal"
          />
        </section>
        <section class="panel stack wide-form">
          <h2>{words.reasons}</h2>
          <p class="hint">{words.reasonsHint}</p>
          {rowsOf(form, "/reasons").map((row, i) => {
            const code = textIn(form, `${row}/code`);
            const known = tree.some((one) => one.code === code) || code === "";
            const options = [
              { value: "", name: words.choose },
              ...(known ? [] : [{ value: code, name: code }]),
              ...tree.map((one) => ({ value: one.code, name: `${one.name} (${one.code})` })),
            ];
            return (
              <div key={row} class="row-fields">
                <Select form={form} path={`${row}/code`} label={words.reason(i + 1)} options={options} />
                <Select form={form} path={`${row}/treatment`} label={words.treatment} options={treatments} />
                <RowButton act={`remove ${row}`} label={words.removeReason(i + 1)}>
                  {words.remove}
                </RowButton>
              </div>
            );
          })}
          <div class="buttons">
            <RowButton act="add /reasons">{words.addReason}</RowButton>
            <a class="cell-link" href="/admin/reasons">
              {words.toTree}
            </a>
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
    </AdminFrame>
  );
}
