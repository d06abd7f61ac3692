// Entries as the API takes them, each with its opposite.
import type { Entered } from "../../model.ts";
import { text } from "../../text.ts";
import type { Entry } from "../queue.ts";

type Request = Omit<Entry, "id" | "at_ms">;
/** What takes an entry back, given the server's answer to it. */
export type Undo = (answer: unknown) => Request;
export type Said = { entry: Request; undo?: Undo };
/** Which machine, and when it was said: ISO 8601. */
type At = { machine_id: string; ts: string };

const api = ({ machine_id }: At): string => `/api/v1/machines/${encodeURIComponent(machine_id)}`;
const label = (kind: Entered["kind"], what: string | number): string => `${text.entry.kinds[kind]}: ${what}`;

const post = (path: string, body: object, words: string): Request => ({
  method: "POST",
  path,
  body,
  label: words,
});

/** @param to "" while the stop goes on: the reason holds until the machine runs again */
export function giveReason(
  at: At,
  { from, to, reason, name, note }: Record<"from" | "to" | "reason" | "name" | "note", string>,
): Said {
  const body = { from, ...(to ? { to } : {}), reason, ...(note ? { note } : {}) };
  return {
    entry: post(`${api(at)}/downtime`, body, label("reason", name)),
    undo: (answer) => takeBackOf(at, { kind: "reason", id: String(Object(answer).id), ts: from, what: name }),
  };
}

/** Rejects, or parts of a machine that does not count them. */
export function enterParts(
  at: At,
  { kind, count, reason }: { kind: string; count: number; reason: string },
): Said {
  const of: Entered = {
    kind: kind === "count" ? "count" : "reject",
    id: at.ts,
    ts: at.ts,
    what: reason,
    count,
  };
  const body = { ts: at.ts, count, ...(reason ? { reason } : {}) };
  return {
    entry: post(`${api(at)}/${of.kind === "count" ? "counts" : "rejects"}`, body, label(of.kind, count)),
    undo: () => takeBackOf(at, of),
  };
}

export function beginLot(at: At, { lot, part, order }: { lot: string; part: string; order: string }): Said {
  const body = { lot, from: at.ts, ...(part ? { part } : {}), ...(order ? { order } : {}) };
  return {
    entry: post(`${api(at)}/lots`, body, label("lot", lot)),
    undo: () => takeBackOf(at, { kind: "lot", id: "", ts: at.ts, what: lot, count: 0 }),
  };
}

/** The opposite of what was entered: rejects of less than nothing, no parts at that time, a lot that ends as it begins. */
export function takeBackOf(at: At, one: Entered): Request {
  const words = `${text.entry.takeBack}: ${one.kind === "reason" || one.kind === "lot" ? label(one.kind, one.what) : label(one.kind, one.count)}`;
  switch (one.kind) {
    case "reason":
      return {
        method: "DELETE",
        path: `${api(at)}/downtime/${encodeURIComponent(one.id)}`,
        body: null,
        label: words,
      };
    case "reject": {
      const reason = one.what ? { reason: one.what } : {};
      return post(`${api(at)}/rejects`, { ts: one.ts, count: -one.count, ...reason }, words);
    }
    case "count":
      return post(`${api(at)}/counts`, { ts: one.ts, count: 0 }, words);
    case "lot":
      return post(`${api(at)}/lots`, { lot: one.what, from: one.ts, to: one.ts }, words);
  }
}
