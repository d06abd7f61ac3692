// What may be wrong at one place of an input, by its code (SPEC 11.5). A code never changes its meaning.
import { input, type None } from "./definition.ts";

/**
 * Why a trial of a source gave nothing. `address`: no source may be there; `no_host`: the name is not known; `refused`:
 * nobody listens; `timeout`, `broken`: the connection; `status`: HTTP, but no success; `not_agent`, `not_modbus`: it
 * speaks something else; `agent_error`: the agent's own error; `no_unit`: no Modbus unit of that number.
 */
export type TrialFailure =
  | "address"
  | "no_host"
  | "refused"
  | "timeout"
  | "broken"
  | "status"
  | "not_agent"
  | "agent_error"
  | "not_modbus"
  | "no_unit";

type Number = "number" | "integer";
const expected = (kind: Number): Number => kind;

/** What a schema says. The words are TypeBox's, which clients may know. */
const SCHEMA = {
  required: input<None>("Expected required property"),
  unknown_property: input<None>("Unexpected property"),
  wrong_type: input<{ expected: string }>(({ expected }) => `Expected ${expected}`, { expected: "string" }),
  exactly: input<{ value: string }>(({ value }) => `Expected ${value}`, { value: "'mtconnect'" }),
  one_of: input<{ words: readonly string[] }>(({ words }) => `Expected one of ${words.join(", ")}`, {
    words: ["loss", "excluded"],
  }),
  no_alternative: input<None>("Expected union value"),
  too_short: input<{ min: number }>(({ min }) => `Expected string length greater or equal to ${min}`, {
    min: 1,
  }),
  too_long: input<{ max: number }>(({ max }) => `Expected string length less or equal to ${max}`, {
    max: 200,
  }),
  wrong_format: input<{ format: string }>(({ format }) => `Expected string to match '${format}' format`, {
    format: "uri",
  }),
  wrong_pattern: input<{ pattern: string }>(({ pattern }) => `Expected string to match '${pattern}'`, {
    pattern: "^([01]\\d|2[0-3]):[0-5]\\d$",
  }),
  number_min: input<{ expected: Number; min: number }>(
    ({ expected, min }) => `Expected ${expected} to be greater or equal to ${min}`,
    { expected: expected("integer"), min: 0 },
  ),
  number_max: input<{ expected: Number; max: number }>(
    ({ expected, max }) => `Expected ${expected} to be less or equal to ${max}`,
    { expected: expected("integer"), max: 65_535 },
  ),
  number_over: input<{ expected: Number; min: number }>(
    ({ expected, min }) => `Expected ${expected} to be greater than ${min}`,
    { expected: expected("number"), min: 0 },
  ),
  number_under: input<{ expected: Number; max: number }>(
    ({ expected, max }) => `Expected ${expected} to be less than ${max}`,
    { expected: expected("number"), max: 1 },
  ),
  too_few: input<{ min: number }>(({ min }) => `Expected array length to be greater or equal to ${min}`, {
    min: 1,
  }),
  too_many: input<{ max: number }>(({ max }) => `Expected array length to be less or equal to ${max}`, {
    max: 500,
  }),
  not_unique: input<None>("Expected array elements to be unique"),
  too_few_properties: input<{ min: number }>(
    ({ min }) => `Expected object to have at least ${min} properties`,
    { min: 1 },
  ),
  too_many_properties: input<{ max: number }>(
    ({ max }) => `Expected object to have no more than ${max} properties`,
    { max: 200 },
  ),
  schema_refused: input<{ words: string }>(({ words }) => words, { words: "Value should not match" }),
};

