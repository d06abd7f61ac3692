// Counts the observations of a stopped product's data directory: what was acknowledged must be there, once.
import { openEmbedded } from "../../analytics-sql/engine/embedded.ts";
import { jobOf } from "./process.ts";

export type CountJob = { data_dir: string };
export type Count = { rows: number };

const engine = await openEmbedded({ path: `${jobOf<CountJob>().data_dir}/chdb`, rawRetentionDays: 36_500 });
const [counted] = await engine.query<Count>("SELECT count() AS rows FROM mtc.observations FINAL", {});
await engine.close();
console.log(JSON.stringify({ rows: counted?.rows ?? 0 } satisfies Count));
process.exit(0);
