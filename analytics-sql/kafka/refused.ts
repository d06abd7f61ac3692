// What ClickHouse could not read from the topic.
import type { Engine } from "../engine/engine.ts";
import refusedSql from "./refused.sql" with { type: "text" };

/** `place` is topic/partition/offset; `message` its bytes as text, or its columns printed again. */
export type RefusedRow = {
  place: string;
  machine_id: string;
  error: string;
  message: string;
  time_ms: number;
};

/** Those found since a time (ms), oldest first. @throws EngineError */
export const refused = (
  engine: Pick<Engine, "query">,
  since_ms: number,
  limit: number,
): Promise<RefusedRow[]> => engine.query<RefusedRow>(refusedSql, { since_ms, limit });
