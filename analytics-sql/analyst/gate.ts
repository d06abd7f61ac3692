// Which of an analyst's queries may run: one SELECT over the tenant's views, judged by the engine's own parser.
import { EngineError } from "../engine/engine.ts";
import { literal } from "../engine/literal.ts";
import { isRefused, mayCall } from "./functions.ts";

/** What passed: the query as the parser prints it, without its FORMAT, and the format it asked for. */
export type Passed = { sql: string; format: string | undefined };

/** Asks the engine, on the analysts' connection, for text. */
type Ask = (sql: string) => Promise<string>;

/** ClickHouse's codes: NOT_IMPLEMENTED… would lie; ACCESS_DENIED and SYNTAX_ERROR are what its clients know. */
const ACCESS_DENIED = 497;
const SYNTAX_ERROR = 62;
const UNKNOWN_QUERY_PARAMETER = 456;

const denied = (what: string): EngineError =>
  new EngineError(
    `Code: ${ACCESS_DENIED}. DB::Exception: ${what}. (ACCESS_DENIED)`,
    ACCESS_DENIED,
    false,
    null,
  );

/**
 * Judges a query. Nothing of it runs before its tree is known to touch the tenant's own views only: the parser takes it
 * as a string, refuses a second statement and prints it anew, without comments and in one spelling; that is explained
 * as a tree, and every node of the tree is looked at. What the names stand for is asked once more of the analyzer, which
 * computes constants: so judging runs within the question's bounds, and is watched as the query itself is.
 * @param database the tenant's
 * @param params the values that came with this query
 * @throws EngineError with ClickHouse's code
 */
export async function judge(
  ask: Ask,
  database: string,
  query: string,
  params: Record<string, string>,
): Promise<Passed> {
  const printed = (await ask(`SELECT formatQuerySingleLine(${literal(query)})`)).trimEnd();
  // As TSV: what is escaped in it is taken back.
  const canonical = printed.replaceAll(/\\(.)/g, (_, char: string) => UNESCAPED[char] ?? char);
  const { sql, format } = splitFormat(canonical);
  if (sql === "SHOW TABLES") return { sql, format };
  const kind = /^\s*(WITH|SELECT|\(|DESCRIBE)/i.exec(canonical)?.[1]?.toUpperCase();
  if (!kind) throw denied("only one SELECT, DESCRIBE or SHOW TABLES may be asked here");
  if (/\bINTO OUTFILE\b/i.test(withoutStrings(canonical))) throw denied("INTO OUTFILE writes files");
  if (/\bSETTINGS\b/i.test(withoutStrings(canonical))) throw denied("a query may not change settings");
  judgeTree(await ask(`EXPLAIN AST ${sql}`), database);
  const read = kind === "DESCRIBE" ? sql.replace(/^DESCRIBE(?: TABLE)? /, "SELECT * FROM ") : sql;
  judgeNames(await ask(`EXPLAIN QUERY TREE run_passes = 1, passes = 1 ${read}`), database);
  refuseUnbound(canonical, params);
  return { sql, format };
}

const UNESCAPED: Record<string, string> = { n: "\n", t: "\t", r: "\r", "0": "\0", b: "\b", f: "\f" };

/** The parser's print with every string, and every quoted name, emptied. */
const withoutStrings = (sql: string): string =>
  sql.replaceAll(/'(?:[^'\\]|\\.|'')*'|`(?:[^`\\]|\\.)*`|"(?:[^"\\]|\\.)*"/g, "''");

function splitFormat(canonical: string): Passed {
  const found = /\s+FORMAT\s+`?(\w+)`?\s*$/i.exec(canonical);
  // A FORMAT at the end is the query's own where no string or name is cut by it.
  if (!found || withoutStrings(canonical).search(/\s+FORMAT\s+(?:\w+|'')\s*$/i) < 0) {
    return { sql: canonical, format: undefined };
  }
  return { sql: canonical.slice(0, found.index), format: found[1] };
}

/** Looks at every node of the tree, as `EXPLAIN AST` prints it: a line a node, indented by its depth. */
function judgeTree(tree: string, database: string): void {
  const lines = tree.split("\n").filter((line) => line.trim() !== "");
  const root = lines[0]?.trim().split(" ")[0] ?? "";
  if (root !== "SelectWithUnionQuery" && root !== "DescribeQuery")
    throw denied(`${root} may not be asked here`);
  lines.forEach((line, i) => {
    const node = line.trim();
    const [kind = "", name = ""] = node.split(" ");
    if (kind === "Function") {
      if (lines[i - 1]?.trim().startsWith("TableExpression")) throw denied(`the table function ${name}`);
      if (!mayCall(name)) throw denied(`the function ${name}`);
    }
    if (kind === "TableIdentifier" || kind === "Identifier") refuseForeign(name, database);
    // `arrayMap(file, …)`: a function may be named without its brackets, and is called while its tree is explained.
    if (kind === "Identifier" && isRefused(name)) throw denied(`the name ${name}`);
    // What it applies is not in this tree: neither a function's name nor a lambda.
    if (kind === "ColumnsApplyTransformer") throw denied("APPLY");
    if (kind === "Set") throw denied("a query may not change settings");
    if (/^(Insert|Create|Drop|Alter|Rename|Optimize|System|Kill|Use|Set|Show|Explain)\w*Query$/.test(kind)) {
      throw denied(`${kind} may not be asked here`);
    }
  });
}

/** A name with a database before it must be of the tenant's own; without one it can be nothing else. */
function refuseForeign(name: string, database: string): void {
  const [first = "", ...rest] = name.split(".");
  if (rest.length === 0 || first === database) return;
  if (/^(mtc.*|system|default|information_schema|_temporary.*|tenant_[0-9a-f]{24})$/i.test(first)) {
    throw denied(`${name} is not one of your views`);
  }
}

/** The analyzer's word on what the names stand for: of tables, and of functions. */
function judgeNames(tree: string, database: string): void {
  if (tree.trim() === "") throw denied("what cannot be explained may not be asked here");
  for (const [, name = ""] of tree.matchAll(/^\s*FUNCTION id: \d+, function_name: (\w+)/gm)) {
    if (!mayCall(name)) throw denied(`the function ${name}`);
  }
  for (const [, name = ""] of tree.matchAll(/\btable_name: (\S+?),?(?:\s|$)/g)) {
    if (!name.startsWith(`${database}.`) && name !== "system.one")
      throw denied(`${name} is not one of your views`);
  }
  if (/\bTABLE_FUNCTION\b/.test(tree)) throw denied("a table function");
}

/** A value that was bound once stays with the connection: no query reads what another one was given. */
function refuseUnbound(canonical: string, params: Record<string, string>): void {
  for (const [, name = ""] of withoutStrings(canonical).matchAll(/\{\s*(\w+)\s*:/g)) {
    if (!Object.hasOwn(params, name)) {
      throw new EngineError(
        `Code: ${UNKNOWN_QUERY_PARAMETER}. DB::Exception: Substitution \`${name}\` is not set. (UNKNOWN_QUERY_PARAMETER)`,
        UNKNOWN_QUERY_PARAMETER,
        false,
        null,
      );
    }
  }
}

/** A query that is none. */
export const notAQuery = (why: string): EngineError =>
  new EngineError(`Code: ${SYNTAX_ERROR}. DB::Exception: ${why}. (SYNTAX_ERROR)`, SYNTAX_ERROR, false, null);
