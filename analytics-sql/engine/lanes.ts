// Connections to chDB that take one statement at a time, with its parameters bound.
import { type ClickHouseClient, createClient } from "@clickhouse/client";
import { formatQueryParams } from "@clickhouse/client-common";
import { createChdbConnection } from "chdb/connection";
import { literal } from "./literal.ts";

/** What is bound: the client's own formatting gives each value the text that the engine parses by its declared type. */
export type Params = Record<string, unknown>;

type Lane = { client: ClickHouseClient; ready: Promise<void> };

/**
 * A few connections to one data directory. chDB lets one query with parameters run at a time in the whole process,
 * since it keeps them process-wide; parameters SET on a connection are its own, so each lane sets them and then asks.
 */
export class Lanes {
  readonly #free: Lane[];
  readonly #all: Lane[];
  readonly #waiting: ((lane: Lane) => void)[] = [];

  /** @param settings statements that set a connection up */
  constructor(path: string, lanes: number, settings: string[]) {
    this.#all = Array.from({ length: lanes }, () => {
      const client = clientOf(path);
      const setUp = async (): Promise<void> => {
        for (const query of settings) await client.command({ query });
      };
      return { client, ready: setUp() };
    });
    this.#free = [...this.#all];
  }

  /** Resolves when every connection is set up. */
  async ready(): Promise<void> {
    await Promise.all(this.#all.map((lane) => lane.ready));
  }

  query<Row>(sql: string, params: Params): Promise<Row[]> {
    return this.#use(params, async (client) => {
      const result = await client.query({ query: sql, format: "JSONEachRow" });
      return (await result.json()) as Row[];
    });
  }

  run(sql: string, params: Params): Promise<void> {
    return this.#use(params, async (client) => {
      await client.command({ query: sql });
    });
  }

  async close(): Promise<void> {
    for (const { client } of this.#all) await client.close();
  }

  async #use<T>(params: Params, ask: (client: ClickHouseClient) => Promise<T>): Promise<T> {
    const lane = this.#free.pop() ?? (await new Promise<Lane>((resolve) => this.#waiting.push(resolve)));
    try {
      const bound = Object.entries(params).map(
        ([name, value]) => `param_${name} = ${literal(formatQueryParams({ value }))}`,
      );
      if (bound.length > 0) await lane.client.command({ query: `SET ${bound.join(", ")}` });
      return await ask(lane.client);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(lane);
      else this.#free.push(lane);
    }
  }
}

// Two copies of one type: chdb types its connection by @clickhouse/client-common, the client by its own build of it.
export const clientOf = (path: string): ClickHouseClient =>
  createClient({
    connection: createChdbConnection({ path }) as unknown as NonNullable<
      Parameters<typeof createClient>[0]
    >["connection"] &
      object,
  });
