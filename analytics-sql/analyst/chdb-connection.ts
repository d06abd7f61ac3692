// An analyst's connection to chDB: its settings stick to it, and so do the values that were bound.
import { createChdbConnection } from "chdb/connection";
import { literal } from "../engine/literal.ts";
import { sets } from "../engine/settings.ts";
import { ANALYST_SETTINGS, type AnalystConnection } from "./analysts.ts";

export async function connectChdb(path: string, database: string): Promise<AnalystConnection> {
  const connection = createChdbConnection({ path });
  const ask = (sql: string, format = "TabSeparated") => connection.chdb.queryAsync(sql, { format });
  for (const query of [`USE ${database}`, ...sets(ANALYST_SETTINGS), "SET readonly = 1"]) await ask(query);
  return {
    async run(sql, format, params) {
      const bound = Object.entries(params).map(([name, value]) => `param_${name} = ${literal(value)}`);
      if (bound.length > 0) await ask(`SET ${bound.join(", ")}`);
      const result = await ask(sql, format);
      return {
        bytes: result.bytes(),
        read_rows: result.rowsRead,
        read_bytes: result.bytesRead,
        elapsed_s: result.elapsed,
      };
    },
    close: () => connection.close(),
  };
}
