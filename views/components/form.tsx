// The parts of a form: a label, a field, and at the field what is wrong with it.
/** @jsxImportSource preact */
import type { ComponentChildren } from "preact";
import { type FormState, fieldId, isChosen, textIn } from "../form.ts";
import { problemText } from "../problem-text.ts";
import { text } from "../text.ts";

type Named = {
  form: FormState;
  /** The field's path in the input; its name in the form. */
  path: string;
  label: string;
  hint?: string;
  /** The label is heard only: a table's column shows it. */
  quiet?: boolean;
};

/** Everything a screen reader and the browser are told of a field. */
function told({ form, path, hint }: Named) {
  const id = fieldId(path);
  const wrong = form.errors[path] !== undefined;
  const about = [wrong && `${id}-error`, hint && `${id}-hint`].filter(Boolean).join(" ");
  return {
    id,
    name: path,
    autofocus: form.focus === path,
    "aria-invalid": wrong ? ("true" as const) : undefined,
    "aria-describedby": about || undefined,
  };
}

/** Label, field, hint and error, one below the other. */
function Labelled({ form, path, label, hint, quiet, children }: Named & { children: ComponentChildren }) {
  const id = fieldId(path);
  const error = form.errors[path];
  return (
    <div class="field">
      <label for={id} class={quiet ? "only-heard" : undefined}>
        {label}
      </label>
      {children}
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error !== undefined && (
        <p class="field-error" id={`${id}-error`}>
          {problemText(error)}
        </p>
      )}
    </div>
  );
}

export type InputProps = Named & {
  type?: "text" | "password" | "date" | "time" | "datetime-local";
  required?: boolean;
  minlength?: number;
  maxlength?: number;
  autocomplete?: "off" | "current-password" | "new-password";
  inputmode?: "decimal" | "numeric" | "url";
  /** The id of a `datalist`: what may be meant. */
  list?: string;
};

/** A password is never sent back. */
export function Input({
  type = "text",
  required,
  minlength,
  maxlength,
  autocomplete,
  inputmode,
  list,
  ...named
}: InputProps) {
  return (
    <Labelled {...named}>
      <input
        {...told(named)}
        // Preact's types tell the kinds of inputs apart; here they are alike.
        type={type as "text"}
        value={type === "password" ? undefined : textIn(named.form, named.path)}
        required={required}
        minlength={minlength}
        maxlength={maxlength}
        autocomplete={autocomplete}
        inputmode={inputmode}
        list={list}
      />
    </Labelled>
  );
}

export function TextArea({ rows, ...named }: Named & { rows: number }) {
  return (
    <Labelled {...named}>
      <textarea {...told(named)} rows={rows} spellcheck={false}>
        {textIn(named.form, named.path)}
      </textarea>
    </Labelled>
  );
}

export type Option = { value: string; name: string };

export function Select({ options, ...named }: Named & { options: readonly Option[] }) {
  const chosen = textIn(named.form, named.path);
  return (
    <Labelled {...named}>
      <select {...told(named)}>
        {options.map(({ value, name }) => (
          <option key={value} value={value} selected={value === chosen}>
            {name}
          </option>
        ))}
      </select>
    </Labelled>
  );
}

/** Boxes of which any may be ticked, side by side. */
export function Boxes({
  form,
  path,
  label,
  options,
}: {
  form: FormState;
  path: string;
  label: string;
  options: readonly Option[];
}) {
  const error = form.errors[path];
  const id = fieldId(path);
  return (
    <fieldset
      class="boxes"
      id={id}
      tabindex={-1}
      aria-describedby={error === undefined ? undefined : `${id}-error`}
    >
      <legend>{label}</legend>
      {options.map(({ value, name }) => (
        <label key={value} class="box">
          <input type="checkbox" name={path} value={value} checked={isChosen(form, path, value)} />
          <span>{name}</span>
        </label>
      ))}
      {error !== undefined && (
        <p class="field-error" id={`${id}-error`}>
          {problemText(error)}
        </p>
      )}
    </fieldset>
  );
}

/** What does not save but changes the form: a row more or less. The server makes the form anew. */
export function RowButton({
  act,
  children,
  label,
  disabled,
}: {
  act: string;
  children: ComponentChildren;
  label?: string;
  disabled?: boolean;
}) {
  const id = `do-${act.replaceAll(/[^a-z0-9]+/gi, "-")}`;
  return (
    <button
      type="submit"
      class="row-button"
      name="do"
      value={act}
      formnovalidate
      id={id}
      aria-label={label}
      disabled={disabled}
    >
      {children}
    </button>
  );
}

/** Enter in any field means the form's main button, not the first one that stands in it. */
export function EnterSaves() {
  return <button type="submit" hidden />;
}

/** The last field of a form that changes something: a body without it was cut off, or is none, and would empty the rest. */
export function FormEnd() {
  return <input type="hidden" name="end" value="1" />;
}

/** What is wrong, over the form: read out at once, each leads to its field. */
export function FormErrors({ form }: { form: FormState }) {
  const errors = Object.entries(form.errors);
  if (errors.length === 0) return null;
  return (
    <div class="notice" role="alert">
      <p>{text.form.check(errors.length)}</p>
      <ul>
        {errors.map(([path, error]) => (
          <li key={path}>
            {path === "" ? problemText(error) : <a href={`#${fieldId(path)}`}>{problemText(error)}</a>}
          </li>
        ))}
      </ul>
    </div>
  );
}
