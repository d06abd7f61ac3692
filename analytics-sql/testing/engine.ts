// An engine of its own for a test file, in a directory that goes with it.
import { afterAll } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openChdb } from "../engine/chdb.ts";
import type { Engine } from "../engine/engine.ts";

/** Opens chDB for this process; it holds one data directory, so tests take machines of their own instead. */
export function testEngine(rawRetentionDays = 36_500): Promise<Engine> {
  const path = mkdtempSync(join(tmpdir(), "mtc-analytics-"));
  const opening = openChdb({ path, rawRetentionDays });
  afterAll(async () => {
    await (await opening).close();
    rmSync(path, { recursive: true, force: true });
  });
  return opening;
}
