// Parts that were no good, and parts of a machine that does not count: each number is an entry by itself.
/** @jsxImportSource preact */
import type { HmiEntryProps } from "../../model.ts";
import { text } from "../../text.ts";
import { Sheet } from "./sheet.tsx";

const QUICK = [1, 2, 5, 10];

export function Parts({ counts_by_hand, reasons }: Pick<HmiEntryProps, "counts_by_hand" | "reasons">) {
  return (
    <>
      {counts_by_hand && <Row kind="count" label={text.entry.count} />}
      <Row kind="reject" label={text.entry.reject} />
      <Sheet name="number" title={text.entry.number}>
        <form method="dialog" class="number" data-number-form>
          <div class="stepper">
            <button type="button" data-step="-1" aria-label={text.entry.less}>
              −
            </button>
            <input
              name="count"
              type="number"
              inputmode="numeric"
              min="1"
              max="100000"
              value="1"
              required
              aria-label={text.entry.number}
            />
            <button type="button" data-step="1" aria-label={text.entry.more}>
              +
            </button>
          </div>
          <label data-only="reject">
            <span>{text.entry.rejectReason}</span>
            <select name="reason">
              <option value="">{text.none}</option>
              {reasons.map(({ code, name }) => (
                <option key={code} value={code}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <button class="primary" type="submit">
            {text.entry.enter}
          </button>
        </form>
      </Sheet>
    </>
  );
}

function Row({ kind, label }: { kind: "count" | "reject"; label: string }) {
  return (
    <fieldset class="quick">
      <legend>{label}</legend>
      {QUICK.map((count) => (
        <button
          key={count}
          type="button"
          data-enter={kind}
          data-count={count}
          aria-label={`${label}: ${count}`}
        >
          +{count}
        </button>
      ))}
      <button
        type="button"
        data-open="number"
        data-number={kind}
        aria-label={`${label}: ${text.entry.number}`}
      >
        …
      </button>
    </fieldset>
  );
}
