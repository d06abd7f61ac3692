// What is being made: the lot, begun by touch, keyboard or barcode scanner.
/** @jsxImportSource preact */
import { clockOrDay, ms } from "../../format.ts";
import type { HmiEntryProps } from "../../model.ts";
import { text } from "../../text.ts";
import { Sheet } from "./sheet.tsx";

export function Lots({ shell, lot, lots, parts }: HmiEntryProps) {
  const name = lot?.lot ?? text.none;
  const since = lot ? text.wall.since(clockOrDay(ms(lot.from), shell.now_ms, shell.timezone)) : "";
  return (
    <>
      <div class="lot">
        <p>
          <span class="label">{text.entry.lot}</span> <b data-lot>{name}</b> {lot?.part}{" "}
          <span class="hint">{since}</span>
        </p>
        <button type="button" data-open="lot">
          {text.entry.changeLot}
        </button>
      </div>
      <Sheet name="lot" title={text.entry.changeLot}>
        <p class="hint">{text.entry.scan}</p>
        <form method="dialog" class="lot-form" data-lot-form>
          <label>
            <span>{text.entry.lot}</span>
            <input name="lot" required maxlength={100} autocomplete="off" spellcheck={false} />
          </label>
          <label>
            <span>{text.entry.part}</span>
            <input name="part" maxlength={200} autocomplete="off" spellcheck={false} list="parts" />
          </label>
          <label>
            <span>{text.entry.order}</span>
            <input name="order" maxlength={100} autocomplete="off" spellcheck={false} />
          </label>
          <button class="primary" type="submit">
            {text.entry.begin}
          </button>
        </form>
        <datalist id="parts">
          {parts.map((part) => (
            <option key={part} value={part} />
          ))}
        </datalist>
        {lots.length > 0 && (
          <section>
            <h3>{text.entry.lately}</h3>
            <div class="choices-big">
              {lots.map(({ lot, part }) => (
                <button
                  key={lot}
                  type="button"
                  class="choice-big"
                  data-lot-choice={lot}
                  data-part-choice={part}
                >
                  <b>{lot}</b> <span class="hint">{part}</span>
                </button>
              ))}
            </div>
          </section>
        )}
      </Sheet>
    </>
  );
}
