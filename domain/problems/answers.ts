// Problems of a whole request, by their codes (SPEC 11.3). A code never changes its meaning.
import { type None, problem } from "./definition.ts";

/** What may be asked for and not be there. */
export type Kind = keyof typeof UNKNOWN;

const named =
  (kind: string) =>
  (id: string): string =>
    `${kind} "${id}" is not known here`;

const UNKNOWN = {
  machine: named("machine"),
  group: named("group"),
  key: named("key"),
  user: named("user"),
  event: named("event"),
  schema: named("schema"),
  annotation: named("annotation"),
  source_kind: named("kind of source"),
  problem: named("problem"),
  deleted_annotation: (id: string) => `annotation "${id}" was deleted: it is not known here`,
  event_set_aside: (id: string) => `event ${id} among those set aside is not known here`,
  asset: (id: string) => `asset ${id} is not known here`,
  state: (id: string) => `the state at ${id} is not known here`,
  calendar: () => "a calendar is not known here",
  rebuild: () => "a rebuild is not known here",
  backup: () => "a backup is not known here",
  any_machine: () => "a machine is not known here",
};

type Bound = { max: number; wait_s: number };
const CONFLICT = "Conflict";
const TOO_MANY = "Too many requests";
const again = ({ wait_s }: { wait_s: number }): string => `try again in ${wait_s} s`;
const DONE_ONCE = "and it may be done yet: the same again, with its Idempotency-Key, is done once";