/** Of bodies, observations above all. */
const BODIES = {
  not_json: input<None>("not JSON"),
  json_error: input<{ error: string }>(({ error }) => `not JSON: ${error}`, {
    error: "JSON Parse error: Unexpected EOF",
  }),
  not_utf8: input<None>("not UTF-8"),
  zstd_torn: input<None>("not zstd, or cut off"),
  not_packed: input<{ packing: string; error: string }>(
    ({ packing, error }) => `not ${packing}, though content-encoding says so: ${error}`,
    { packing: "gzip", error: "incorrect header check" },
  ),
  idempotency_key_length: input<{ max: number }>(
    ({ max }) => `an Idempotency-Key has 1 to ${max} characters`,
    { max: 200 },
  ),
  no_observations: input<None>("no observations"),
  too_many_observations: input<{ max: number }>(({ max }) => `more than ${max} observations in one body`, {
    max: 50_000,
  }),
  uneven_columns: input<{ values: number; rows: number }>(
    ({ values, rows }) => `${values} values where /signal has ${rows}`,
    { values: 9, rows: 10 },
  ),
  seq_twice: input<None>("give seq or seq0, not both"),
  words_missing: input<None>("missing, though word refers to it"),
  past_end: input<{ list: string }>(({ list }) => `points past the end of ${list}`, { list: "/signals" }),
  number_and_word: input<None>("the row has a number in /num as well"),
  words_written_out: input<{ characters: number; max: number }>(
    ({ characters, max }) =>
      `the rows' words have ${characters} characters in all, at most ${max} in one body`,
    { characters: 40_000_000, max: 8_388_608 },
  ),
  event_not_json: input<None>("is not JSON"),
  not_an_event: input<None>("is no event"),
  event_time: input<None>("is no time"),
  not_own_tenant: input<None>("must be the tenant's own"),
  not_own_machine: input<None>("is none of the machines"),
};

const TIMES = {
  not_a_time: input<None>("not a time (RFC 3339)"),
  no_zone: input<None>("a time without its zone: end it with Z, or with an offset"),
  time_before_2000: input<None>("before 2000-01-01"),
  too_far_ahead: input<None>("more than a day ahead"),
  not_after: input<{ than: string }>(({ than }) => `not after ${than}`, { than: "from" }),
  before: input<{ than: string }>(({ than }) => `before ${than}`, { than: "/from" }),
  not_within_annotation: input<None>("not within the annotation"),
  span_too_long: input<{ days: number }>(({ days }) => `more than ${days} days before to`, { days: 31 }),
};

const CALENDARS = {
  zone_by_offset: input<{ timezone: string }>(({ timezone }) => `${timezone} is not a time zone by name`, {
    timezone: "+01:00",
  }),
  unknown_zone: input<{ timezone: string }>(({ timezone }) => `${timezone} is not a time zone`, {
    timezone: "Europe/Atlantis",
  }),
  break_empty: input<None>("ends when it starts"),
  break_outside: input<{ pause: string; shift: string }>(
    ({ pause, shift }) => `${pause} is not within ${shift}`,
    { pause: "15:00–15:30", shift: "06:00–14:00" },
  ),
  shift_overlaps: input<{ other: string }>(({ other }) => `overlaps ${other}`, { other: "/shifts/0" }),
  not_a_date: input<{ date: string }>(({ date }) => `${date} is not a date`, { date: "2026-02-30" }),
  date_out_of_years: input<{ date: string }>(({ date }) => `${date} is not within 2000 to 2045`, {
    date: "2050-01-01",
  }),
  date_twice: input<{ date: string }>(({ date }) => `${date} is given twice`, { date: "2026-01-06" }),
  date_before_2000: input<None>("before 2000"),
};

const REASONS_AND_RULES = {
  reason_twice: input<{ reason: string }>(({ reason }) => `"${reason}" is there twice`, { reason: "tool" }),
  unknown_parent: input<{ parent: string }>(({ parent }) => `there is no "${parent}"`, { parent: "setup" }),
  below_itself: input<{ reason: string }>(({ reason }) => `"${reason}" is below itself`, { reason: "tool" }),
  too_many_rules: input<{ max: number }>(({ max }) => `more than ${max} automatic rules`, { max: 100 }),
  map_lacks_signal: input<{ signal: string }>(({ signal }) => `the map has no "${signal}"`, {
    signal: "di12",
  }),
  means_itself: input<None>("a signal cannot stand for itself"),
  already_meant: input<{ signal: string }>(({ signal }) => `something else is "${signal}" already`, {
    signal: "execution",
  }),
  words_form: input<None>("write 0=READY, 1=ACTIVE"),
};

