// The state rules as SQL.
import { bitsOf, masksOf, statePattern } from "../../domain/state.ts";
import {
  type Case,
  type ClassName,
  SIGNAL_CLASSES,
  STATE_KINDS,
  STATE_RULES,
  STATES,
} from "../../domain/state-rules.ts";
import { literal } from "../engine/literal.ts";
import { STATE_TYPE } from "../rollup/columns.ts";
import type { Block } from "./blocks.ts";

const CLASSES = Object.entries(SIGNAL_CLASSES) as [
  ClassName,
  { kind: string; words: readonly string[] | "other" },
][];
const hex = (bits: number): string => `0x${bits.toString(16).toUpperCase().padStart(3, "0")}`;

function bits(): string[] {
  return CLASSES.map(([name, { kind, words }]) => {
    const said = words === "other" ? "any other word" : words.join(", ");
    return `--   ${hex(bitsOf([name]))}  ${kind} ${said}`;
  });
}

function classOfValue(): string[] {
  const kinds = STATE_KINDS.flatMap((kind) => {
    const own = CLASSES.filter(([, of]) => of.kind === kind);
    const named = own.flatMap(([name, { words }]) =>
      words === "other" ? [] : [`${isOneOf(words)}, ${hex(bitsOf([name]))}`],
    );
    const other = own.find(([, { words }]) => words === "other");
    const rest = other ? hex(bitsOf([other[0]])) : "0";
    const [only] = named;
    if (named.length === 1 && `${only}`.length < 60)
      return [`    kind = ${literal(kind)}, if(${only}, ${rest}),`];
    if (named.length === 1) return [`    kind = ${literal(kind)},`, `        if(${only}, ${rest}),`];
    return [
      `    kind = ${literal(kind)}, multiIf(`,
      ...named.map((line) => `        ${line},`),
      `        ${rest}),`,
    ];
  });
  return ["multiIf(", "    value = '', 0,", ...kinds, "    0) AS class"];
}

const isOneOf = (words: readonly string[]): string =>
  words.length === 1 ? `value = ${literal(words[0] ?? "")}` : `value IN (${words.map(literal).join(", ")})`;

const CASES = STATE_RULES.flatMap(({ cases }, i) => cases.map((one: Case) => ({ rule: i + 1, one })));

/** Two columns: whether a source says itself that nothing can be known, and the state. */
function stateOfClasses(): string[] {
  const unavailable = CASES.filter(({ one }) => one.state === "UNKNOWN" && !("missing" in one));
  return [
    "multiIf(",
    ...unavailable.map(({ one }) => `    ${holds(one)}, true,`),
    "    false) AS unavailable,",
    "CAST(multiIf(",
    ...CASES.map(
      ({ rule, one }) => `    ${holds(one)}, ${STATES.indexOf(one.state) + 1}, -- ${rule}: ${one.state}`,
    ),
    `    1), ${literal(STATE_TYPE)}) AS state`,
  ];
}

function holds(one: Case): string {
  const { missing, mask, held } = masksOf(one);
  if (missing) return "gaps != 0";
  const isOneBit = mask === held && (mask & (mask - 1)) === 0;
  return `bitAnd(classes, ${hex(mask)}) ${isOneBit ? "!= 0" : `= ${hex(held)}`}`;
}

const TIMELINE = "analytics-sql/queries/timeline";
const PATTERN = [`WHERE match(signal, ${literal(statePattern())})`];

export const STATE_BLOCKS: readonly Block[] = [
  { file: `${TIMELINE}/states.sql`, name: "bits of the classes", lines: bits() },
  { file: `${TIMELINE}/states.sql`, name: "class of a value", lines: classOfValue() },
  { file: `${TIMELINE}/states.sql`, name: "state signals", lines: PATTERN },
  { file: "analytics-sql/queries/explain/in-force.sql", name: "state signals", lines: PATTERN },
  { file: `${TIMELINE}/timeline.sql`, name: "state of the classes", lines: stateOfClasses() },
];
