// What an operator may say of a machine, a touch or two away: why it stands, what was no good, what it makes.
/** @jsxImportSource preact */
import type { HmiEntryProps } from "../../model.ts";
import { text } from "../../text.ts";
import { Entered } from "./entered.tsx";
import { Lots } from "./lots.tsx";
import { Parts } from "./parts.tsx";
import { WhyStopped } from "./why-stopped.tsx";

/** The part of a machine's page that its browser code asks for again, when nobody is touching it. */
export function HmiEntry(props: HmiEntryProps) {
  return (
    <>
      <WhyStopped {...props} />
      <section class="entry-made panel">
        <h2>{text.entry.made}</h2>
        <Parts counts_by_hand={props.counts_by_hand} reasons={props.reasons} />
        <Lots {...props} />
        <p class="entry-more">
          <button type="button" data-open="entered">
            {text.entry.entered} <b>{props.entered.length}</b>
          </button>
        </p>
      </section>
      <Entered {...props} />
    </>
  );
}
