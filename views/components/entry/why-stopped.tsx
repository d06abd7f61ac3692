// Why the machine stands: the stop that goes on, or one of this shift that nobody has explained, and its reason by one touch.
/** @jsxImportSource preact */
import { clock, duration, ms } from "../../format.ts";
import type { HmiEntryProps, ReasonChoice, Stop } from "../../model.ts";
import { text } from "../../text.ts";
import { StateIcon } from "../state.tsx";
import { Sheet } from "./sheet.tsx";

/** As many as a thumb finds without looking; with the way to all others three rows of two. */
const LIKELY = 5;

export function WhyStopped({ shell, stops, reasons }: HmiEntryProps) {
  const names = new Map(reasons.map(({ code, name }) => [code, name]));
  return (
    <section class="entry-why panel" data-stopped={stops.some(({ to }) => to === null)}>
      <h2>{text.entry.why}</h2>
      {reasons.length === 0 ? (
        <p class="hint">
          {text.entry.noReasons} {shell.may.admin && <a href="/admin/reasons">{text.entry.setUpReasons}</a>}
        </p>
      ) : stops.length === 0 ? (
        <p class="hint">{text.entry.allExplained}</p>
      ) : (
        <>
          <Stops shell={shell} stops={stops} names={names} />
          <div class="choices-big">
            {(reasons.length > LIKELY + 1 ? reasons.slice(0, LIKELY) : reasons).map((reason) => (
              <ReasonButton key={reason.code} reason={reason} />
            ))}
            {reasons.length > LIKELY + 1 && (
              <button type="button" class="choice-big quiet" data-open="reasons">
                {text.entry.allReasons}
              </button>
            )}
          </div>
        </>
      )}
      <Sheet name="reasons" title={text.entry.why}>
        <p class="hint" data-stop />
        {[...Map.groupBy(reasons, ({ group }) => group)].map(([group, below]) => (
          <section key={group}>
            {group && <h3>{group}</h3>}
            <div class="choices-big">
              {below.map((reason) => (
                <ReasonButton key={reason.code} reason={reason} />
              ))}
            </div>
          </section>
        ))}
        <form method="dialog">
          <details>
            <summary>{text.entry.addNote}</summary>
            <label>
              <span>{text.entry.note}</span>
              <textarea rows={3} maxLength={1_000} />
            </label>
          </details>
        </form>
      </Sheet>
    </section>
  );
}

/** Which stop is meant: the newest unless another one is touched. */
function Stops({
  shell,
  stops,
  names,
}: Pick<HmiEntryProps, "shell" | "stops"> & { names: ReadonlyMap<string, string> }) {
  return (
    <fieldset class="stops">
      <legend class="only-heard">{text.entry.stops}</legend>
      {stops.map((stop, i) => (
        <label key={stop.from} class="stop">
          <input
            type="radio"
            name="stop"
            checked={i === 0}
            data-stop-from={stop.from}
            data-stop-to={stop.to ?? ""}
          />
          <span class="state-label" data-state={stop.state}>
            <StateIcon state={stop.state} />
            {text.states[stop.state]}
          </span>
          <span>{when(stop, shell.timezone)}</span>
          <b>{names.get(stop.reason) ?? stop.reason}</b>
        </label>
      ))}
    </fieldset>
  );
}

/** `14:02, now` or `13:10, 12 min` */
function when({ from, to }: Stop, timezone: string): string {
  const length = to === null ? text.entry.now : duration((ms(to) - ms(from)) / 1_000);
  return `${clock(ms(from), timezone)}, ${length}`;
}

function ReasonButton({ reason }: { reason: ReasonChoice }) {
  return (
    <button type="button" class="choice-big" data-reason={reason.code}>
      {reason.name}
    </button>
  );
}
