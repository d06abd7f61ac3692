// OEE and its factors as bars with numbers.
/** @jsxImportSource preact */
import { number, percent } from "../format.ts";
import type { OeeRow } from "../model.ts";
import { text } from "../text.ts";

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

/** A, P and Q of a row, one line each. */
export function Factors({ row }: { row: OeeRow | null }) {
  const lines = [
    [text.oee.availability, row?.availability ?? null],
    [text.oee.performance, row?.performance ?? null],
    [text.oee.quality, row?.quality ?? null],
  ] as const;
  return (
    <dl class="factors">
      {lines.map(([label, ratio]) => (
        <div key={label} class="factor">
          <dt>{label}</dt>
          <dd class="factor-bar">
            <Bar ratio={ratio} label={label} />
          </dd>
          <dd class="factor-number">{percent(ratio)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Flags of a row in words where we have them; the API's own names otherwise. */
export function Flags({ row }: { row: OeeRow | null }) {
  const notes = [...(row?.flags ?? [])].map((flag) => flag.replaceAll("_", " "));
  if (row?.performance && row.performance > 1) notes.unshift(`${text.oee.performance} ${text.oee.overOne}`);
  if (notes.length === 0) return null;
  return (
    <ul class="flags">
      {notes.map((note) => (
        <li key={note}>{note}</li>
      ))}
    </ul>
  );
}

/** Good parts, rejects and their sum. */
export function Parts({ row }: { row: OeeRow | null }) {
  const lines = [
    [text.machine.total, row?.total_count ?? null],
    [text.machine.good, row?.good_count ?? null],
    [text.machine.reject, row?.reject_count ?? null],
  ] as const;
  return (
    <dl class="parts">
      {lines.map(([label, count]) => (
        <div key={label}>
          <dd>{number(count)}</dd>
          <dt>{label}</dt>
        </div>
      ))}
    </dl>
  );
}
