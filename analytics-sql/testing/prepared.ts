// An engine's directory as a first start leaves it: to make one takes a second of CPU time, to copy it next to none.
import { cpSync, existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { openEmbedded } from "../engine/embedded.ts";
import { SCHEMA_STATEMENTS } from "../schema/schema.ts";

/** Of this schema, for all tests of this machine. */
const PREPARED = `${tmpdir()}/mtc-prepared-${Bun.hash(SCHEMA_STATEMENTS.join("\n")).toString(36)}`;

/** Puts an empty analytics at a path where there is nothing yet; raw data is kept there for a hundred years. */
export async function prepareEngine(path: string): Promise<void> {
  if (!existsSync(PREPARED)) await make();
  cpSync(PREPARED, path, { recursive: true });
}

/** Whoever is done first has made it for all. */
async function make(): Promise<void> {
  const own = mkdtempSync(`${tmpdir()}/mtc-preparing-`);
  const engine = await openEmbedded({ path: `${own}/chdb`, rawRetentionDays: 36_500 });
  await engine.close();
  try {
    renameSync(`${own}/chdb`, PREPARED);
  } catch (error) {
    if (!existsSync(PREPARED)) throw error;
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}
