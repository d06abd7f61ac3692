// OEE and its factors as bars with numbers.
/** @jsxImportSource preact */
import { number, percent } from "../format.ts";
import type { OeeRow } from "../model.ts";
import { text } from "../text.ts";
import { flagText } from "../wording.ts";
import { Change } from "./change.tsx";
import { type Whose, Why } from "./why.tsx";

/** A ratio as a bar 0…1; over 1 the bar is full and ends in a mark, unknown is hatched. */
export function Bar({ ratio, label }: { ratio: number | null; label: string }) {
  return (
    <svg class="meter" role="img" aria-label={`${label} ${percent(ratio)}`}>
      <rect
        class="meter-ground"
        width="100%"
        height="100%"
        fill={ratio === null ? "url(#hatch)" : undefined}
      />
      {ratio !== null && (
        <rect
          class="meter-fill"
          width={`${(Math.min(1, Math.max(0, ratio)) * 100).toFixed(2)}%`}
          height="100%"
        />
      )}
      {ratio !== null && ratio > 1 && <rect class="meter-over" x="97%" width="3%" height="100%" />}
    </svg>
  );
}

/** A, P and Q of a row, one line each; with `whose` each leads to its explanation, with `before` it tells the change. */
export function Factors({
  row,
  whose,
  before = null,
}: {
  row: OeeRow | null;
  whose?: Whose | undefined;
  before?: OeeRow | null;
}) {
  const lines = [
    ["availability", text.oee.availability, row?.availability ?? null],
    ["performance", text.oee.performance, row?.performance ?? null],
    ["quality", text.oee.quality, row?.quality ?? null],
  ] as const;
  return (
    <dl class="factors">
      {lines.map(([figure, label, ratio]) => (
        <div key={label} class="factor">
          <dt>{label}</dt>
          <dd class="factor-bar">
            <Bar ratio={ratio} label={label} />
          </dd>
          <dd class="factor-number">
            <Why figure={figure} whose={whose}>
              {percent(ratio)}
            </Why>
          </dd>
          {before && (
            <dd class="factor-change">
              <Change now={ratio} before={before[figure]} />
            </dd>
          )}
        </div>
      ))}
    </dl>
  );
}

/** What is to be said of a row. */
export function Flags({ row }: { row: OeeRow | null }) {
  if (!row || row.flags.length === 0) return null;
  return (
    <ul class="flags">
      {row.flags.map((flag) => (
        <li key={flag}>{flagText(flag)}</li>
      ))}
    </ul>
  );
}

/** Good parts, rejects and their sum. */
export function Parts({ row, whose }: { row: OeeRow | null; whose?: Whose | undefined }) {
  const lines = [
    ["total_count", text.machine.total, row?.total_count ?? null],
    ["good_count", text.machine.good, row?.good_count ?? null],
    ["reject_count", text.machine.reject, row?.reject_count ?? null],
  ] as const;
  return (
    <dl class="parts">
      {lines.map(([figure, label, count]) => (
        <div key={label}>
          <dd>
            <Why figure={figure} whose={whose}>
              {number(count)}
            </Why>
          </dd>
          <dt>{label}</dt>
        </div>
      ))}
    </dl>
  );
}