export const ANSWERS = {
  bad_host: problem<None>(400, "Bad request", "more than one Host"),
  client_left: problem<None>(400, "Bad request", "the client left before its body came"),
  no_key: problem<None>(401, "Unauthorized", "give an API key: X-API-Key or Authorization: Bearer"),
  wrong_key: problem<None>(401, "Unauthorized", "the API key is not known"),
  scope_lacking: problem<{ scope: string }>(
    403,
    "Forbidden",
    ({ scope }) => `the key lacks the scope "${scope}"`,
    { scope: "admin" },
  ),
  not_own_page: problem<None>(403, "Forbidden", "with a session this must come from MTC's own pages"),
  other_site: problem<None>(403, "Forbidden", "this must come from MTC's own pages, not from another site's"),
  not_found: problem<{ kind: Kind; id: string }>(404, "Not found", ({ kind, id }) => UNKNOWN[kind](id), {
    kind: "machine",
    id: "mill-1",
  }),
  no_such_address: problem<None>(404, "Not found", "there is nothing at this address"),
  method_not_allowed: problem<{ allow: string }>(
    405,
    "Method not allowed",
    ({ allow }) => `here it is ${allow}`,
    { allow: "GET, HEAD" },
  ),
  body_late: problem<{ seconds: number }>(
    408,
    "Request timeout",
    ({ seconds }) => `the body did not come within ${seconds} s`,
    { seconds: 60 },
  ),

  machine_exists: problem<{ machine: string }>(
    409,
    CONFLICT,
    ({ machine }) => `the machine id "${machine}" is taken`,
    {
      machine: "mill-1",
    },
  ),
  name_taken: problem<{ name: string }>(409, CONFLICT, ({ name }) => `the name "${name}" is taken`, {
    name: "Anna",
  }),
  too_many_users: problem<{ max: number }>(409, CONFLICT, ({ max }) => `there are ${max} users`, {
    max: 1_000,
  }),
  last_admin: problem<None>(409, CONFLICT, "nobody could administrate any more: make another admin first"),
  key_reused: problem<None>(409, CONFLICT, "this Idempotency-Key came before with another body"),
  counts_itself: problem<None>(409, CONFLICT, "the machine counts its parts itself: they would count twice"),
  rebuild_under_way: problem<None>(409, CONFLICT, "a rebuild is under way; one at a time"),
  rebuild_elsewhere: problem<None>(409, CONFLICT, "another process makes a rebuild; one at a time"),
  backup_under_way: problem<None>(409, CONFLICT, "a backup is under way; one at a time"),
  not_embedded: problem<None>(409, CONFLICT, "analytics is not embedded: its server has means of its own"),
  other_data_dir: problem<None>(409, CONFLICT, "this server has another data directory"),
  demo_not_offered: problem<None>(
    409,
    CONFLICT,
    "the demo plant is for the embedded profile: one process on one host",
  ),

  length_required: problem<None>(411, "Length required", "give the body's Content-Length"),
  body_too_large: problem<{ max_bytes: number }>(
    413,
    "Content too large",
    ({ max_bytes }) => `a body has at most ${max_bytes} bytes here`,
    { max_bytes: 8_388_608 },
  ),
  unknown_encoding: problem<{ encoding: string; accepted: string }>(
    415,
    "Unsupported media type",
    ({ encoding, accepted }) =>
      `content-encoding "${encoding}": a body is packed once at most, with ${accepted.replace(", ", " or ")}`,
    { encoding: "br", accepted: "gzip, zstd" },
  ),
  bad_input: problem<None>(422, "Unprocessable content", "the input is not as it must be: see errors"),
  body_not_json: problem<None>(422, "Unprocessable content", "the body is not JSON"),
  nothing_asked: problem<None>(422, "Unprocessable content", "nothing was asked for"),

  too_many_requests: problem<{ wait_s: number }>(429, TOO_MANY, (p) => `too many requests; ${again(p)}`, {
    wait_s: 3,
  }),
  too_many_sign_ins: problem<{ wait_s: number }>(429, TOO_MANY, (p) => `too many sign-ins; ${again(p)}`, {
    wait_s: 2,
  }),
  sign_ins_failed: problem<Bound>(429, TOO_MANY, (p) => `${p.max} sign-ins failed; ${again(p)}`, {
    max: 10,
    wait_s: 6,
  }),
  keys_wrong: problem<Bound>(429, TOO_MANY, (p) => `${p.max} keys were wrong; ${again(p)}`, {
    max: 10,
    wait_s: 6,
  }),
  own_reports: problem<Bound>(
    429,
    TOO_MANY,
    (p) => `${p.max} reports of this key or user are under way; ${again(p)}`,
    { max: 32, wait_s: 2 },
  ),
  all_reports: problem<Bound>(429, TOO_MANY, (p) => `${p.max} reports are under way; ${again(p)}`, {
    max: 128,
    wait_s: 2,
  }),
  own_answers_unread: problem<Bound>(
    429,
    TOO_MANY,
    (p) => `${p.max} long answers of this key or user are not read to their end yet; ${again(p)}`,
    { max: 4, wait_s: 2 },
  ),
  all_answers_unread: problem<Bound>(
    429,
    TOO_MANY,
    (p) => `${p.max} long answers are not read to their end yet; ${again(p)}`,
    { max: 16, wait_s: 2 },
  ),
  own_streams: problem<{ max: number }>(
    429,
    TOO_MANY,
    ({ max }) => `${max} streams of this key or user are open`,
    { max: 100 },
  ),
  query_ended_engine: problem<{ wait_s: number }>(
    429,
    TOO_MANY,
    ({ wait_s }) => `a query of yours went on over its bounds and ended the engine; ask again in ${wait_s} s`,
    { wait_s: 600 },
  ),

  internal: problem<None>(500, "Internal error", "something went wrong here; the log has it"),
  overloaded: problem<{ why: string }>(503, "Overloaded", ({ why }) => why, {
    why: "the outbox holds 536870912 bytes that are not delivered yet",
  }),
  disk_full: problem<{ why: string }>(503, "Disk full", ({ why }) => `the disk is full: ${why}`, {
    why: "database or disk is full",
  }),
  set_aside: problem<{ machines: readonly string[] }>(
    503,
    "Set aside",
    ({ machines }) =>
      `the figures of ${machines.map((one) => `"${one}"`).join(", ")} cannot be calculated now: the system health page has the error`,
    { machines: ["mill-1"] },
  ),
  analytics_away: problem<None>(503, "Unavailable", "analytics is being started; ask again in a moment"),
  query_too_heavy: problem<None>(
    503,
    "Overloaded",
    "the query needs more memory or time than there is now; ask for less, or later",
  ),
  not_in_analytics_yet: problem<{ why: string }>(
    503,
    "Not in analytics yet",
    ({ why }) => `what was written before this call is kept, and not in analytics yet: ${why}; ask again`,
    { why: "it waits to be delivered" },
  ),
  given_up: problem<None>(503, "Given up", "nobody waits for it any more"),
  took_too_long: problem<{ seconds: number }>(
    503,
    "Took too long",
    ({ seconds }) => `no answer within ${seconds} s: ask for less, or later`,
    { seconds: 60 },
  ),
  change_took_too_long: problem<{ seconds: number }>(
    503,
    "Took too long",
    ({ seconds }) => `no answer within ${seconds} s, ${DONE_ONCE}`,
    { seconds: 180 },
  ),
  stopping: problem<None>(
    503,
    "Stopping",
    "the server stops before it has an answer: ask again, there or another one",
  ),
  change_stopping: problem<None>(503, "Stopping", `the server stops before it has an answer, ${DONE_ONCE}`),
  server_stops: problem<None>(503, "Overloaded", "the server stops"),
};
