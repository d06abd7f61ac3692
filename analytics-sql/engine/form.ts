// A statement and its values as a form in a request's body: whatever stands between bounds a request's line and headers.
import { buildMultipartBody, formatQueryParams } from "@clickhouse/client-common";

/** A request's body, and the headers that say what it is. */
export type Form = { body: string; headers: { "content-type": string } };

/** Values as ClickHouse reads them. */
export const texts = (values: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, formatQueryParams({ value })]));

/** As the client sends what answers with rows: the statement as `query`, each value, which is text already, as `param_…`. */
export function formOf(query: string, values: Record<string, string>): Form {
  const parts = Object.entries(values).map(([name, text]) => [`param_${name}`, text] as const);
  const boundary = `----mtc-${crypto.randomUUID()}`;
  return {
    body: buildMultipartBody({ query, ...Object.fromEntries(parts) }, boundary),
    headers: { "content-type": `multipart/form-data; boundary=${boundary}` },
  };
}
