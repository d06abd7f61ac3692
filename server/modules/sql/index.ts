// /sql/: ClickHouse's HTTP interface for analysts, read-only.
import { Elysia } from "elysia";
import type { Engine } from "../../../analytics-sql/engine/engine.ts";
import type { Keys } from "../../keys.ts";
import { answerSql } from "./service.ts";
import { ShutOut } from "./shut-out.ts";

const detail = {
  tags: ["Analyst SQL"],
  summary: "ClickHouse's HTTP interface over the tenant's views, read-only",
  description:
    "What @clickhouse/client, curl, Grafana and DBeaver speak: `?query=` or the body, `param_x`, `default_format`, FORMAT. " +
    "The API key is the password. Errors are text, as ClickHouse words them, with X-ClickHouse-Exception-Code.",
};

export const sqlModule = (engine: Engine, keys: Keys) => {
  const shut = new ShutOut();
  const ask = ({ request }: { request: Request }): Promise<Response> =>
    answerSql({ engine, keys, shut }, request);
  const ping = (): Response => new Response("Ok.\n");
  return new Elysia({ prefix: "/sql" })
    .get("/ping", ping, { detail: { hide: true } })
    .get("", ask, { detail: { hide: true } })
    .get("/", ask, { detail })
    .post("", ask, { parse: "none", detail: { hide: true } })
    .post("/", ask, { parse: "none", detail });
};
