// ClickHouse's HTTP interface before chDB, as a process of its own: `bun deploy/stand-in.ts <directory> <port>`.
import { startClickHouseStandIn } from "../analytics-sql/testing/clickhouse-http.ts";

const [dir = "", port = ""] = process.argv.slice(2);
const { stop } = startClickHouseStandIn({ dir, port: Number(port) });
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => void stop().then(() => process.exit(0)));