const SOURCES = {
  reserved_address: input<{ address: string }>(
    ({ address }) => `${address} is a link-local, multicast or reserved address: no source may be there`,
    { address: "169.254.169.254" },
  ),
  not_http: input<None>("not http: or https:"),
  password_masked: input<None>("*** stands for a password that is not known: give it"),
  trial_failed: input<{ failure: TrialFailure; told: string }>(
    ({ failure, told }) => `trial ${failure}: ${told}`,
    { failure: "refused", told: "connect ECONNREFUSED 192.168.1.20:5000" },
  ),
  trial_busy: input<None>("trial busy"),
  choose_device: input<None>("choose at least one device"),
  map_not_json: input<None>("is no JSON"),
  point_twice: input<{ signal: string }>(({ signal }) => `another point is "${signal}" already`, {
    signal: "spindle",
  }),
  past_addresses: input<{ value_type: string }>(
    ({ value_type }) => `${value_type} reaches past address 65535`,
    {
      value_type: "uint32",
    },
  ),
  is_one_bit: input<{ kind: string; value_type: string }>(
    ({ kind, value_type }) => `a ${kind} is one bit, no ${value_type}`,
    {
      kind: "coil",
      value_type: "uint16",
    },
  ),
  bit_by_itself: input<{ kind: string }>(({ kind }) => `a ${kind} is one bit by itself`, { kind: "coil" }),
  no_bytes: input<None>("only registers have bytes"),
  which_bit: input<None>("which of the register's bits? `bit` tells"),
  bit_is_no: input<{ value_type: string }>(({ value_type }) => `one bit is no ${value_type}`, {
    value_type: "uint16",
  }),
  one_register: input<None>("only of values of several registers"),
  words_of_bits: input<None>("only of bits; the machine's rules give words to numbers"),
  numbers_only: input<None>("only of numbers"),
};

const PEOPLE_AND_FORMS = {
  empty: input<None>("is empty"),
  password_short: input<{ min: number }>(({ min }) => `has less than ${min} characters`, { min: 10 }),
  password_guessable: input<None>("is too easy to guess"),
  wrong_password: input<None>("the current password is wrong"),
  too_many_fields: input<{ max: number }>(({ max }) => `more than ${max} fields`, { max: 20_000 }),
  too_many_rows: input<{ max: number }>(({ max }) => `more than ${max} rows`, { max: 2_000 }),
  form_cut: input<None>("the form did not come whole: nothing was changed"),
};

const ASKED = {
  row_unnamed: input<{ by: string }>(({ by }) => `which row of by=${by}?`, { by: "shift" }),
  unknown_row: input<{ by: string; key: string }>(
    ({ by, key }) => `by ${by} there is no row "${key}" in this window`,
    { by: "lot", key: "L-42" },
  ),
  bad_cursor: input<None>("not a cursor of this list"),
  unknown_figure: input<None>("no figure of that name"),
  unknown_cut: input<None>("no cut of that name"),
  purged_days: input<{ first: string }>(
    ({ first }) =>
      `the log holds everything from ${first} on; of earlier days some was purged (MTC_RAW_RETENTION_DAYS), and they stay as they are`,
    { first: "2026-03-01" },
  ),
  days_before: input<{ first: string }>(({ first }) => `there are no days before ${first}`, {
    first: "2000-01-01",
  }),
  days_after: input<{ last: string }>(({ last }) => `there are no days after ${last}`, {
    last: "2149-01-01",
  }),
  not_a_later_day: input<{ from: string }>(
    ({ from }) => `must be a day after ${from}: it is the first day that is left alone`,
    { from: "2026-11-01" },
  ),
  folder_not_absolute: input<None>("must be absolute, without any of * ? { } [ ]"),
  folder_not_made: input<None>("the folder is not there, not this user's alone, or not made for this backup"),
};

export const INPUTS = {
  ...SCHEMA,
  ...BODIES,
  ...TIMES,
  ...CALENDARS,
  ...REASONS_AND_RULES,
  ...SOURCES,
  ...PEOPLE_AND_FORMS,
  ...ASKED,
};
