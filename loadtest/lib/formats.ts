// One batch in the words of each target: our columns and rows, and the peers' line protocol.
import { observations } from "../../ingest/columns.ts";
import { formatTimestamp_us } from "../../ingest/time.ts";
import type { Batch } from "./observations.ts";

export type Format = {
  path(machine: string): string;
  type: string;
  body(batch: Batch): string;
};

const ours = (machine: string): string => `/internal/machines/${machine}/data`;

export const FORMATS = {
  columns: { path: ours, type: "application/json", body: ({ columns }) => JSON.stringify(columns) },
  rows: {
    path: ours,
    type: "application/json",
    body: ({ columns }) => {
      const rows = [];
      for (const { signal, ts_us, value, seq } of observations(columns)) {
        rows.push({ signal, ts: formatTimestamp_us(ts_us), value, seq });
      }
      return JSON.stringify({ observations: rows });
    },
  },
  influxdb: { path: () => "/write?db=bench", type: "text/plain", body: lineProtocol },
  "victoria-metrics": { path: () => "/write", type: "text/plain", body: lineProtocol },
} satisfies Record<string, Format>;

export type FormatName = keyof typeof FORMATS;

/** Measurement `obs`, tags machine and signal, the value as field `num` or `word`, times in ns. */
function lineProtocol({ machine, columns }: Batch): string {
  let text = "";
  for (const { signal, ts_us, value } of observations(columns)) {
    const field = typeof value === "number" ? `num=${value}` : `word="${value}"`;
    text += `obs,machine=${machine},signal=${signal} ${field} ${ts_us}000\n`;
  }
  return text;
}
