// What was entered in this shift, each to be taken back.
/** @jsxImportSource preact */
import { clockSeconds, ms, number } from "../../format.ts";
import type { Entered as Entry, HmiEntryProps } from "../../model.ts";
import { text } from "../../text.ts";
import { Sheet } from "./sheet.tsx";

export function Entered({ shell, entered }: HmiEntryProps) {
  return (
    <Sheet name="entered" title={text.entry.entered}>
      <div data-unsent-list />
      {entered.length === 0 && <p class="hint">{text.entry.nothing}</p>}
      <ul class="entered">
        {entered.map((one) => (
          <li key={`${one.kind} ${one.id} ${one.what}`}>
            <time>{clockSeconds(ms(one.ts), shell.timezone)}</time>
            <span>{said(one)}</span>
            <button type="button" data-take-back={JSON.stringify(one)}>
              {text.entry.takeBack}
            </button>
          </li>
        ))}
      </ul>
    </Sheet>
  );
}

const said = (one: Entry): string =>
  one.kind === "reason" || one.kind === "lot"
    ? `${text.entry.kinds[one.kind]}: ${one.what}`
    : `${text.entry.kinds[one.kind]}: ${number(one.count)}${one.what ? `, ${one.what}` : ""}`;
