// What the agents say of tools, files and fixtures: the newest of each.
import type { Engine } from "../engine/engine.ts";
import one from "./asset.sql" with { type: "text" };
import list from "./assets.sql" with { type: "text" };
import { iso } from "./window.ts";

export type AssetRow = {
  asset_id: string;
  /** CuttingTool, File …; "" where only a removal is known. */
  type: string;
  /** ISO 8601, µs; "" where the asset has no time. */
  ts: string;
  removed: boolean;
  /** How long the document is, where it was too large to be kept; else 0. */
  omitted_bytes: number;
};

/** `document` is the agent's own XML or JSON; "" where it is not known. */
export type AssetDocument = AssetRow & { document: string };

type Sql<Row> = Omit<Row, "ts"> & { ts_us: number };

const toRow = <Row extends { ts_us: number }>({ ts_us, ...row }: Row) => ({
  ...row,
  ts: ts_us === 0 ? "" : iso(ts_us),
});

/** Assets of one machine with an id greater than `after`, in the order of their ids. @throws EngineError */
export async function assets(
  engine: Engine,
  query: { tenant: string; machine: string; after: string; limit: number },
): Promise<AssetRow[]> {
  return (await engine.query<Sql<AssetRow>>(list, query)).map(toRow);
}

/** @returns undefined where the machine has no such asset @throws EngineError */
export async function asset(
  engine: Engine,
  query: { tenant: string; machine: string; asset: string },
): Promise<AssetDocument | undefined> {
  return (await engine.query<Sql<AssetDocument>>(one, query)).map(toRow)[0];
}
