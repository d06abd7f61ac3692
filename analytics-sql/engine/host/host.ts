// ClickHouse's HTTP interface before chDB: what our clients send to a server, run by the engine of this process.
import { Session } from "chdb";
import { literal } from "../literal.ts";
import { Bodies } from "./body.ts";
import { type Lane, Lanes, type Settings, TSV } from "./lanes.ts";

/** What the whole engine may hold (invariant 7). */
const SERVER_MEMORY_BYTES = 3 * 1024 ** 3;

/** Parameters of a request that are no settings of the engine's. */
const NO_SETTINGS = new Set([
  "default_format",
  "http_headers_progress_interval_ms",
  "query",
  "query_id",
  "readonly",
  "send_progress_in_http_headers",
  "session_id",
  "wait_end_of_query",
]);

/** One thread reads a body from its first byte to its last: parallel parsing would cut it at newlines (invariant 8). */
const FROM_FILE: Settings = [
  ["max_threads", "1"],
  ["input_format_parallel_parsing", "0"],
  ["max_block_size", "65536"],
  ["use_structure_from_insertion_table_in_table_functions", "1"],
];

type Asked = { set: Settings; params: Settings; sql: string; format: string; query_id: string };

export class Host {
  readonly #session: Session;
  readonly #lanes: Lanes;
  readonly #bodies: Bodies;
  /** Which connection a query runs on, by its id. */
  readonly #running = new Map<string, Lane>();

  /**
   * @param path chDB's directory
   * @param args of the connection that starts it, which can alone be given the server's own limit, and stays open
   * @throws Error where another process has the directory
   */
  constructor(path: string, args = [`--max_server_memory_usage=${SERVER_MEMORY_BYTES}`]) {
    this.#session = new Session(path, { connectionArgs: args });
    this.#lanes = new Lanes(path);
    this.#bodies = new Bodies(path);
  }

  /** Answers a request, an error as ClickHouse does: its words, and its code as a header. */
  async answer(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/ping") return new Response("Ok.\n");
    try {
      const form = FORM.test(request.headers.get("content-type") ?? "")
        ? textsOf(await request.formData())
        : undefined;
      const asked = readAsked([...searchParams, ...(form ?? [])]);
      const body = form ? new Uint8Array() : await request.bytes();
      const insert = INSERT.exec(asked.sql);
      if (insert) return await this.#insert(asked, insert, body);
      const sql = `${asked.sql}\n${new TextDecoder().decode(body)}`.trim();
      const killed = KILL.test(sql) ? asked.params.find(([name]) => name === "param_id")?.[1] : undefined;
      if (killed !== undefined) return this.#kill(killed);
      const whole = searchParams.get("wait_end_of_query") === "1" || !/^\s*(SELECT|WITH)\b/i.test(sql);
      return await (whole ? this.#whole({ ...asked, sql }) : this.#stream({ ...asked, sql }));
    } catch (error) {
      return refused(error as Error);
    }
  }

  async close(): Promise<void> {
    await this.#lanes.close();
    this.#session.close();
    this.#bodies.close();
  }

  async #insert(asked: Asked, insert: RegExpExecArray, body: Uint8Array): Promise<Response> {
    const [, table, columns, format = ""] = insert;
    const into = columns === undefined ? table : `${table} (${columns})`;
    await this.#bodies.use(body, (file) =>
      this.#lanes.use([...asked.set, ...FROM_FILE], ({ chdb }) =>
        chdb.queryAsync(
          `INSERT INTO ${into} SELECT ${columns ?? "*"} FROM file(${literal(file)}, ${literal(format)})`,
          TSV,
        ),
      ),
    );
    return new Response("");
  }

  #whole({ set, params, sql, format, query_id }: Asked): Promise<Response> {
    return this.#lanes.use(set, async (lane) => {
      this.#running.set(query_id, lane);
      try {
        await bind(lane, params);
        const result = await lane.chdb.queryAsync(sql, { format });
        const summary = {
          read_rows: String(result.rowsRead),
          read_bytes: String(result.bytesRead),
          elapsed_ns: String(Math.round(1e9 * result.elapsed)),
        };
        return new Response(new Uint8Array(result.bytes()), {
          headers: { "x-clickhouse-summary": JSON.stringify(summary) },
        });
      } finally {
        this.#running.delete(query_id);
      }
    });
  }

  /** What is not asked for as a whole is sent as it comes. An error after its first bytes breaks the connection. */
  async #stream({ set, params, sql, format }: Asked): Promise<Response> {
    const lane = await this.#lanes.take(set);
    try {
      await bind(lane, params);
      const chunks = lane.chdb.queryStream(sql, { format })[Symbol.asyncIterator]();
      let next = await chunks.next();
      return new Response(
        new ReadableStream<Uint8Array>({
          pull: async (controller) => {
            try {
              if (next.done) {
                this.#lanes.give(set, lane);
                controller.close();
                return;
              }
              controller.enqueue(new Uint8Array(next.value.raw()));
              next = await chunks.next();
            } catch (error) {
              await this.#lanes.drop(set, lane);
              controller.error(error);
            }
          },
          cancel: async () => {
            await chunks.return?.();
            await this.#lanes.drop(set, lane);
          },
        }),
      );
    } catch (error) {
      await this.#lanes.drop(set, lane);
      throw error;
    }
  }

  /** From a connection of its own, and at once: chDB knows no ids, so the query is found by its connection's name. */
  #kill(query_id: string): Response {
    const lane = this.#running.get(query_id);
    if (lane) this.#session.query(`KILL QUERY WHERE Settings['log_comment'] = ${literal(lane.name)} ASYNC`);
    return new Response("");
  }
}

const INSERT = /^INSERT INTO (\S+)(?: \((.+)\))? FORMAT (\w+)\s*$/;
const KILL = /^KILL QUERY WHERE query_id = /;

const FORM = /^multipart\/form-data\b/;

const textsOf = (form: FormData): [string, string][] =>
  [...form].map(([name, value]) => [name, value as string]);

/** @param given by the URL and, where the body is a form, by its parts */
function readAsked(given: [string, string][]): Asked {
  const search = new Map(given);
  const own = given.filter(([name]) => !NO_SETTINGS.has(name));
  const isParam = ([name]: readonly [string, string]): boolean => name.startsWith("param_");
  const set = own.filter((one) => !isParam(one));
  const readonly = search.get("readonly") ?? null;
  return {
    // A server looks at a request's settings together: read-only holds for the query, not for what came with it.
    set: readonly === null ? set : [...set, ["readonly", readonly]],
    params: own.filter(isParam),
    sql: search.get("query") ?? "",
    format: search.get("default_format") ?? "TabSeparated",
    query_id: search.get("query_id") ?? "",
  };
}

/** Parameters SET are a connection's own; those of a call would be the whole process's, one such query at a time. */
async function bind({ chdb }: Lane, params: Settings): Promise<void> {
  if (params.length === 0) return;
  const bound = params.map(([name, value]) => `${name} = ${literal(value)}`);
  await chdb.queryAsync(`SET ${bound.join(", ")}`, TSV);
}

/** Where a body lay is nobody's affair. */
const FILE = /: \(in file\/uri [^)]*\)/g;

export function refused({ message }: Error, status = 500): Response {
  const code = /Code: (\d+)/.exec(message)?.[1] ?? "1002";
  return new Response(message.replaceAll(FILE, ""), {
    status,
    headers: { "x-clickhouse-exception-code": code },
  });
}
