// The tree of reasons: a list, indented as the tree is, edited in place.
/** @jsxImportSource preact */
import { Boxes, EnterSaves, FormEnd, FormErrors, Input, RowButton, Select } from "../../components/form.tsx";
import { type FormState, fieldId, isChosen, rowsOf, textIn } from "../../form.ts";
import { duration, number } from "../../format.ts";
import type { AdminReasonsProps, AdminReasonsUseProps } from "../../model.ts";
import { problemText } from "../../problem-text.ts";
import { text } from "../../text.ts";
import { AdminFrame, Done } from "./frame.tsx";

/** Deeper rows are indented no further: they would run out of room. */
const MAX_DEPTH = 4;

export function AdminReasons(props: AdminReasonsProps) {
  const { shell, form, saved } = props;
  const words = text.reasons;
  const rows = rowsOf(form, "/tree");
  return (
    <AdminFrame shell={shell} room="reasons" title={words.title}>
      <h1>{words.title}</h1>
      {saved && <Done>{text.admin.saved(1)}</Done>}
      {rows.length === 0 && <Starter />}
      <form class="stack wide-form" method="post" action="/admin/reasons">
        <EnterSaves />
        <FormErrors form={form} />
        <section class="panel stack wide-form">
          <p class="hint">{words.lead}</p>
          {rows.map((row, i) => (
            <Reason key={row} row={row} isFirst={i === 0} isLast={i === rows.length - 1} {...props} />
          ))}
          <div class="buttons">
            <RowButton act="add /tree">{words.add}</RowButton>
            <button type="submit" class="primary">
              {text.access.save}
            </button>
          </div>
        </section>
        <FormEnd />
      </form>
      {rows.length > 0 && (
        <section class="panel">
          <h2>{words.use}</h2>
          <div
            class="reasons-use"
            hx-get="/admin/reasons/use"
            hx-trigger="load"
            hx-target="this"
            hx-select="unset"
            hx-swap="innerHTML"
            hx-request={'{"timeout": 60000}'}
          >
            <p class="hint">{words.loadingUse}</p>
          </div>
        </section>
      )}
    </AdminFrame>
  );
}

function Starter() {
  const words = text.reasons;
  return (
    <form class="panel stack" method="post" action="/admin/reasons">
      <h2>{words.starter}</h2>
      <p>{words.starterLead}</p>
      <p class="hint">{Object.values(words.starterWords).join(" · ")}</p>
      <div class="buttons">
        <button type="submit" class="primary" name="do" value="start">
          {words.start}
        </button>
      </div>
    </form>
  );
}

function Reason({
  row,
  form,
  machines,
  isFirst,
  isLast,
}: AdminReasonsProps & { row: string; isFirst: boolean; isLast: boolean }) {
  const words = text.reasons;
  const name = textIn(form, `${row}/name`) || textIn(form, `${row}/code`) || words.newReason;
  const rules = rowsOf(form, `${row}/automatic`);
  return (
    <fieldset class={`reason depth-${depthOf(form, row)}`} id={fieldId(row)} tabindex={-1}>
      <legend class="only-heard">{name}</legend>
      <div class="reason-fields">
        <Input form={form} path={`${row}/name`} label={words.name} maxlength={200} />
        <Input form={form} path={`${row}/code`} label={words.code} maxlength={100} />
        <Select form={form} path={`${row}/parent`} label={words.parent} options={parents(form, row)} />
        <Select
          form={form}
          path={`${row}/policy`}
          label={words.policy}
          options={[
            { value: "", name: words.asAbove },
            { value: "loss", name: text.policy.loss },
            { value: "excluded", name: text.policy.excluded },
          ]}
        />
        <Select
          form={form}
          path={`${row}/category`}
          label={words.category}
          options={[
            { value: "", name: words.asAbove },
            ...Object.entries(words.categories).map(([value, label]) => ({ value, name: label })),
          ]}
        />
        <div class="buttons">
          <RowButton act={`up ${row}`} label={words.up(name)} disabled={isFirst}>
            ↑
          </RowButton>
          <RowButton act={`down ${row}`} label={words.down(name)} disabled={isLast}>
            ↓
          </RowButton>
          <RowButton act={`remove ${row}`} label={words.removeOf(name)}>
            {words.remove}
          </RowButton>
        </div>
      </div>
      <details open={form.focus?.startsWith(`${row}/automatic`) || hasErrors(form, `${row}/automatic`)}>
        <summary>{words.rules(rules.length)}</summary>
        <div class="stack wide-form">
          <p class="hint">{words.rulesHint}</p>
          {rules.map((rule) => (
            <Rule key={rule} rule={rule} form={form} machines={machines} />
          ))}
          <div class="buttons">
            <RowButton act={`add ${row}/automatic`}>{words.addRule}</RowButton>
          </div>
        </div>
      </details>
    </fieldset>
  );
}

