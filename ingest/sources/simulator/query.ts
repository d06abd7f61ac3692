// What clients ask for in a URL's query, and the error that says why it cannot be had.
import type { Fault } from "./documents.ts";

/** What a client asked for cannot be answered. */
export class RequestError extends Error {
  readonly fault: Fault;
  constructor(code: string, message: string, parameter?: Fault["parameter"], asset_id?: string) {
    super(message);
    this.fault = { code, message, ...(parameter && { parameter }), ...(asset_id && { asset_id }) };
  }
}

/** A whole number of the query within its bounds, with the messages of 1.4. */
export function integer(
  query: URLSearchParams,
  name: string,
  least: number,
  most: number,
): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (text === "") throw new RequestError("QUERY_ERROR", `'${name}' cannot be empty.`);
  if (!/^\d+$/.test(text)) throw new RequestError("OUT_OF_RANGE", `'${name}' must be a positive integer.`);
  const value = Number(text);
  const range = { name, value: text, least, most };
  if (value < least)
    throw new RequestError("OUT_OF_RANGE", `'${name}' must be greater than or equal to ${least}.`, range);
  if (value > most)
    throw new RequestError("OUT_OF_RANGE", `'${name}' must be less than or equal to ${most}.`, range);
  return value;
}
