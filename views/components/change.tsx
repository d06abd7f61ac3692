// What has changed against the period before, and what is missing to the target: sign, shape and words.
/** @jsxImportSource preact */
import { dayClock, ms, number, percent } from "../format.ts";
import type { Period, Shell } from "../model.ts";
import { text } from "../text.ts";

/** Half of what is shown: less than that is no change. */
const SHOWN_POINTS = 0.05;

/** `▲ up 3.2 points`; nothing where one of the two is not known. */
export function Change({ now, before }: { now: number | null; before: number | null }) {
  if (now === null || before === null) return null;
  const points = (now - before) * 100;
  const way = Math.abs(points) < SHOWN_POINTS ? "same" : points > 0 ? "up" : "down";
  return (
    <span class="change" data-way={way}>
      <span aria-hidden="true">{{ up: "▲ ", down: "▼ ", same: "= " }[way]}</span>
      {text.report.change[way](number(Math.abs(points), 1))}
    </span>
  );
}

/** `Target 85.0 %: 3.2 points below`; nothing where none is set. */
export function Target({ now, target }: { now: number | null; target: number | null }) {
  if (target === null) return null;
  const missing = now === null ? null : (target - now) * 100;
  return (
    <p class="target">
      {text.report.target} {percent(target)}
      {missing === null
        ? ""
        : `: ${missing < SHOWN_POINTS ? text.report.reached : text.report.below(number(missing, 1))}`}
    </p>
  );
}

/** Which period the changes are against, and what it had. */
export function Compared({ shell, period, before }: { shell: Shell; period: Period; before: number | null }) {
  const { previous, kind } = period;
  const weeks = Math.round((ms(period.from) - ms(previous.from)) / (7 * 86_400_000));
  const rule =
    kind === "month" || kind === "last_month" ? text.report.monthBefore : text.report.weeksBefore(weeks);
  return (
    <p class="hint compared">
      {text.report.comparedWith(
        `${dayClock(ms(previous.from), shell.timezone)} – ${dayClock(ms(previous.to), shell.timezone)}`,
        rule,
      )}
      {": "}
      {before === null ? text.report.nothingKnown : `${text.oee.oee} ${percent(before)}`}
    </p>
  );
}
