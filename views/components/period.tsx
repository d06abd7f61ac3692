// The period of a report: chosen by link or form, swapped in without a reload, kept in the URL.
/** @jsxImportSource preact */
import { dayClock, localInput, ms } from "../format.ts";
import { type By, PERIODS, type Period, type Shell } from "../model.ts";
import { text } from "../text.ts";

/** What every control of a report swaps: the report itself, with its URL pushed. */
export const SWAP = {
  "hx-target": "#report",
  "hx-swap": "outerHTML",
  "hx-push-url": "true",
  "hx-indicator": "#report",
} as const;

/** The query of a report; `from` and `to` only where the period is custom. */
export function query(
  period: Period,
  shell: Shell,
  change: Partial<Pick<Period, "kind" | "by">>,
  sort = "",
): string {
  const { kind, by } = { ...period, ...change };
  const params = new URLSearchParams({ period: kind });
  if (kind === "custom") {
    params.set("from", localInput(ms(period.from), shell.timezone));
    params.set("to", localInput(ms(period.to), shell.timezone));
  }
  if (change.by !== undefined || change.kind === undefined) params.set("by", by);
  if (sort) params.set("sort", sort);
  return `?${params}`;
}

export type PeriodBarProps = {
  shell: Shell;
  period: Period;
  /** The page's own path. */
  path: string;
  /** What the trend may be cut by. */
  bys: readonly By[];
  sort?: string;
};

export function PeriodBar({ shell, period, path, bys, sort = "" }: PeriodBarProps) {
  const link = (href: string, here: boolean, name: string) => (
    <a key={href} class="choice" href={href} hx-get={href} {...SWAP} aria-current={here ? "true" : undefined}>
      {name}
    </a>
  );
  return (
    <div class="period">
      <nav class="choices" aria-label={text.dashboard.period}>
        {PERIODS.filter((kind) => kind !== "custom").map((kind) =>
          link(
            path + query(period, shell, { kind }, sort),
            kind === period.kind,
            text.dashboard.periods[kind],
          ),
        )}
      </nav>
      <form
        class="custom"
        data-here={period.kind === "custom" || undefined}
        action={path}
        hx-get={path}
        {...SWAP}
        aria-label={text.dashboard.periods.custom}
      >
        <input type="hidden" name="period" value="custom" />
        <input type="hidden" name="by" value={period.by} />
        {sort && <input type="hidden" name="sort" value={sort} />}
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
          <input type="datetime-local" name="to" required value={localInput(ms(period.to), shell.timezone)} />
        </label>
        <button type="submit">{text.dashboard.apply}</button>
      </form>
      <nav class="choices" aria-label={text.dashboard.by}>
        {bys.map((by) =>
          link(path + query(period, shell, { by }, sort), by === period.by, text.dashboard.bys[by]),
        )}
      </nav>
      {period.problem && (
        <p class="notice" role="alert">
          {text.dashboard.periodProblems[period.problem]}
        </p>
      )}
    </div>
  );
}

/** `Mon 5 Jan 06:00 – Mon 5 Jan 14:00, Europe/Berlin` */
export function Span({ shell, period }: { shell: Shell; period: Period }) {
  return (
    <p class="hint">
      {dayClock(ms(period.from), shell.timezone)} – {dayClock(ms(period.to), shell.timezone)},{" "}
      {shell.timezone}
    </p>
  );
}