function Rule({ rule, form, machines }: { rule: string } & Pick<AdminReasonsProps, "form" | "machines">) {
  const words = text.reasons;
  const error = form.errors[rule];
  const path = `${rule}/machines`;
  const gone = (form.values[path] ?? []).filter((id) => !machines.some((one) => one.machine_id === id));
  return (
    <div class="row-inner" id={fieldId(rule)} tabindex={-1}>
      <div class="row-fields">
        <Input form={form} path={`${rule}/condition`} label={words.condition} maxlength={200} />
        <Input form={form} path={`${rule}/code`} label={words.native} maxlength={120} />
        <RowButton act={`remove ${rule}`}>{words.removeRule}</RowButton>
      </div>
      <Boxes
        form={form}
        path={path}
        label={words.machines}
        options={[
          ...machines.map(({ machine_id, name }) => ({ value: machine_id, name })),
          ...gone.map((id) => ({ value: id, name: id })),
        ].filter(({ value }) => machines.length <= MANY || isChosen(form, path, value))}
      />
      {error !== undefined && <p class="field-error">{problemText(error)}</p>}
    </div>
  );
}

/** Of more machines only those are shown that were chosen (over the API). */
const MANY = 60;

/** What a reason can be below: any other that has a code. */
function parents(form: FormState, own: string) {
  const others = rowsOf(form, "/tree").filter((row) => row !== own && textIn(form, `${row}/code`) !== "");
  const known = others.map((row) => {
    const code = textIn(form, `${row}/code`);
    return { value: code, name: textIn(form, `${row}/name`) || code };
  });
  const parent = textIn(form, `${own}/parent`);
  const isKnown = parent === "" || known.some(({ value }) => value === parent);
  return [
    { value: "", name: text.reasons.top },
    ...(isKnown ? [] : [{ value: parent, name: parent }]),
    ...known,
  ];
}

/** How many reasons stand above a row; a circle ends at the bound. */
function depthOf(form: FormState, row: string): number {
  const byCode = new Map(rowsOf(form, "/tree").map((one) => [textIn(form, `${one}/code`), one]));
  let depth = 0;
  for (let at = row; depth < MAX_DEPTH; depth++) {
    const parent = byCode.get(textIn(form, `${at}/parent`));
    if (parent === undefined || textIn(form, `${at}/parent`) === "") break;
    at = parent;
  }
  return depth;
}

const hasErrors = ({ errors }: FormState, path: string): boolean =>
  Object.keys(errors).some((at) => at.startsWith(path));

/** How often each reason was given of late. */
export function AdminReasonsUse({ rows }: AdminReasonsUseProps) {
  const words = text.reasons;
  if (rows.length === 0) return <p class="hint">{words.noUse}</p>;
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{words.name}</th>
          <th scope="col" class="num">
            {words.times}
          </th>
          <th scope="col" class="num">
            {words.time}
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ code, name, count, seconds }) => (
          <tr key={code}>
            <th scope="row">{name}</th>
            <td class="num">{number(count)}</td>
            <td class="num">{duration(seconds)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
