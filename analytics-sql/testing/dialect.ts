// Holds a statement against what both chDB and a ClickHouse server accept, by the engine's own parser.
import type { Session } from "chdb";
import { DIALECT, type Kind } from "./dialect-names.ts";

export type Used = { kind: Kind; name: string };

/** A node of EXPLAIN AST: ` Function min (alias x) (children 1)` is of the type Function and named min. */
type Node = { type: string; name: string; text: string; children: Node[] };

/** What is wrong with a statement as formatQuery writes it, on one line and without its strings. */
const RULES: [wrong: string, RegExp][] = [
  ["CREATE that cannot run again", /^CREATE (?!OR REPLACE )(?!(MATERIALIZED )?\w+ IF NOT EXISTS )/],
  [
    "materialized view without TO",
    /^(?!CREATE MATERIALIZED VIEW (IF NOT EXISTS )?\S+ TO )CREATE (OR REPLACE )?MATERIALIZED/,
  ],
  ["materialized view with POPULATE", /^CREATE MATERIALIZED VIEW .*\bPOPULATE\b/],
  ["window view", /^CREATE (OR REPLACE )?WINDOW VIEW/],
  ["database that is not Atomic", /^CREATE DATABASE (?!.*ENGINE = Atomic$)/],
  ["FORMAT in the statement", /^(?!INSERT).*\bFORMAT \w+$/],
];

/** Functions that give a time in the zone that is their last argument, else in the server's own. */
const TIMES =
  /^(now|now64|toDateTime|toDateTime64|fromUnixTimestamp|fromUnixTimestamp64\w+|parseDateTime\w*)$/;

/** What the parser calls a function and is none: an arrow, a bound parameter, the list of codecs. */
const SYNTAX = ["lambda", "_CAST", "CODEC"];

export class Dialect {
  readonly #session: Session;
  readonly #functions: Set<string>;
  readonly #combinators: string[];
  /** Functions that the statements made themselves. */
  readonly #own = new Set<string>();

  constructor(session: Session) {
    this.#session = session;
    this.#functions = new Set(this.column("SELECT name FROM system.functions"));
    this.#combinators = this.column("SELECT name FROM system.aggregate_function_combinators");
  }

  /** The first column of an answer. */
  column(sql: string): string[] {
    return this.#ask(sql).split("\n").filter(Boolean);
  }

