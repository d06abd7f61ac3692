// Pareto of what scheduled time was lost to: bars, the largest first, and the line of what they come to together.
/** @jsxImportSource preact */
import { duration, number, percent } from "../format.ts";
import type { Asked, ExplainedFigure, LossRow, OeeRow } from "../model.ts";
import { text } from "../text.ts";
import { causeText } from "../wording.ts";
import { apiPath, reportPath, whoseOf } from "./asked.ts";
import { Files } from "./files.tsx";
import { SWAP } from "./period.tsx";
import { StateLabel } from "./state.tsx";
import { Why } from "./why.tsx";

type Reasons = Readonly<Record<string, string>>;
type Line = LossRow & { share_shown: number | null; cumulated: number | null };

const SHOWN_ROWS = 10;

/** In which figure a loss is summed up; what is excluded is scheduled time all the same. */
const FIGURE: Record<LossRow["loss"], ExplainedFigure> = {
  breakdown: "breakdown_loss_s",
  setup: "setup_loss_s",
  minor: "minor_stop_loss_s",
  other: "other_stop_loss_s",
  unknown: "unknown_loss_s",
  "": "scheduled_time_s",
};

/** Shares added up from the first row on. */
export function cumulated(losses: readonly LossRow[], by: Asked["pareto"]): Line[] {
  let sum = 0;
  return losses.map((row) => {
    const share = by === "count" ? row.share_of_count : row.share;
    sum += share ?? 0;
    return { ...row, share_shown: share, cumulated: share === null ? null : Math.min(1, sum) };
  });
}

export function Pareto({
  asked,
  losses,
  reasons,
  total,
}: {
  asked: Asked;
  losses: readonly LossRow[];
  reasons: Reasons;
  total: OeeRow | null;
}) {
  const lines = cumulated(losses, asked.pareto);
  return (
    <section class="panel pareto">
      <div class="panel-head">
        <h2>{text.report.pareto}</h2>
        <nav class="choices" aria-label={text.report.paretoBy}>
          {(["time", "count"] as const).map((by) => {
            const href = reportPath(asked, { pareto: by });
            return (
              <a
                key={by}
                class="choice"
                href={href}
                hx-get={href}
                {...SWAP}
                aria-current={by === asked.pareto ? "true" : undefined}
              >
                {text.report.paretoBys[by]}
              </a>
            );
          })}
        </nav>
      </div>
      {lines.length === 0 ? (
        <p class="hint">{text.dashboard.noStops}</p>
      ) : (
        <>
          <Bars lines={lines.slice(0, SHOWN_ROWS)} />
          <List lines={lines.slice(0, SHOWN_ROWS)} asked={asked} reasons={reasons} />
          {lines.length > SHOWN_ROWS && (
            <details>
              <summary>{text.report.others(lines.length - SHOWN_ROWS)}</summary>
              <List lines={lines.slice(SHOWN_ROWS)} asked={asked} reasons={reasons} first={SHOWN_ROWS} />
            </details>
          )}
          <Files path={apiPath(asked, "losses", total?.to ?? asked.period.to, { sort: asked.pareto })} />
        </>
      )}
    </section>
  );
}

const at = (ratio: number): string => `${(100 * ratio).toFixed(2)}%`;

/** The chart; its bars carry the numbers of the list below. */
function Bars({ lines }: { lines: Line[] }) {
  const wide = 1 / lines.length;
  const middle = (i: number) => at((i + 0.5) * wide);
  const height = (line: Line | undefined) => at(1 - (line?.cumulated ?? 0));
  return (
    <div class="pareto-chart" aria-hidden="true">
      <svg class="pareto-plot" aria-hidden="true">
        {[0.2, 0.4, 0.6, 0.8].map((line) => (
          <line
            key={line}
            class={line === 0.8 ? "pareto-80" : "pareto-grid"}
            x1="0"
            x2="100%"
            y1={at(1 - line)}
            y2={at(1 - line)}
          />
        ))}
        <text class="pareto-word" x="4" y={at(0.2)} dy="-4">
          {percent(0.8, 0)}
        </text>
        {lines.map((line, i) => (
          <rect
            key={`bar ${i}`}
            class="pareto-bar"
            data-state={line.state}
            x={at((i + 0.15) * wide)}
            width={at(0.7 * wide)}
            y={at(1 - (line.share_shown ?? 0))}
            height={at(line.share_shown ?? 0)}
          />
        ))}
        {lines.slice(1).map((line, i) => (
          <line
            key={`line ${i}`}
            class="pareto-line"
            x1={middle(i)}
            y1={height(lines[i])}
            x2={middle(i + 1)}
            y2={height(line)}
          />
        ))}
        {lines.map((line, i) => (
          <circle key={`point ${i}`} class="pareto-point" cx={middle(i)} cy={height(line)} r="4" />
        ))}
      </svg>
      <ol class="pareto-axis">
        {lines.map((_, i) => (
          <li key={`axis ${i}`}>{i + 1}</li>
        ))}
      </ol>
    </div>
  );
}

/** What a loss is called: its reason by name, else why nothing is known, else nothing but its state. */
export const lossName = ({ reason, cause }: LossRow, reasons: Reasons): string =>
  reason ? (reasons[reason] ?? reason) : cause ? causeText(cause) : text.report.noReason;

function List({
  lines,
  asked,
  reasons,
  first = 0,
}: {
  lines: Line[];
  asked: Asked;
  reasons: Reasons;
  first?: number;
}) {
  const whose = whoseOf(asked);
  return (
    <table class="pareto-list cards">
      <thead>
        <tr>
          <th scope="col">{text.dashboard.reason}</th>
          <th scope="col">{text.dashboard.state}</th>
          <th scope="col" class="num">
            {text.dashboard.time}
          </th>
          <th scope="col" class="num">
            {text.report.count}
          </th>
          <th scope="col" class="num">
            {text.report.shareOfLosses}
          </th>
          <th scope="col" class="num">
            {text.report.cumulated}
          </th>
        </tr>
      </thead>
      <tbody>
        {lines.map((line, i) => (
          <tr key={[line.state, line.reason, line.cause, line.loss].join()}>
            <th scope="row">
              {first + i + 1}. {lossName(line, reasons)}
              {line.excluded && ` (${text.explain.countsAsWords.excluded})`}
            </th>
            <td data-label={text.dashboard.state}>
              <StateLabel state={line.state} />
            </td>
            <td class="num" data-label={text.dashboard.time}>
              <Why figure={FIGURE[line.loss]} whose={whose}>
                {duration(line.seconds)}
              </Why>
            </td>
            <td class="num" data-label={text.report.count}>
              {number(line.count)}
            </td>
            <td class="num" data-label={text.report.shareOfLosses}>
              {line.excluded ? text.none : percent(line.share_shown)}
            </td>
            <td class="num" data-label={text.report.cumulated}>
              {line.excluded ? text.none : percent(line.cumulated)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
