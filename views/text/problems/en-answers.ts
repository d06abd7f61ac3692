// Problems of a whole request, in English.
import type { AnswerCode, Kind } from "../../../domain/problem.ts";
import type { ProblemTexts } from "../../problem-text.ts";

const KINDS: Record<Kind, string> = {
  machine: "machine",
  group: "group",
  key: "key",
  user: "user",
  event: "event",
  event_set_aside: "event set aside",
  schema: "schema",
  annotation: "annotation",
  deleted_annotation: "annotation (it was deleted)",
  source_kind: "kind of source",
  problem: "problem",
  asset: "asset",
  state: "state at",
  calendar: "calendar",
  rebuild: "rebuild",
  backup: "backup",
  any_machine: "machine",
};

const DONE_ONCE =
  "It may be done yet. Send the same again with the same Idempotency-Key: then it is done once, whatever became of the first.";
const LATER = "Ask again after the seconds that Retry-After tells.";

export const answers: Pick<ProblemTexts, AnswerCode> = {
  bad_host: {
    said: "more than one Host",
    means: "The request has more than one Host header, so a proxy and MTC could each believe another one.",
    todo: "Let the client, and every proxy on the way, send one Host.",
  },
  client_left: {
    said: "the client left before its body came",
    means: "The connection ended before all of the body was there. Nothing of it was stored.",
    todo: "Send it again.",
  },
  no_key: {
    said: "an API key is needed",
    means: "Nobody said who is asking.",
    todo: "Send a key as X-API-Key or as Authorization: Bearer, or sign in. Keys are made under Admin → Access.",
  },
  wrong_key: {
    said: "the API key is not known",
    means: "The key was never made here, or was revoked.",
    todo: "Check that all of it was copied; else have a new one made under Admin → Access.",
  },
  scope_lacking: {
    said: ({ scope }) => `the right “${scope}” is lacking`,
    means: "The key or user is known, but may not do this.",
    todo: "Use a key that has the scope, or ask an admin for the role.",
  },
  not_own_page: {
    said: "this must come from MTC's own pages",
    means:
      "Whoever is signed in may change things only from MTC's own pages, so that another site's page cannot do it in their name.",
    todo: "Open MTC itself and do it there. Programs use an API key instead of a session.",
  },
  other_site: {
    said: "this must come from MTC's own pages, not from another site's",
    means: "Another site's page tried to sign somebody in or out, or to choose a language.",
    todo: "Open MTC itself and do it there.",
  },
  not_found: {
    said: ({ kind, id }) => (id === "" ? `no such ${KINDS[kind]} here` : `no ${KINDS[kind]} “${id}” here`),
    means: "What was asked for is not there, or belongs to somebody else.",
    todo: "Check the id; lists tell which there are. What was deleted does not come back.",
  },
  no_such_address: {
    said: "there is nothing at this address",
    means: "Nothing answers at this path.",
    todo: "Compare the path with /openapi.json, which describes every call.",
  },
  method_not_allowed: {
    said: ({ allow }) => `here it is ${allow}`,
    means: "The path is right, the method is not.",
    todo: "Use one of the methods that Allow tells.",
  },
  body_late: {
    said: ({ seconds }) => `the body did not come within ${seconds} s`,
    means: "The body came too slowly. Nothing of it was stored.",
    todo: "Send less at once, packed with gzip or zstd, or over a better connection.",
  },
  machine_exists: {
    said: "another machine has this id",
    means: "A machine of this id exists already.",
    todo: "Choose another id, or leave it out: MTC makes one.",
  },
  name_taken: {
    said: ({ name }) => `the name “${name}” is taken`,
    means: "Another user signs in by this name. Upper and lower case do not matter.",
    todo: "Choose another name.",
  },
  too_many_users: {
    said: ({ max }) => `there are ${max} users already`,
    means: "There may be no more users.",
    todo: "Delete users who are gone.",
  },
  last_admin: {
    said: "nobody could administrate any more: make another admin first",
    means: "It would take the last way in for an admin away.",
    todo: "Make another user an admin, or a key with the scope admin; then try again.",
  },
  key_reused: {
    said: "this Idempotency-Key came before with another body",
    means: "One Idempotency-Key stands for one body. Nothing was stored this time.",
    todo: "Send a new body with a new key. If it was meant as a repetition, send the very same bytes.",
  },
  counts_itself: {
    said: "the machine counts its parts itself: they would count twice",
    means: "Parts are entered by hand only where the machine does not count them.",
    todo: "Enter rejects instead, or take the counter out of the machine's rules.",
  },
  rebuild_under_way: {
    said: "a rebuild is under way; one at a time",
    means: "Analytics is being made anew already.",
    todo: "Wait for its end: GET /api/v1/rebuild tells how far it is.",
  },
  rebuild_elsewhere: {
    said: "another process makes a rebuild; one at a time",
    means: "Another process of the cluster makes analytics anew already.",
    todo: "Wait for its end: GET /api/v1/rebuild tells how far it is.",
  },
  backup_under_way: {
    said: "a backup is under way; one at a time",
    means: "A backup is being taken already.",
    todo: "Wait for its end.",
  },
  not_embedded: {
    said: "analytics is not embedded: its server has means of its own",
    means: "MTC backs up the engine that it runs itself; here analytics is a ClickHouse server.",
    todo: "Back the server up by its own means: docs/backup.md.",
  },
  other_data_dir: {
    said: "this server has another data directory",
    means: "The command asked a server that works on another data directory than its own.",
    todo: "Set MTC_DATA_DIR, or the address, to that of the server that is meant.",
  },
  demo_not_offered: {
    said: "the demo plant is for one process on one host",
    means: "The demo is not offered in a cluster.",
    todo: "Try the demo in an installation of its own.",
  },
  length_required: {
    said: "give the body's Content-Length",
    means: "The body came without its length, which only observations and SQL may.",
    todo: "Send Content-Length.",
  },
  body_too_large: {
    said: ({ max_bytes }) => `a body has at most ${max_bytes} bytes here`,
    means: "The body is larger than what is taken here; a packed one counts unpacked.",
    todo: "Send it in several parts.",
  },
  unknown_encoding: {
    said: ({ encoding, accepted }) => `“${encoding}” is not read here: ${accepted} are`,
    means: "The body is packed otherwise than MTC unpacks, or twice.",
    todo: "Pack it once, as Accept-Encoding of the answer tells, or not at all.",
  },
  bad_input: {
    said: "something of the input is wrong",
    means:
      "The input was refused as a whole; nothing of it was stored. `errors` has each place with its own code.",
    todo: "Mend what `errors` names, by its path, and send all of it again.",
  },
  body_not_json: {
    said: "the body is not JSON",
    means: "The body cannot be read.",
    todo: "Send JSON.",
  },
  nothing_asked: {
    said: "nothing was asked for",
    means: "The form came without the button that says what to do.",
    todo: "Open the page again and press the button.",
  },
  too_many_requests: {
    said: ({ wait_s }) => `too many requests; try again in ${wait_s} s`,
    means: "The key or user asked more often than it may.",
    todo: `${LATER} RateLimit-Policy tells the budget; MTC_RATE_LIMIT sets it.`,
  },
  too_many_sign_ins: {
    said: ({ wait_s }) => `too many sign-ins; try again in ${wait_s} s`,
    means: "Somebody signs in again and again.",
    todo: "Keep the session, or let programs use an API key.",
  },
  sign_ins_failed: {
    said: ({ max, wait_s }) => `${max} sign-ins failed; try again in ${wait_s} s`,
    means: "Too many sign-ins failed from this address, or by this name.",
    todo: "Wait, and check name and password. An admin can set a new one.",
  },
  keys_wrong: {
    said: ({ max, wait_s }) => `${max} keys were wrong; try again in ${wait_s} s`,
    means: "Too many wrong API keys came from this address.",
    todo: "Find the program that has an old key, and give it one that holds.",
  },
  own_reports: {
    said: ({ max, wait_s }) => `${max} reports of yours are under way; try again in ${wait_s} s`,
    means: "One key or user asked for more reports at once than it may.",
    todo: `${LATER} Ask for fewer at once.`,
  },
  all_reports: {
    said: ({ max, wait_s }) => `${max} reports are under way; try again in ${wait_s} s`,
    means: "All together asked for more reports at once than there may be.",
    todo: LATER,
  },
  own_answers_unread: {
    said: ({ max, wait_s }) => `${max} long answers of yours are not read yet; try again in ${wait_s} s`,
    means: "Long answers hold memory until they are read to their end.",
    todo: "Read the answers that were asked for, or close their connections.",
  },
  all_answers_unread: {
    said: ({ max, wait_s }) => `${max} long answers are not read yet; try again in ${wait_s} s`,
    means: "Long answers hold memory until they are read to their end.",
    todo: LATER,
  },
  own_streams: {
    said: ({ max }) => `${max} streams of yours are open`,
    means: "One key or user holds more live streams than it may.",
    todo: "Close screens that nobody looks at; give programs keys of their own.",
  },
  query_ended_engine: {
    said: ({ wait_s }) => `a query of yours ended the engine; ask again in ${wait_s} s`,
    means:
      "A query went on over its bounds, so that the engine had to be started again. Whoever asked it is refused for a while.",
    todo: "Ask for less: a shorter time, fewer columns, no functions that compute for minutes.",
  },
  internal: {
    said: "something went wrong here",
    means: "An error of MTC itself.",
    todo: "The log has the details; tell whoever looks after MTC.",
  },
  overloaded: {
    said: ({ why }) => `overloaded: ${why}`,
    means: "There is more to do than can be done now. Nothing of the request was stored.",
    todo: `${LATER} Where it stays so, look at Admin → Health.`,
  },
  disk_full: {
    said: ({ why }) => `the disk is full: ${why}`,
    means: "The disk takes no more. Nothing of the request was stored; what was acknowledged before is safe.",
    todo: "Make room, or shorten MTC_RAW_RETENTION_DAYS. It goes on by itself once there is room.",
  },
  set_aside: {
    said: ({ machines }) =>
      `the figures of ${machines.map((one) => `“${one}”`).join(", ")} cannot be calculated now`,
    means: "The roll-up of these machines fails, and a report is not given without them.",
    todo: "Admin → Health has the error: look at what was set last on them. Reports without them go on.",
  },
  analytics_away: {
    said: "analytics is being started; ask again in a moment",
    means: "The engine is away. Observations are taken and kept meanwhile.",
    todo: LATER,
  },
  query_too_heavy: {
    said: "this needs more memory or time than there is now",
    means: "The engine ended the query at its bounds.",
    todo: "Ask for less, a shorter time above all, or later.",
  },
  not_in_analytics_yet: {
    said: ({ why }) => `what was written before is not in analytics yet: ${why}`,
    means: "What was written before this call is kept, but would be missing in the figures.",
    todo: LATER,
  },
  given_up: {
    said: "nobody waits for it any more",
    means: "The client left, or it took too long, and the work was ended.",
    todo: "Ask again.",
  },
  took_too_long: {
    said: ({ seconds }) => `no answer within ${seconds} s`,
    means: "There was no answer in time.",
    todo: "Ask for less, or later.",
  },
  change_took_too_long: {
    said: ({ seconds }) => `no answer within ${seconds} s; it may be done yet`,
    means: "There was no answer in time, and nobody knows yet whether it is done.",
    todo: DONE_ONCE,
  },
  stopping: {
    said: "the server stops",
    means: "The program ends before it has an answer.",
    todo: "Ask again, there or another one.",
  },
  change_stopping: {
    said: "the server stops; it may be done yet",
    means: "The program ends before it has an answer, and nobody knows yet whether it is done.",
    todo: DONE_ONCE,
  },
  server_stops: {
    said: "the server stops, and begins nothing new",
    means: "The program is about to end.",
    todo: "Ask again once it runs.",
  },
};