  /**
   * @param again the statement runs at every start, on what is there already
   * @returns what is wrong with the statement; nothing where it is of the dialect
   */
  violations(sql: string, again = false): string[] {
    try {
      const flat = withoutStrings(this.#formatted(sql)).replaceAll(/\s+/g, " ").trim();
      const rules = RULES.filter(([, wrong]) => wrong.test(flat)).map(([what]) => what);
      const used = this.used(sql).filter(
        ({ kind, name }) => !(DIALECT[kind] as readonly string[]).includes(name),
      );
      const wrong = [
        ...rules.filter((what) => again || what !== RULES[0]?.[0]),
        ...used.map(({ kind, name }) => `${kind}: ${name}`),
        ...this.#nodes(sql).flatMap(zoneless),
      ];
      return [...new Set(wrong)];
    } catch (error) {
      return [(error as Error).message.split("\n")[0] ?? ""];
    }
  }

  /** Everything with a name that the statement uses. @throws where it cannot be parsed */
  used(sql: string): Used[] {
    const settings = [
      ...withoutStrings(this.#formatted(sql)).matchAll(/\bSETTINGS ((?:\w+ = [^,\s)]+(?:, )?)+)/g),
    ]
      .flatMap(([, list = ""]) => [...list.matchAll(/(\w+) = /g)])
      .map(([, name = ""]): Used => ({ kind: "settings", name }));
    const nodes = this.#nodes(sql);
    for (const { type, name } of nodes) if (type === "CreateSQLFunctionQuery") this.#own.add(name);
    const named = nodes.flatMap((node) => this.#usedBy(node));
    return [...named, ...settings].filter(({ name }) => !this.#own.has(name));
  }

  #usedBy(node: Node): Used[] {
    const { type, name, children } = node;
    if (type.endsWith("DataType")) return [{ kind: "types", name }, ...this.#aggregatesOf(node)];
    if (name === "CODEC") {
      return (children[0]?.children ?? []).map((codec) => ({ kind: "codecs", name: codec.name }));
    }
    const functions = (kind: Kind, of: Node[]): Used[] =>
      of
        .filter((child) => child.type === "Function" && !SYNTAX.includes(child.name))
        .map((child) => ({
          kind,
          name: kind === "functions" ? this.#withoutCombinators(child.name) : child.name,
        }));
    // An engine is the first thing its definition names; what follows are keys.
    if (type === "Storage definition") {
      return [...functions("engines", children.slice(0, 1)), ...functions("functions", children.slice(1))];
    }
    if (type === "TableExpression" || type === "InsertQuery") return functions("table_functions", children);
    if (type === "Index") return functions("indices", children.slice(1));
    return functions("functions", children);
  }

  /** AggregateFunction(min, Int64) names a function, too. */
  #aggregatesOf({ name, children }: Node): Used[] {
    if (!name.endsWith("AggregateFunction")) return [];
    const [first] = children[0]?.children ?? [];
    return [{ kind: "functions", name: this.#withoutCombinators(first?.name ?? "") }];
  }

  /** sumIf is sum with the combinator If, where there is no function of that name itself. */
  #withoutCombinators(name: string): string {
    if (this.#functions.has(name)) return name;
    const combinator = this.#combinators.find((one) => name.endsWith(one) && name.length > one.length);
    return combinator ? this.#withoutCombinators(name.slice(0, -combinator.length)) : name;
  }

  /** All nodes of the statement, and of the types that it holds as text: its parameters', and its casts'. */
  #nodes(sql: string): Node[] {
    const bound = [...sql.matchAll(/\{(\w+):([^}]+)\}/g)].map(([, name = "", type = ""]) => ({ name, type }));
    for (const { name, type } of bound) this.#ask(`SET param_${name} = '${sampleOf(type)}'`);
    const nodes = flat(parsed(this.#ask(`EXPLAIN AST ${sql}`)));
    const cast = nodes
      .filter(({ name }) => /^(CAST|accurateCast\w*)$/.test(name))
      .map((node) => literals(node).at(-1) ?? "");
    const types = [...new Set([...bound.map(({ type }) => type), ...cast])].filter(
      (type) => type !== "Identifier",
    );
    if (types.length === 0) return nodes;
    const columns = types.map((type, i) => `c${i} ${type}`).join(", ");
    const declared = flat(parsed(this.#ask(`EXPLAIN AST CREATE TABLE t (${columns}) ENGINE = Null`)));
    return [...nodes, ...declared];
  }

  /** The statement as the parser understood it, without its comments. */
  #formatted(sql: string): string {
    return this.#ask(`SELECT formatQuery('${sql.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}')`);
  }

  #ask(sql: string): string {
    return String(this.#session.query(sql, "TSVRaw"));
  }
}

const withoutStrings = (sql: string): string => sql.replaceAll(/'(?:\\.|[^'\\])*'/g, "''");

/** Some value of the type, so that a statement with parameters can be parsed. */
const sampleOf = (type: string): string =>
  /^(Array|Tuple)/.test(type)
    ? "[]"
    : /^Date/.test(type)
      ? "2026-01-01"
      : /^String|^Identifier/.test(type)
        ? "x"
        : "0";

/** The tree from its indented lines. */
function parsed(explained: string): Node {
  const root: Node = { type: "", name: "", text: "", children: [] };
  const path = [root];
  for (const line of explained.split("\n").filter(Boolean)) {
    const depth = line.length - line.trimStart().length;
    const text = line.trim().replace(/ \(children \d+\)$/, "");
    const [, type = "", name = ""] =
      /^(\w*DataType|Storage definition|Columns definition|\w+) ?(.*?)(?: \(alias .*\))?$/.exec(text) ?? [];
    const node = { type, name: name.trim(), text, children: [] };
    path.length = depth + 1;
    path[depth]?.children.push(node);
    path.push(node);
  }
  return root;
}

/** All nodes but those within a codec, which are codecs. */
const flat = (node: Node): Node[] => [node, ...(node.name === "CODEC" ? [] : node.children.flatMap(flat))];

/** The texts among a call's arguments. */
const literals = (node: Node): string[] =>
  (node.children[0]?.children ?? []).flatMap(({ text }) => {
    const literal = /^Literal '(.*)'$/.exec(text)?.[1];
    return literal?.replaceAll(/\\(.)/g, "$1") ?? [];
  });

/** A time without a zone is the server's, and differs from one to the next. */
function zoneless(node: Node): string[] {
  const zoned =
    node.type === "Function"
      ? TIMES.test(node.name)
      : node.type === "DataType" && /^DateTime/.test(node.name);
  return zoned && literals(node).length === 0 ? [`${node.name} without a time zone`] : [];
}
