// The period and the cut of a report: chosen by link or form, swapped in without a reload, kept in the URL.
/** @jsxImportSource preact */
import { dayClock, localInput, ms } from "../format.ts";
import { type Asked, CUTS, PERIODS, type Period, type Shell } from "../model.ts";
import { text } from "../text.ts";
import { reportPath, WITHOUT } from "./asked.ts";

/** What every control of a report swaps: the report itself, with its URL pushed. */
export const SWAP = {
  "hx-target": "#report",
  "hx-swap": "outerHTML",
  "hx-push-url": "true",
  "hx-indicator": "#report",
} as const;

/** A choice that is a link: it can be shared, and opened beside. */
function Choice({ href, here, name }: { href: string; here: boolean; name: string }) {
  return (
    <a class="choice" href={href} hx-get={href} {...SWAP} aria-current={here ? "true" : undefined}>
      {name}
    </a>
  );
}

export function PeriodBar({ shell, asked }: { shell: Shell; asked: Asked }) {
  const { period } = asked;
  return (
    <div class="period">
      <nav class="choices periods" aria-label={text.dashboard.period}>
        {PERIODS.filter((kind) => kind !== "custom").map((kind) => (
          <Choice
            key={kind}
            href={reportPath(asked, { kind })}
            here={kind === period.kind}
            name={text.dashboard.periods[kind]}
          />
        ))}
      </nav>
      <details class="other-period" open={period.kind === "custom" || period.problem !== null}>
        <summary>{text.dashboard.periods.custom}</summary>
        <form
          class="custom"
          action={asked.path}
          hx-get={asked.path}
          {...SWAP}
          aria-label={text.dashboard.periods.custom}
        >
          <Kept asked={asked} without={["period", "from", "to"]} />
          <input type="hidden" name="period" value="custom" />
          <label>
            <span>{text.dashboard.from}</span>
            <input
              type="datetime-local"
              name="from"
              required
              value={localInput(ms(period.from), shell.timezone)}
            />
          </label>
          <label>
            <span>{text.dashboard.to}</span>
            <input
              type="datetime-local"
              name="to"
              required
              value={localInput(ms(period.to), shell.timezone)}
            />
          </label>
          <button type="submit">{text.dashboard.apply}</button>
        </form>
      </details>
      {period.problem && (
        <p class="notice" role="alert">
          {text.dashboard.periodProblems[period.problem]}
        </p>
      )}
    </div>
  );
}

/** What the report's rows are: hours, shifts, parts. */
export function CutBar({ asked }: { asked: Asked }) {
  return (
    <nav class="choices cuts" aria-label={text.dashboard.by}>
      {CUTS.map((by) => (
        <Choice
          key={by}
          href={reportPath(asked, { by })}
          here={by === asked.period.by}
          name={text.dashboard.bys[by]}
        />
      ))}
    </nav>
  );
}

/** The rest of a report's query, for a form that changes some of it. */
export function Kept({ asked, without }: { asked: Asked; without: readonly string[] }) {
  const params = new URLSearchParams(reportPath(asked).split("?")[1]);
  return (
    <>
      {[...params]
        .filter(([name]) => !without.includes(name))
        .map(([name, value]) => (
          <input key={name} type="hidden" name={name} value={value} />
        ))}
    </>
  );
}

/** What a value of a filter is called where it is none. */
export const named = (value: string): string =>
  value === "" || value === WITHOUT ? text.report.without : value;

/** `Early, Mon 5 Jan 06:00 – Mon 5 Jan 14:00, Europe/Berlin` */
export function Span({ shell, period }: { shell: Shell; period: Period }) {
  return (
    <p class="hint">
      {period.shift && `${period.shift}, `}
      {dayClock(ms(period.from), shell.timezone)} – {dayClock(ms(period.to), shell.timezone)},{" "}
      {shell.timezone}
    </p>
  );
}
