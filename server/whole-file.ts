// A small file that is there as a whole, or as it was before.
import { renameSync, rmSync, writeFileSync } from "node:fs";

/** @throws where it cannot be written; then it is as it was */
export function writeWhole(file: string, text: string): void {
  const made = `${file}.new`;
  try {
    writeFileSync(made, text, { mode: 0o600, flush: true });
    renameSync(made, file);
  } catch (error) {
    rmSync(made, { force: true });
    throw error;
  }
}
