// What may be wrong at one place of an input, in English.
import type { InputCode, TrialFailure } from "../../../domain/problem.ts";
import type { ProblemTexts } from "../../problem-text.ts";

const TRIALS: Record<TrialFailure, string> = {
  address: "No source may be at this address: it is link-local, multicast or reserved.",
  no_host: "This name is not known in the network.",
  refused: "Nobody listens there: is the port right, does the agent run?",
  timeout: "No answer within 5 seconds: wrong address, or a firewall?",
  broken: "The connection broke off.",
  status: "It answers, but with an error",
  not_agent: "It answers, but is no MTConnect agent.",
  agent_error: "The agent answers with an error",
  not_modbus: "It answers, but not as this module would.",
  no_unit: "The module or gateway does not answer for this unit.",
};
/** Where the words of the network or the device help. */
const QUOTED: readonly TrialFailure[] = ["status", "agent_error", "not_modbus", "no_unit", "broken"];

const IN_OPENAPI = "See /openapi.json for what is taken here.";
const LESS = "Send less at once, in several requests.";

export const inputs: Pick<ProblemTexts, InputCode> = {
  required: { said: "is needed", means: "A property that must be there is missing.", todo: "Add it." },
  unknown_property: {
    said: "is not known here",
    means: "A property that nobody knows: a misspelt one would be lost without a word.",
    todo: `Correct its name, or leave it out. ${IN_OPENAPI}`,
  },
  wrong_type: {
    said: ({ expected }) =>
      expected === "number" || expected === "integer" ? "is not a number" : `must be of the type ${expected}`,
    means: "The value is of another type than is taken here.",
    todo: IN_OPENAPI,
  },
  exactly: {
    said: ({ value }) => `must be ${value}`,
    means: "Only this value is taken here.",
    todo: "Give this value, or leave the property out where it may be.",
  },
  one_of: {
    said: "choose one",
    means: "The value is none of those that may be chosen; `words` has them.",
    todo: "Give one of the words.",
  },
  no_alternative: {
    said: "choose one",
    means: "The value is none of the shapes that it may have here.",
    todo: IN_OPENAPI,
  },
  too_short: {
    said: ({ min }) => `at least ${min} characters`,
    means: "The text is too short.",
    todo: "Give more characters.",
  },
  too_long: {
    said: ({ max }) => `at most ${max} characters`,
    means: "The text is too long.",
    todo: "Shorten it.",
  },
  wrong_format: {
    said: ({ format }) =>
      format === "uri" ? "is not an address like http://192.168.1.20:5000" : `is no ${format}`,
    means: "The text is not written in the format that is taken here.",
    todo: IN_OPENAPI,
  },
  wrong_pattern: {
    said: "cannot be written like that",
    means: "The text does not match the pattern that is taken here.",
    todo: "Write it as the pattern says. Names have no control characters and no line breaks.",
  },
  number_min: {
    said: ({ min }) => `the bound is ${min}`,
    means: "The number is too small.",
    todo: "Give this number, or a larger one.",
  },
  number_max: {
    said: ({ max }) => `the bound is ${max}`,
    means: "The number is too large.",
    todo: "Give this number, or a smaller one.",
  },
  number_over: {
    said: ({ min }) => `a number over ${min}`,
    means: "The number is too small: the bound itself is not taken.",
    todo: "Give a larger number.",
  },
  number_under: {
    said: ({ max }) => `a number under ${max}`,
    means: "The number is too large: the bound itself is not taken.",
    todo: "Give a smaller number.",
  },
  too_few: {
    said: ({ min }) => (min === 1 ? "choose at least one" : `at least ${min}`),
    means: "The list has too few entries.",
    todo: "Add entries.",
  },
  too_many: { said: ({ max }) => `at most ${max}`, means: "The list has too many entries.", todo: LESS },
  not_unique: {
    said: "is there twice",
    means: "The list has an entry twice.",
    todo: "Give each entry once.",
  },
  too_few_properties: {
    said: "needs a condition or a code",
    means: "The object must say something: it has too few properties.",
    todo: "Add what it is about.",
  },
  too_many_properties: {
    said: ({ max }) => `at most ${max}`,
    means: "The object has too many properties.",
    todo: "Leave some out.",
  },
  schema_refused: {
    said: ({ words }) => `is not as it must be: ${words}`,
    means: "The value is not what is taken here; `words` are the checker's own.",
    todo: IN_OPENAPI,
  },

  not_json: { said: "is not JSON", means: "The body cannot be read.", todo: "Send JSON." },
  json_error: {
    said: ({ error }) => `is not JSON: ${error}`,
    means:
      "The text cannot be read as JSON; `error` are the parser's words. Of lines, the path is the line's number.",
    todo: "Send JSON, in lines one object on each.",
  },
  not_utf8: { said: "is not UTF-8", means: "The bytes are no text in UTF-8.", todo: "Send UTF-8." },
  zstd_torn: {
    said: "is not zstd, or cut off",
    means: "Content-Encoding says zstd, but the bytes are something else, or not all of it.",
    todo: "Send it again, whole.",
  },
  not_packed: {
    said: ({ packing, error }) => `is not ${packing}: ${error}`,
    means: "The bytes are not what Content-Encoding says; `error` are the unpacker's words.",
    todo: "Send the right Content-Encoding, or none.",
  },
  idempotency_key_length: {
    said: ({ max }) => `an Idempotency-Key has 1 to ${max} characters`,
    means: "The Idempotency-Key is empty or too long.",
    todo: "Send a shorter one, such as a UUID.",
  },
  no_observations: {
    said: "there are no observations",
    means: "The body has nothing to store.",
    todo: "Send at least one observation, or nothing at all.",
  },
  too_many_observations: {
    said: ({ max }) => `more than ${max} observations`,
    means: "One body has more observations than are taken at once.",
    todo: LESS,
  },
  uneven_columns: {
    said: ({ values, rows }) => `has ${values} values where there are ${rows} rows`,
    means: "Columns of one body must be of the same length.",
    todo: "Give each column a value for each row.",
  },
  seq_twice: {
    said: "give seq or seq0, not both",
    means: "Sequences come as a column or as the first of them.",
    todo: "Leave one of both out.",
  },
  words_missing: {
    said: "is missing, though word refers to it",
    means: "`word` points into `words`, which is not there.",
    todo: "Add `words`.",
  },
  past_end: {
    said: ({ list }) => `points past the end of ${list}`,
    means: "An index has no entry in the list that it points into.",
    todo: "Check how the indexes are counted: signals from 0; words from 1, since 0 is no word.",
  },
  number_and_word: {
    said: "has a number and a word",
    means: "A row is a number or a word, never both.",
    todo: "Give null in `num` where `word` has a word.",
  },
  words_written_out: {
    said: ({ characters, max }) => `the rows' words have ${characters} characters in all, at most ${max}`,
    means: "Each row is kept with its word in full, so long words in many rows are more than they look.",
    todo: "Send less at once, in several requests, or shorter words.",
  },
  event_not_json: { said: "is not JSON", means: "The mended event cannot be read.", todo: "Send JSON." },
  not_an_event: {
    said: "is no event",
    means: "The mended event is not as events are.",
    todo: "Start from the event as it was downloaded.",
  },
  event_time: {
    said: "is no time",
    means: "The event's time is none that a calendar has.",
    todo: "Give the time as it was.",
  },
  not_own_tenant: {
    said: "must be the tenant's own",
    means: "An event stays with the tenant it came from.",
    todo: "Leave `tenantid` as it was.",
  },
  not_own_machine: {
    said: "is none of the machines",
    means: "The event names a machine that is not there.",
    todo: "Leave `subject` as it was, or name another machine.",
  },

  not_a_time: {
    said: "is not a time",
    means: "A time is written after RFC 3339: a day that there is, a time of day, and its zone.",
    todo: "Write it like 2026-01-05T06:00:00Z.",
  },
  no_zone: {
    said: "a time without its zone",
    means: "Without its zone nobody knows which instant is meant.",
    todo: "End it with Z, or with an offset such as +01:00.",
  },
  time_before_2000: {
    said: "is before 2000",
    means: "Times before the year 2000 are taken for a clock that was never set.",
    todo: "Set the clock of whoever sends it.",
  },
  too_far_ahead: {
    said: "is more than a day ahead",
    means: "The time is more than a day ahead of MTC's clock.",
    todo: "Compare both clocks, and the time zone.",
  },
  not_after: {
    said: ({ than }) => `is not after ${than}`,
    means: "The end must be later than the start.",
    todo: "Give a later end, or an earlier start.",
  },
  before: {
    said: ({ than }) => `is before ${than}`,
    means: "The end may not be earlier than the start.",
    todo: "Give a later end, or an earlier start.",
  },
  not_within_annotation: {
    said: "is not within the annotation",
    means: "An annotation is split at an instant between its start and its end.",
    todo: "Choose an instant between both.",
  },
  span_too_long: {
    said: ({ days }) => `is more than ${days} days before the end`,
    means: "The window is longer than is answered at once.",
    todo: "Ask for several shorter windows.",
  },

  zone_by_offset: {
    said: "is not a time zone",
    means: "An offset is no time zone: it knows nothing of summer time.",
    todo: "Give a name such as Europe/Berlin.",
  },
  unknown_zone: {
    said: "is not a time zone",
    means: "There is no time zone of this name.",
    todo: "Give a name such as Europe/Berlin.",
  },
  break_empty: {
    said: "ends when it starts",
    means: "The break has no length.",
    todo: "Give another end, or remove the break.",
  },
  break_outside: {
    said: ({ shift }) => `is not within ${shift}`,
    means: "A break lies within its shift.",
    todo: "Move the break, or the shift's start or end.",
  },
  shift_overlaps: {
    said: "overlaps another shift",
    means: "Two shifts at once would count their time twice. Shifts over midnight reach into the next day.",
    todo: "Let one end where the next begins.",
  },
  not_a_date: {
    said: "is not a date",
    means: "No calendar has this day.",
    todo: "Write it like 2026-01-05.",
  },
  date_out_of_years: {
    said: "is not within 2000 to 2045",
    means: "Calendars are known for these years.",
    todo: "Give a day of these years.",
  },
  date_twice: {
    said: "is there twice",
    means: "A day is among the exceptions twice.",
    todo: "Put both into one.",
  },
  date_before_2000: {
    said: "is before 2000",
    means: "Nothing is known of times before the year 2000.",
    todo: "Give a later day, or none: then it holds for all time.",
  },

  reason_twice: {
    said: ({ reason }) => `“${reason}” is there twice`,
    means: "A code names one reason.",
    todo: "Give one of both another code.",
  },
  unknown_parent: {
    said: ({ parent }) => `there is no “${parent}”`,
    means: "The reason stands below one that is not there.",
    todo: "Add that reason, or choose another one.",
  },
  below_itself: {
    said: ({ reason }) => `“${reason}” is below itself`,
    means: "The reason's parents lead back to itself.",
    todo: "Choose another parent.",
  },
  too_many_rules: {
    said: ({ max }) => `more than ${max} rules`,
    means: "All reasons together have more automatic rules than there may be.",
    todo: "Remove rules that never hold.",
  },
  map_lacks_signal: {
    said: ({ signal }) => `the module has no “${signal}”`,
    means: "A rule speaks of a signal that the Modbus map does not have.",
    todo: "Correct the signal's name, or add a point to the map.",
  },
  means_itself: {
    said: "a signal cannot mean itself",
    means: "A rule gives a signal its own name.",
    todo: "Remove the rule, or choose what the signal means.",
  },
  already_meant: {
    said: ({ signal }) => `something else means “${signal}” already`,
    means: "Two signals would stand for the same.",
    todo: "Let one of both mean something else.",
  },
  words_form: {
    said: "write value=WORD, separated by commas",
    means: "The words for values cannot be read.",
    todo: "Write them like 0=READY, 1=ACTIVE.",
  },

  reserved_address: {
    said: TRIALS.address,
    means:
      "At link-local addresses clouds serve credentials, and no machine has a multicast or reserved one.",
    todo: "Give the address that the machine has in the plant's network.",
  },
  not_http: {
    said: "is not an address like http://192.168.1.20:5000",
    means: "Agents are asked by http: or https:.",
    todo: "Give the agent's address with http:// in front.",
  },
  password_masked: {
    said: "the password is not known: give it",
    means: "*** stands for a password that is shown to nobody. For another host or user it is not known.",
    todo: "Write the password itself.",
  },
  trial_failed: {
    said: ({ failure, told }) =>
      QUOTED.includes(failure) && told !== "" ? `${TRIALS[failure]}: ${told}` : TRIALS[failure],
    means:
      "The test of a source gave nothing. `failure` says why; `told` are the network's or the device's own words.",
    todo: "Check power, cable, address and port, and that a firewall lets MTC through.",
  },
  trial_busy: {
    said: "Another test of yours is still running.",
    means: "One test at a time for each user.",
    todo: "Wait five seconds and test again.",
  },
  choose_device: {
    said: "choose at least one",
    means: "None of the agent's devices was chosen.",
    todo: "Tick at least one.",
  },
  map_not_json: {
    said: "is neither adam-6050 nor JSON",
    means: "The map of a module is a known name, or a list of points in JSON.",
    todo: "Write adam-6050, or the list.",
  },
  point_twice: {
    said: ({ signal }) => `another point is “${signal}” already`,
    means: "A map gives each signal one point.",
    todo: "Give one of both another name.",
  },
  past_addresses: {
    said: ({ value_type }) => `${value_type} reaches past address 65535`,
    means: "The value's last register would lie behind the last that there is.",
    todo: "Check the address and the type.",
  },
  is_one_bit: {
    said: ({ kind, value_type }) => `a ${kind} is one bit, no ${value_type}`,
    means: "Coils and discrete inputs have no type but bit.",
    todo: "Leave `type` out, or read a register.",
  },
  bit_by_itself: {
    said: ({ kind }) => `a ${kind} is one bit by itself`,
    means: "`bit` tells one of a register's bits.",
    todo: "Leave `bit` out.",
  },
  no_bytes: {
    said: "only registers have bytes",
    means: "Coils and discrete inputs have no order of bytes.",
    todo: "Leave `byte_order` out.",
  },
  which_bit: {
    said: "which of the register's bits?",
    means: "A register has sixteen bits.",
    todo: "Add `bit`, 0 to 15.",
  },
  bit_is_no: {
    said: ({ value_type }) => `one bit is no ${value_type}`,
    means: "`bit` reads one bit of a register, `type` all of it.",
    todo: "Leave one of both out.",
  },
  one_register: {
    said: "only of values of several registers",
    means: "One register has no order of words.",
    todo: "Leave `word_order` out, or give a type of several registers.",
  },
  words_of_bits: {
    said: "only of bits",
    means: "`words` are for the two values of a bit.",
    todo: "Give words to numbers by the machine's rules.",
  },
  numbers_only: {
    said: "only of numbers",
    means: "A bit is not scaled.",
    todo: "Leave it out, or read a register.",
  },

  empty: { said: "is needed", means: "A name must say something.", todo: "Give a name." },
  password_short: {
    said: ({ min }) => `at least ${min} characters`,
    means: "Short passwords are found by trying.",
    todo: "Choose a longer one: several words are easy to keep in mind.",
  },
  password_guessable: {
    said: "is too easy to guess",
    means: "The password is among those that are tried first, or is made of the name.",
    todo: "Choose another one.",
  },
  wrong_password: {
    said: "is not your password",
    means: "To set a new password, the current one is asked for.",
    todo: "Type the current password again.",
  },
  too_many_fields: {
    said: ({ max }) => `more than ${max}`,
    means: "The form has more fields than any of MTC's.",
    todo: "Send long lists by the API.",
  },
  too_many_rows: {
    said: ({ max }) => `more than ${max}`,
    means: "The form has more rows than it may.",
    todo: "Remove rows, or send the list by the API.",
  },
  form_cut: {
    said: "the form did not come whole, nothing was changed: send it again",
    means: "The form's last field is missing: saving it would have emptied the rest.",
    todo: "Send it again.",
  },

  row_unnamed: {
    said: ({ by }) => `which row of by=${by}?`,
    means: "An explanation is of one row of a cut.",
    todo: "Add `key`: the row's key in the report.",
  },
  unknown_row: {
    said: ({ key }) => `there is no row “${key}” in this window`,
    means: "The report has no such row in this window.",
    todo: "Take `key` and window from the report itself.",
  },
  bad_cursor: {
    said: "is not a cursor of this list",
    means: "A cursor is what `next_cursor` gave, for the same list.",
    todo: "Begin again without a cursor.",
  },
  unknown_figure: {
    said: "there is no figure of that name",
    means: "The link names a figure that there is not.",
    todo: "Start from the report.",
  },
  unknown_cut: {
    said: "there is no cut of that name",
    means: "The link names a cut that there is not.",
    todo: "Start from the report.",
  },
  purged_days: {
    said: ({ first }) => `the log holds everything from ${first} on`,
    means:
      "Of earlier days some raw data was purged (MTC_RAW_RETENTION_DAYS): what is known of them stays as it is.",
    todo: "Begin with this day, or later.",
  },
  days_before: {
    said: ({ first }) => `there are no days before ${first}`,
    means: "Days begin there.",
    todo: "Give a later day, or none.",
  },
  days_after: {
    said: ({ last }) => `there are no days after ${last}`,
    means: "Days end there.",
    todo: "Give an earlier day, or none.",
  },
  not_a_later_day: {
    said: ({ from }) => `must be a day after ${from}`,
    means: "`to` is the first day that is left alone.",
    todo: "Give the day after the last one that is meant.",
  },
  folder_not_absolute: {
    said: "must be absolute, without any of * ? { } [ ]",
    means: "The folder of a backup is named in full.",
    todo: "Begin it with /.",
  },
  folder_not_made: {
    said: "the folder is not there, not this user's alone, or not made for this backup",
    means: "Analytics writes only where the backup's own command made a folder for it.",
    todo: "Use bun run backup, as the same user as the server.",
  },
};
